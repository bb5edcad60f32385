package sip

import (
	"context"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/roamline/roamline"
)

// A phase is how far a leg's first INVITE has come.
type phase int

const (
	phaseIn       phase = iota // theirs, not yet answered
	phaseOut                   // ours, not yet answered
	phaseAccepted              // theirs, our 2xx waits for its ACK
	phaseUp
	phaseOver
)

// A leg is one dialog with its peer, from the first INVITE to a while after its
// end. Its mutex guards everything below it; what happens is told to the sink
// in order, without the mutex.
type leg struct {
	door *Door
	id   roamline.LegID
	peer peer

	mu        sync.Mutex
	box       []roamline.Event
	telling   bool
	forgotten bool // nobody wants to hear of it any more
	phase     phase
	dialog    dialog
	counted   bool // among its trunk's calls

	invite   *serverTx   // theirs: the first INVITE, later a re-INVITE or UPDATE that waits for Reanswer
	late     bool        // their INVITE had no offer: the ACK holds the answer
	accept   *held       // Accept waits for a PRACK
	reliable reliableOut // our reliable provisional responses
	repeat   *repeater   // our 2xx that is not acknowledged
	byeAfter roamline.Cause
	ringing  *time.Timer // repeats our 18x for Timer C of others

	out       *attempt // our INVITE on its way
	cancelled roamline.Cause
	early     []byte // SDP of the last provisional response
	ack       *sip.Request
	ackFlow   *flow
	answerSeq uint32 // CSeq of the INVITE that ack is for
	offerer   bool   // we made the Call-ID (RFC 3261 section 14.1)

	re      reoffer
	session session
	lost    *time.Timer // the flow is gone; ends the leg unless the client comes back
}

// A held answer waits until the provisional response before it is acknowledged.
type held struct{ sdp []byte }

func (l *leg) lock() { l.mu.Lock() }

// unlock tells what happened meanwhile. Whoever tells goes on until the box is
// empty, so the order holds, and a sink may call the door.
func (l *leg) unlock() {
	if l.telling {
		l.mu.Unlock()
		return
	}
	l.telling = true
	for len(l.box) > 0 {
		box := l.box
		l.box = nil
		l.mu.Unlock()
		for _, ev := range box {
			l.door.emit(ev)
		}
		l.mu.Lock()
	}
	l.telling = false
	l.mu.Unlock()
}

// say puts an event into the box.
func (l *leg) say(ev roamline.Event) {
	if !l.forgotten {
		l.box = append(l.box, ev)
	}
}

// addLeg makes a leg known under its identifier and its dialog.
func (d *Door) addLeg(l *leg) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.legs[l.id] != nil {
		return &roamline.Error{Op: "sip.Invite", Kind: roamline.Conflict, Of: string(l.id)}
	}
	d.legs[l.id] = l
	d.dialogs[dialogKey{l.dialog.callID, l.dialog.localTag()}] = l
	d.byCallID[l.dialog.callID] = l.id
	return nil
}

// find returns a leg that is not over, locked.
func (d *Door) find(op string, id roamline.LegID) (*leg, error) {
	d.mu.RLock()
	l := d.legs[id]
	d.mu.RUnlock()
	if l != nil {
		l.lock()
		if l.phase != phaseOver && !l.forgotten {
			return l, nil
		}
		l.unlock()
	}
	return nil, &roamline.Error{Op: op, Kind: roamline.NotFound, Of: string(id)}
}

// dialogOf returns the leg that a message belongs to.
func (d *Door) dialogOf(callID, localTag string) *leg {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.dialogs[dialogKey{callID, localTag}]
}

// end says that the far end ended the leg, and lets it go.
func (l *leg) end(c roamline.Cause, code int) {
	if l.phase == phaseOver {
		return
	}
	l.say(roamline.HungUp{At: now(), Leg: l.id, Cause: c, Code: code})
	l.over()
}

// forget ends the leg for the switchboard, which hears nothing more of it.
func (l *leg) forget() {
	l.forgotten = true
	l.door.mu.Lock()
	delete(l.door.legs, l.id)
	l.door.mu.Unlock()
}

// over frees what a living leg holds. The dialog stays known for as long as
// messages may come late (RFC 3261 section 17: 64*T1).
func (l *leg) over() {
	if l.phase == phaseOver {
		return
	}
	l.phase = phaseOver
	d := l.door
	for _, t := range []*time.Timer{l.ringing, l.lost, l.session.timer, l.re.timer} {
		if t != nil {
			t.Stop()
		}
	}
	l.reliable.stop()
	if l.repeat != nil {
		l.repeat.timer.Stop()
		l.repeat = nil
	}
	if l.counted {
		l.counted = false
		l.peer.trunk.leave()
	}
	if l.dialog.flow != nil {
		l.dialog.flow.uncarry(l)
	}
	key := dialogKey{l.dialog.callID, l.dialog.localTag()}
	d.mu.Lock()
	delete(d.legs, l.id)
	d.mu.Unlock()
	time.AfterFunc(d.late(), func() {
		d.mu.Lock()
		delete(d.dialogs, key)
		delete(d.byCallID, key.callID)
		d.mu.Unlock()
	})
}

