package bus

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/roamline/roamline"
)

const (
	logStream   = "ROAMLINE_BINDING"
	logSubject  = "roamline.binding"
	recordLimit = 64 << 10 // bytes; a record ends a few bindings and opens one
	readAhead   = 256      // records that Follow holds
	answerWait  = 5 * time.Second
)

// openLog opens the binding log. Nothing in it ever expires: a later version
// removes the oldest records once the history in SQL has them, so the first
// sequence may be greater than 1, and the state at that point comes from SQL.
func openLog(ctx context.Context, js jetstream.JetStream, replicas int) (jetstream.Stream, error) {
	log, err := js.Stream(ctx, logStream)
	if !errors.Is(err, jetstream.ErrStreamNotFound) {
		return log, err
	}
	log, err = js.CreateStream(ctx, jetstream.StreamConfig{
		Name:        logStream,
		Description: "who came to which client and left it, in order",
		Subjects:    []string{logSubject},
		Storage:     jetstream.FileStorage,
		Replicas:    replicas,
		MaxMsgSize:  recordLimit,
		DenyDelete:  true, // a record in the middle is never taken away
	})
	if errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) { // another node was quicker
		return js.Stream(ctx, logStream)
	}
	return log, err
}

// Append adds a record to the log; its Seq is ignored and given by the log.
// Unavailable leaves open whether it was added: Follow tells. It waits for
// answerWait at most, whatever ctx allows: the answer that was on its way when
// a connection broke never comes.
func (b *Bus) Append(ctx context.Context, r roamline.BindingRecord, last uint64) (uint64, error) {
	const op = "bus.Append"
	data, err := writeRecord(r)
	if err == nil && len(data) > recordLimit {
		err = fmt.Errorf("a record of %d bytes: at most %d", len(data), recordLimit)
	}
	if err != nil {
		return 0, &roamline.Error{Op: op, Kind: roamline.Invalid, Err: err}
	}
	ctx, cancel := context.WithTimeout(ctx, answerWait)
	defer cancel()
	ack, err := b.js.PublishMsg(ctx, &nats.Msg{Subject: logSubject, Data: data},
		jetstream.WithExpectStream(logStream), jetstream.WithExpectLastSequence(last))
	if err != nil {
		return 0, fail(op, "", err)
	}
	return ack.Sequence, nil
}

// Follow gives the records after seq, the state at seq being known to the
// caller; seq 0 gives all that the log still has. It goes on through lost
// connections and restarts of the server.
//
// Conflict if the log does not fit: records after seq are already removed, or
// the log ends before seq (see ContinueAfter). When ctx ends it returns ctx's
// error, when each fails each's, as they are; Unavailable when the bus is
// closed. each and caughtUp are called on the caller's goroutine.
func (b *Bus) Follow(ctx context.Context, seq uint64, each func(roamline.BindingRecord) error, caughtUp func()) error {
	const op = "bus.Follow"
	info, err := b.log.Info(ctx)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return fail(op, "", err)
	}
	if err := fits(info.State, seq); err != nil {
		return &roamline.Error{Op: op, Kind: roamline.Conflict, Err: err}
	}
	f := &follower{bus: b, at: seq, goal: info.State.LastSeq, each: each, caughtUp: caughtUp}
	f.told()
	for {
		err := f.run(ctx)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case f.failed != nil:
			return f.failed
		}
		select {
		case <-b.closed:
			return &roamline.Error{Op: op, Kind: roamline.Unavailable, Err: nats.ErrConnectionClosed}
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(200 * time.Millisecond): // the connection, or the server, is away
			b.note("binding log interrupted", err)
		}
	}
}

// fits reports why a log can't be followed from seq; nil if it can.
func fits(log jetstream.StreamState, seq uint64) error {
	switch {
	case log.LastSeq < seq:
		return fmt.Errorf("the log ends at %d, before %d: it is not the log that was followed until now", log.LastSeq, seq)
	case seq > 0 && log.FirstSeq > seq+1:
		return fmt.Errorf("the log begins at %d, after %d: take the state from the history first", log.FirstSeq, seq)
	}
	return nil
}

// A follower is one Follow on its way.
type follower struct {
	bus      *Bus
	at       uint64 // the last record given
	goal     uint64 // the last one that was there at the start
	given    bool   // whether any was given
	each     func(roamline.BindingRecord) error
	caughtUp func() // nil once called
	failed   error  // ends the Follow
}

func (f *follower) told() {
	if f.at >= f.goal && f.caughtUp != nil {
		f.caughtUp()
		f.caughtUp = nil
	}
}

// run gives records until something stops it. A failure that f.failed does not
// keep is worth another run.
func (f *follower) run(ctx context.Context) error {
	consumer, err := f.bus.log.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{
		DeliverPolicy:    jetstream.DeliverByStartSequencePolicy,
		OptStartSeq:      f.at + 1,
		MaxResetAttempts: 1, // Follow tries again, and ends with its ctx
	})
	if err != nil {
		return err
	}
	messages, err := consumer.Messages(jetstream.PullMaxMessages(readAhead))
	if err != nil {
		return err
	}
	defer messages.Stop()
	for {
		m, err := messages.Next(jetstream.NextContext(ctx))
		if err != nil {
			return err
		}
		if f.failed = f.give(m); f.failed != nil {
			return f.failed
		}
	}
}

func (f *follower) give(m jetstream.Msg) error {
	const op = "bus.Follow"
	meta, err := m.Metadata()
	if err != nil {
		return fail(op, "", err)
	}
	seq := meta.Sequence.Stream
	if seq != f.at+1 && (f.given || f.at > 0) {
		return &roamline.Error{Op: op, Kind: roamline.Conflict,
			Err: fmt.Errorf("records %d to %d were removed before they were read", f.at+1, seq-1)}
	}
	r, err := readRecord(m.Data())
	if err != nil {
		return &roamline.Error{Op: op, Of: fmt.Sprintf("record %d", seq), Err: err}
	}
	r.Seq = seq
	if err := f.each(r); err != nil {
		return err
	}
	f.at, f.given = seq, true
	f.told()
	return nil
}

// ContinueAfter makes sure that the next record's sequence is greater than
// seq, and reports whether it had to. The history in SQL counts by these
// sequences and takes no number twice; it can be ahead of the log if the site
// moved to another NATS server, or if the machine failed and the last second
// of the log was not on its disk. Then all that is in the log is in the history
// already; it is removed, and the state comes from the history. It must be
// called before any node appends.
func (b *Bus) ContinueAfter(ctx context.Context, seq uint64) (moved bool, err error) {
	const op = "bus.ContinueAfter"
	info, err := b.log.Info(ctx)
	if err != nil {
		return false, fail(op, "", err)
	}
	if info.State.LastSeq >= seq {
		return false, nil
	}
	return true, fail(op, "", b.log.Purge(ctx, jetstream.WithPurgeSequence(seq+1)))
}
