package voice

import (
	"time"

	"github.com/roamline/roamline"
)

// Connect tells what was agreed for a leg; again after each renegotiation. A
// leg opened for RTP may agree to SDES and the reverse. VoiceReady follows
// once: at once, but with DTLS when its keys are there. VoiceGone follows if
// they are not (VoiceFailed) or if nothing comes for too long (VoiceLost).
// NotFound, Invalid or Incompatibility if it makes no sense.
func (e *Engine) Connect(id roamline.LegID, m roamline.Media) error {
	const op = "voice.Connect"
	if m.Direction == "" {
		m.Direction = roamline.SendRecv
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	l, err := e.find(op, id)
	if err != nil {
		return err
	}
	if err := l.accepts(m); err != nil {
		return err
	}
	k, err := sdesKeys(l.control.media, m, l.control.keys)
	if err != nil {
		return err
	}
	l.control.keys, l.control.media, l.control.connected = k, m, true
	if !l.control.thread.do(func() { l.control.thread.connect(l, m, k) }) {
		return &roamline.Error{Op: op, Kind: roamline.Unavailable, Of: string(id)}
	}
	if err := e.arrange(l); err != nil {
		return err
	}
	if p := l.control.peer; p != nil {
		if err := e.arrange(p); err != nil {
			return err
		}
	}
	return e.replay(l)
}

// accepts checks m against what was opened.
func (l *leg) accepts(m roamline.Media) error {
	const op = "voice.Connect"
	switch {
	case m.Codec.Rate <= 0 || m.Codec.Rate > 192000 || m.DTMF != nil && (m.DTMF.Rate <= 0 || m.DTMF.Rate > 192000):
		return &roamline.Error{Op: op, Kind: roamline.Invalid, Of: "clock rate"}
	case l.web != nil && m.Transport != roamline.DTLS || l.web == nil && m.Transport != roamline.RTP && m.Transport != roamline.SDES:
		return &roamline.Error{Op: op, Kind: roamline.Incompatibility, Of: string(m.Transport)}
	case l.web != nil && (m.Ufrag == "" || m.Fingerprint == ""):
		return &roamline.Error{Op: op, Kind: roamline.Invalid, Of: "ICE user name or fingerprint"}
	case l.web == nil && m.Remote.IsValid() && m.Remote.Addr().Unmap().Is4() == l.trunk.rtp.v6:
		return &roamline.Error{Op: op, Kind: roamline.Incompatibility, Of: "address family of " + m.Remote.String()}
	}
	return nil
}

// connect takes over what was agreed.
func (t *thread) connect(l *leg, m roamline.Media, k keys) {
	t.now = t.e.clock()
	again, before := l.connected, l.media
	if l.web != nil {
		t.agreed(l, m)
		if again && m.Fingerprint != before.Fingerprint {
			// Another certificate is another association (RFC 8842 section 4).
			l.web.endShake()
			l.web.done, l.web.last, l.keys, l.ready = false, lastFlight{}, keys{}, false
		}
	} else {
		l.trunk.aim(m, before, again, l.signalled, t.now)
		l.keys = k
	}
	if again && !before.Codec.Is(m.Codec) {
		l.send.resync()
		l.recv.hasTransit = false
	}
	if again && before.Direction != m.Direction {
		l.send.resync()
		l.flowing = t.now
	}
	l.media, l.connected = m, true
	l.send.rate = int64(m.Codec.Rate)
	if !again {
		l.since, l.flowing = t.now, t.now
		t.timers.set(&l.watchdog, t.now)
	}
	if l.web == nil {
		t.carry(l)
		return
	}
	t.advance(l)
}

// carry notes that packets can be sent now.
func (t *thread) carry(l *leg) {
	if !l.ready {
		l.ready = true
		l.flowing = t.now
		t.timers.set(&l.report, t.now+t.e.reportGap()/2)
		if !l.gone {
			t.timers.set(&l.watchdog, t.now)
		}
		t.keepPace(l)
	}
	if !l.told {
		l.told = true
		t.e.emit(roamline.VoiceReady{At: roamline.At{Time: t.e.wall(t.now)}, Leg: l.id})
	}
}

// lose reports that a leg's voice is gone; once.
func (t *thread) lose(l *leg, why roamline.Cause) {
	if l.gone {
		return
	}
	l.gone = true
	t.e.emit(roamline.VoiceGone{At: roamline.At{Time: t.e.wall(t.now)}, Leg: l.id, Cause: why})
}

const (
	waitAnswered = 10 * time.Second // for ICE and DTLS, once the leg is joined
	waitOffered  = 60 * time.Second // before that: the far end may not have our description yet
)

// prepare makes the leg's timers.
func (l *leg) prepare(e *Engine) {
	l.watchdog.fire = func(now int64) { l.owner.Load().guard(l, now) }
	l.report.fire = func(now int64) { l.owner.Load().sendReport(l, now) }
	l.pace.fire = func(now int64) { l.owner.Load().step(l, now) }
}

// guard looks after a leg that brings nothing, and sets itself again for when
// the next thing could be amiss.
func (t *thread) guard(l *leg, now int64) {
	if l.gone {
		return
	}
	limit := int64(t.e.opt.SilenceLimit)
	if l.web != nil && !l.web.done {
		// The clock of a handshake starts with the first valid check; before
		// it, with Connect or Join.
		due := l.since + int64(waitOffered)
		switch {
		case l.web.checked > 0:
			due = max(l.web.checked, l.since) + int64(shakeLimit)
		case l.source != nil:
			due = max(l.since, l.flowing) + int64(waitAnswered)
		}
		if now >= due {
			t.lose(l, roamline.VoiceFailed)
			return
		}
		t.timers.set(&l.watchdog, min(due, now+nsPerSecond))
		return
	}
	due := now + limit
	// Voice is missed where it was heard before, or where somebody listens.
	if l.receives() && (l.lastVoice > 0 || l.source != nil) {
		due = max(l.lastVoice, l.flowing) + limit
	}
	if l.web != nil {
		// Checks of consent come whether or not voice flows (RFC 7675 section 5.1).
		due = min(due, max(l.lastPacket, l.since)+limit)
	}
	if now >= due {
		t.lose(l, roamline.VoiceLost)
		return
	}
	t.timers.set(&l.watchdog, min(due, now+max(limit/4, int64(time.Millisecond))))
}

// endShake lets a handshake that still runs end.
func (w *webSide) endShake() {
	if w.shake != nil {
		w.shake.cancel()
		w.shake = nil
	}
}
