package voice

import (
	"encoding/binary"
	"strings"
	"time"

	"github.com/roamline/roamline"
)

const (
	keypad      = "0123456789*#ABCD"     // in the order of their events (RFC 4733 section 3.2)
	leastPress  = 100 * time.Millisecond // shorter ones are not understood everywhere
	endPackets  = 3                      // RFC 4733 section 2.5.1.4
	pauseTicks  = 3                      // 60 ms between digits; ITU-T Q.24 asks for less than 70
	maxDigits   = 64                     // that wait at one leg
	eventVolume = 10                     // -10 dBm0 (RFC 4733 section 2.3.4)
)

// A dialer sends digits as telephone-events, one after another.
type dialer struct {
	on     bool
	queue  []press
	ts     uint32 // of the present event
	played int    // its duration so far, in the event's clock
	ends   int    // end packets sent
	pause  int    // ticks of pause to go
}

type press struct {
	event  uint8
	length int // in the event's clock
}

// Dial sends a digit to a leg's far end, after those that wait. A digit takes at
// least 100 ms, and at most what RFC 4733's 16 bits hold. NotFound if the leg
// agreed to no telephone-events, Invalid if there is no such key, Exhausted if
// 64 digits wait.
func (e *Engine) Dial(id roamline.LegID, d roamline.Digit) error {
	const op = "voice.Dial"
	e.mu.Lock()
	defer e.mu.Unlock()
	l, err := e.find(op, id)
	if err != nil {
		return err
	}
	te := l.control.media.DTMF
	if te == nil || !l.control.connected {
		return &roamline.Error{Op: op, Kind: roamline.NotFound, Of: "telephone-event"}
	}
	event := strings.IndexByte(keypad, d.Key)
	if event < 0 {
		return &roamline.Error{Op: op, Kind: roamline.Invalid, Of: "key"}
	}
	length := min(int64(max(d.Duration, leastPress))*int64(te.Rate)/nsPerSecond, 0xffff)
	full := false
	l.control.thread.do(func() {
		t := l.control.thread
		if full = len(l.dial.queue) == maxDigits; full {
			return
		}
		l.dial.queue = append(l.dial.queue, press{uint8(event), int(length)})
		l.dial.on = true
		t.keepPace(l)
	})
	if full {
		return &roamline.Error{Op: op, Kind: roamline.Exhausted, Of: string(id)}
	}
	return nil
}

// press sends what the present digit has for this tick (RFC 4733 section 2.5.1).
func (t *thread) press(l *leg, ts uint32, now int64) {
	d := &l.dial
	if d.pause > 0 {
		d.pause--
		return
	}
	if len(d.queue) == 0 || l.media.DTMF == nil {
		*d = dialer{}
		l.send.resync()
		return
	}
	p := d.queue[0]
	first := d.played == 0
	if first {
		d.ts = ts
	}
	if d.ends == 0 {
		d.played = min(d.played+l.media.DTMF.Rate/50, p.length)
	}
	var b [eventLen]byte
	b[0], b[1] = p.event, eventVolume
	if d.played == p.length {
		b[1] |= 0x80
		d.ends++
	}
	binary.BigEndian.PutUint16(b[2:], uint16(d.played))
	if l.open() {
		h := rtpHeader{payload: l.media.DTMF.Payload, marker: first}
		t.sendMade(l, &h, b[:], d.ts, now)
	}
	if d.ends == endPackets {
		d.queue = append(d.queue[:0], d.queue[1:]...)
		d.played, d.ends, d.pause = 0, 0, pauseTicks
	}
}

// An eventClock gives an event that is relayed between different clocks one
// timestamp of ours.
type eventClock struct {
	in, out uint32
	known   bool
}

// follow sets out for the event of h.
func (c *eventClock) follow(h *rtpHeader, s *sender, now int64) {
	if c.known && h.ts == c.in && !h.marker {
		return
	}
	c.known, c.in = true, h.ts
	if s.ticking {
		c.out = s.tickTS
	} else {
		c.out = s.begin(now)
	}
}

// scaleEvent converts the duration in an event's payload from one clock to
// another; what does not fit is cut.
func scaleEvent(payload []byte, from, to int) {
	if from == to {
		return
	}
	for ; len(payload) >= eventLen; payload = payload[eventLen:] {
		d := int(binary.BigEndian.Uint16(payload[2:]))
		binary.BigEndian.PutUint16(payload[2:], uint16(min(d*to/from, 0xffff)))
	}
}
