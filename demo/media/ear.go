package media

import (
	"encoding/binary"
	"strings"
	"time"

	"github.com/pion/rtp"

	"github.com/roamline/roamline/demo/pcm"
)

// What an ear keeps at most: five minutes of sound.
const (
	mostHeard = 5 * 60 * pcm.Rate
	mostGap   = 60 * pcm.Rate
)

// An ear takes RTP packets: it counts them (RFC 3550 appendix A), decodes them
// into one recording at the place that their timestamps say, and reads digits.
// Its session's lock guards it.
type ear struct {
	heard    []int16
	arrivals []arrival
	base     int    // where in heard the timestamp zero lies
	zero     uint32 // the timestamp there
	started  bool
	ssrc     uint32

	first, top uint32 // extended sequence numbers
	received   uint64 // since the source began
	before     uint64 // packets expected of sources before this one
	total      uint64 // packets of all sources
	foreign    uint64
	jitter     float64 // in samples of 8 kHz
	transit    float64
	firstAt    time.Time
	lastAt     time.Time
	longest    time.Duration // between two packets

	digits    []byte
	digitTime uint32
	hasDigit  bool
	lastName  string
}

type arrival struct {
	sample, n int // where its sound is in heard
	at        time.Time
}

// take files one packet of format f, decoded by c (nil for an event).
func (e *ear) take(p *rtp.Packet, f format, c coder, at time.Time) []int16 {
	if e.firstAt.IsZero() {
		e.firstAt = at
	} else {
		e.longest = max(e.longest, at.Sub(e.lastAt))
	}
	e.lastAt = at
	e.total++
	e.count(p, f, at)
	if f.event() {
		e.digit(p)
		return nil
	}
	sound, err := c.decode(p.Payload)
	if err != nil {
		e.foreign++
		return nil
	}
	e.lastName = f.name
	e.file(p, f, sound, at)
	return sound
}

// count follows RFC 3550 appendices A.1, A.3 and A.8.
func (e *ear) count(p *rtp.Packet, f format, at time.Time) {
	if !e.started || p.SSRC != e.ssrc {
		if e.started {
			e.before += e.expected() - min(e.expected(), e.received) // what was lost of the old source
		}
		e.first, e.top, e.received = uint32(p.SequenceNumber), uint32(p.SequenceNumber), 0
		e.transit = 0
	}
	e.received++
	delta := int16(p.SequenceNumber - uint16(e.top))
	if delta > 0 {
		e.top += uint32(delta)
	}
	transit := float64(at.UnixNano())/1e9*pcm.Rate - float64(p.Timestamp)/float64(f.step())
	if e.transit != 0 && !f.event() {
		d := max(transit-e.transit, e.transit-transit)
		if d < mostGap { // not when the timestamp started anew
			e.jitter += (d - e.jitter) / 16
		}
	}
	if !f.event() {
		e.transit = transit
	}
}

func (e *ear) expected() uint64 { return uint64(e.top-e.first) + 1 }

// lost returns how many packets never came.
func (e *ear) lost() uint64 {
	if !e.started {
		return 0
	}
	return e.before + e.expected() - min(e.expected(), e.received)
}

// file puts sound where its timestamp says; a new source or a jump of the clock
// goes on at the end.
func (e *ear) file(p *rtp.Packet, f format, sound []int16, at time.Time) {
	place := e.base + int(int32(p.Timestamp-e.zero))/int(f.step())
	if !e.started || p.SSRC != e.ssrc || place < len(e.heard)-mostGap || place < 0 || place > len(e.heard)+mostGap {
		e.started, e.ssrc = true, p.SSRC
		e.base, e.zero = len(e.heard), p.Timestamp
		place = e.base
	}
	if place+len(sound) > mostHeard {
		return
	}
	for len(e.heard) < place+len(sound) {
		e.heard = append(e.heard, 0)
	}
	copy(e.heard[place:], sound)
	if len(e.arrivals) < 2*mostHeard/pcm.Frame {
		e.arrivals = append(e.arrivals, arrival{place, len(sound), at})
	}
}

// arrived returns when the packet that holds sample n came.
func (e *ear) arrived(n int) (at time.Time, ok bool) {
	nearest := n - 2*pcm.Frame
	for _, a := range e.arrivals {
		if a.sample <= n && a.sample > nearest {
			nearest, at, ok = a.sample, a.at, true
		}
	}
	return at, ok
}

// A Piece is the sound of one packet, as it came.
type Piece struct {
	At    time.Time
	Sound []int16
}

func (e *ear) pieces() (all []Piece) {
	for _, a := range e.arrivals {
		all = append(all, Piece{a.at, append([]int16(nil), e.heard[a.sample:a.sample+a.n]...)})
	}
	return all
}

const keys = "0123456789*#ABCD"

// digit reads an RFC 4733 event: all packets of one event carry one timestamp.
func (e *ear) digit(p *rtp.Packet) {
	if len(p.Payload) < 4 || int(p.Payload[0]) >= len(keys) || len(e.digits) >= 256 {
		return
	}
	if e.hasDigit && e.digitTime == p.Timestamp {
		return
	}
	e.hasDigit, e.digitTime = true, p.Timestamp
	e.digits = append(e.digits, keys[p.Payload[0]])
}

// event is the payload of one packet of a digit's event (RFC 4733 section 2.3).
func event(key byte, end bool, duration uint16) []byte {
	b := []byte{byte(strings.IndexByte(keys, key)), 10, 0, 0} // 10: -10 dBm0
	if end {
		b[1] |= 0x80
	}
	binary.BigEndian.PutUint16(b[2:], duration)
	return b
}
