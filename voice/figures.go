package voice

import (
	"sync/atomic"
	"time"

	"github.com/roamline/roamline"
)

// Figures returns what is known of a leg's voice.
func (e *Engine) Figures(id roamline.LegID) (roamline.Figures, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	l, err := e.find("voice.Figures", id)
	if err != nil {
		return roamline.Figures{}, err
	}
	var f roamline.Figures
	l.control.thread.do(func() { f = l.control.thread.figures(l) })
	return f, nil
}

func (t *thread) figures(l *leg) roamline.Figures {
	f := roamline.Figures{
		Codec:      l.media.Codec.Name,
		Transport:  l.media.Transport,
		Received:   l.recv.total(),
		Sent:       l.send.packets,
		Lost:       l.recv.lost(),
		Discarded:  l.discarded,
		FarLost:    l.far.lost,
		FarJitter:  l.far.jitter,
		RoundTrip:  l.far.roundTrip,
		FirstVoice: l.firstVoice,
	}
	if rate := l.media.Codec.Rate; rate > 0 {
		f.Jitter = time.Duration(l.recv.jitter * 1e9 / float64(rate))
	}
	if l.lastVoice > 0 {
		f.LastVoice = t.e.wall(l.lastVoice)
	}
	return f
}

// Stats are totals since the engine started; Legs, Threads and Handshaking are
// of now. Counts are of packets unless they say otherwise.
type Stats struct {
	Threads          int
	Legs             int
	Handshaking      int    // DTLS handshakes that compute
	Received         uint64 // valid RTP
	Sent             uint64 // RTP
	Discarded        uint64 // foreign, replayed, undecryptable or malformed
	SendFailed       uint64 // that the kernel or the cipher did not take
	Handshakes       uint64 // completed
	HandshakesFailed uint64
}

// counts are a thread's own, which it publishes when it goes to sleep.
type counts struct {
	received, sent, discarded, failed, shakes, shakesFailed uint64
}

type published struct {
	received, sent, discarded, failed, shakes, shakesFailed atomic.Uint64
}

func (t *thread) publish() {
	p, c := &t.published, &t.counts
	p.received.Store(c.received)
	p.sent.Store(c.sent)
	p.discarded.Store(c.discarded)
	p.failed.Store(c.failed + t.io.lost())
	p.shakes.Store(c.shakes)
	p.shakesFailed.Store(c.shakesFailed)
}

// Stats returns the engine's totals. They are up to one turn of a thread's
// loop old.
func (e *Engine) Stats() Stats {
	s := Stats{Threads: len(e.threads), Handshaking: len(e.shakes)}
	for _, t := range e.threads {
		p := &t.published
		s.Legs += int(t.legs.Load())
		s.Received += p.received.Load()
		s.Sent += p.sent.Load()
		s.Discarded += p.discarded.Load()
		s.SendFailed += p.failed.Load()
		s.Handshakes += p.shakes.Load()
		s.HandshakesFailed += p.shakesFailed.Load()
	}
	return s
}
