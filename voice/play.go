package voice

import (
	"time"

	"github.com/roamline/roamline"
)

// A player sends a prompt's frames, one each 20 ms.
type player struct {
	on     bool
	prompt roamline.Prompt
	frames [][]byte // shared, never modified
	at     int
	loop   bool
}

// Play plays a prompt to a leg's far end, instead of what it is joined to,
// once or until Hush. It begins when the leg's voice is ready. Another Play
// replaces it. Played follows if it was once; not if it was hushed or replaced.
// Errors are those of Sounds.Frames, and NotFound.
func (e *Engine) Play(id roamline.LegID, p roamline.Prompt, loop bool) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	l, err := e.find("voice.Play", id)
	if err != nil {
		return err
	}
	l.control.prompt, l.control.loop, l.control.started = p, loop, false
	for l.control.connected {
		c := l.control.media.Codec
		// Making the frames may take long, if they are the first for this codec.
		e.mu.Unlock()
		frames, err := e.opt.Sounds.Frames(p, c)
		e.mu.Lock()
		if err != nil {
			if l.control.prompt == p && !l.control.started {
				l.control.prompt = ""
			}
			return err
		}
		if l, err = e.find("voice.Play", id); err != nil {
			return err
		}
		if l.control.prompt != p || l.control.started {
			return nil // replaced, or begun by Connect
		}
		if l.control.media.Codec.Is(c) {
			e.start(l, p, c, frames, loop)
			return nil
		}
	}
	return nil
}

// start hands the frames to the leg's thread.
func (e *Engine) start(l *leg, p roamline.Prompt, c roamline.Codec, frames [][]byte, loop bool) {
	l.control.started, l.control.promptIn = true, c
	t := l.control.thread
	t.do(func() {
		l.player = player{on: true, prompt: p, frames: frames, loop: loop}
		l.send.resync()
		t.keepPace(l)
	})
}

// replay has a prompt go on after Connect: one that waited for it begins, one
// in another codec begins anew. The caller holds the lock.
func (e *Engine) replay(l *leg) error {
	c := &l.control
	if c.prompt == "" || c.started && c.promptIn.Is(c.media.Codec) {
		return nil
	}
	if c.started {
		on := false
		c.thread.do(func() { on = l.player.on })
		if !on {
			c.prompt = ""
			return nil
		}
	}
	frames, err := e.opt.Sounds.Frames(c.prompt, c.media.Codec)
	if err != nil {
		return err
	}
	e.start(l, c.prompt, c.media.Codec, frames, c.loop)
	return nil
}

// Hush ends what is played. It is no error if nothing is.
func (e *Engine) Hush(id roamline.LegID) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	l, err := e.find("voice.Hush", id)
	if err != nil {
		return err
	}
	l.control.prompt = ""
	l.control.thread.do(func() {
		l.player = player{}
		l.send.resync()
	})
	return nil
}

const frameTime = int64(20 * time.Millisecond)

// keepPace starts the leg's 20 ms clock if sound is made here for it.
func (t *thread) keepPace(l *leg) {
	if l.paced || !l.ready || !l.connected || !l.busy() {
		return
	}
	l.paced = true
	t.timers.set(&l.pace, t.now)
}

func (l *leg) busy() bool {
	return l.player.on || l.dial.on || l.feed == decoded && l.hearing != nil && l.hearing.idle < maxIdle
}

// step makes the sound of the next 20 ms.
func (t *thread) step(l *leg, now int64) {
	if !l.ready || !l.busy() {
		l.paced = false
		if l.send.ticking {
			l.send.resync()
		}
		return
	}
	ts, first := l.send.tick(now)
	switch {
	case l.dial.on:
		t.press(l, ts, now)
	case l.player.on:
		t.playFrame(l, ts, first, now)
	default:
		if p := l.hearing.tick(); p != nil {
			t.speak(l, p, ts, first || l.hearing.gap, now)
			l.hearing.gap = false
		} else {
			l.hearing.gap = true
		}
	}
	due := l.pace.due + frameTime
	if due < now-10*frameTime { // we were held up: do not send it all at once
		due = now + frameTime
	}
	t.timers.set(&l.pace, due)
}

func (t *thread) playFrame(l *leg, ts uint32, first bool, now int64) {
	p := &l.player
	if p.at == len(p.frames) {
		if !p.loop || len(p.frames) == 0 {
			t.e.emit(roamline.Played{At: roamline.At{Time: t.e.wall(now)}, Leg: l.id, Prompt: p.prompt})
			l.player = player{}
			l.send.resync()
			return
		}
		p.at = 0
	}
	t.speak(l, p.frames[p.at], ts, first || p.at == 0 && l.send.packets == 0, now)
	p.at++
}

// speak sends a payload that was made here.
func (t *thread) speak(l *leg, payload []byte, ts uint32, marker bool, now int64) {
	if !l.open() || len(payload) > maxPacket-rtpHeaderLen {
		return
	}
	h := rtpHeader{payload: l.media.Codec.Payload, marker: marker}
	t.sendMade(l, &h, payload, ts, now)
}

func (t *thread) sendMade(l *leg, h *rtpHeader, payload []byte, ts uint32, now int64) {
	l.send.made(h, ts, now)
	p := t.plain[:rtpHeaderLen]
	putHeader(p, h)
	t.sendRTP(l, append(p, payload...))
}