// late is how long a message may be on its way (64*T1).
func (d *Door) late() time.Duration { return 64 * d.opt.T1 }

// ask sends a request within the dialog. A challenge is answered once with the
// trunk's login. done gets the final response, or an error; it runs without
// the leg's mutex, and may be nil.
func (l *leg) ask(req *sip.Request, done func(*sip.Response, error)) *clientTx {
	d := l.door
	f := d.way(&l.dialog, l.peer)
	tries := 0
	var reply func(req *sip.Request) func(*sip.Response, error)
	reply = func(req *sip.Request) func(*sip.Response, error) {
		return func(res *sip.Response, err error) {
			if err == nil && (res.StatusCode == 401 || res.StatusCode == 407) && l.peer.trunk != nil && tries < 2 {
				tries++
				l.lock()
				l.dialog.localSeq++
				next, failed := l.peer.trunk.login().authorize(req, res, l.dialog.localSeq)
				if failed == nil {
					d.begin(next, f, reply(next))
					l.unlock()
					return
				}
				l.unlock()
			}
			if done != nil && (err != nil || !res.IsProvisional()) {
				done(res, err)
			}
		}
	}
	return d.begin(req, f, reply(req))
}

// flowClosed is told when the connection that the leg hangs on is gone. A leg
// that rings is over. One that talks stays while its client may come back with
// another flow: its voice may still run.
func (l *leg) flowClosed(f *flow) {
	l.lock()
	defer l.unlock()
	if l.phase == phaseOver || l.dialog.flow != f {
		return
	}
	if l.peer.client == "" { // a trunk: the next request opens a connection
		return
	}
	if l.phase == phaseIn || l.phase == phaseOut {
		l.end(roamline.Unreachable, 0)
		return
	}
	l.lost = time.AfterFunc(l.door.opt.FlowGrace, func() {
		l.lock()
		defer l.unlock()
		l.end(roamline.Unreachable, 0)
	})
}

// moveTo follows a client that came back by another flow.
func (l *leg) moveTo(f *flow) {
	l.lock()
	defer l.unlock()
	if l.phase == phaseOver || l.dialog.flow == f {
		return
	}
	if l.lost != nil {
		l.lost.Stop()
		l.lost = nil
	}
	l.dialog.flow.uncarry(l)
	l.dialog.flow = f
	f.carry(l)
}

// Paths is the switchboard's Signals.
func (d *Door) Paths(to roamline.Target) []roamline.Path {
	if to.Trunk != "" {
		return d.trunks.paths(to.Trunk)
	}
	return d.registrar.paths(to.Client)
}

// CallID is the switchboard's Signals.
func (d *Door) CallID(id roamline.LegID) string {
	d.mu.RLock()
	l := d.legs[id]
	d.mu.RUnlock()
	if l == nil {
		return ""
	}
	l.lock()
	defer l.unlock()
	return l.dialog.callID
}

// endAll ends every leg, and waits for the far ends as long as ctx lasts.
func (d *Door) endAll(ctx context.Context) {
	d.mu.RLock()
	legs := make([]*leg, 0, len(d.legs))
	for _, l := range d.legs {
		legs = append(legs, l)
	}
	d.mu.RUnlock()
	var ending sync.WaitGroup
	for _, l := range legs {
		l.lock()
		l.forget()
		ending.Add(1)
		l.hangup(roamline.Shutdown, sync.OnceFunc(ending.Done))
		l.unlock()
	}
	done := make(chan struct{})
	go func() {
		ending.Wait()
		close(done)
	}()
	limit := time.NewTimer(2 * time.Second)
	defer limit.Stop()
	select {
	case <-done:
	case <-limit.C:
	case <-ctx.Done():
	}
}

// flowTo returns a flow to an address; nil if there is no socket for it.
func (d *Door) flowTo(transport string, to netip.AddrPort, name string) *flow {
	switch transport {
	case "udp":
		s := d.socketFor(to.Addr())
		if s == nil {
			return nil
		}
		return &flow{door: d, transport: "udp", udp: s, local: s.local, remote: to}
	case "tcp", "tls":
		return d.dial(transport, to, name)
	}
	return nil
}

// netipPort puts an address and a port, or the transport's default, together.
func netipPort(a netip.Addr, port int, transport string) netip.AddrPort {
	if port <= 0 || port > 65535 {
		port = sip.DefaultPort(transport)
	}
	return netip.AddrPortFrom(a, uint16(port))
}

// sdpOf returns the description that a message carries: its body, or the part
// of a multipart body that is one (RFC 3261 section 7.4, RFC 5621).
func sdpOf(msg sip.Message) []byte {
	if len(msg.Body()) == 0 {
		return nil
	}
	kind := strings.ToLower(header(msg, "Content-Type"))
	kind, _, _ = strings.Cut(kind, ";")
	switch kind = strings.TrimSpace(kind); {
	case kind == sdpType:
		return msg.Body()
	case strings.HasPrefix(kind, "multipart/"):
		return sdpPart(header(msg, "Content-Type"), msg.Body())
	}
	return nil
}
