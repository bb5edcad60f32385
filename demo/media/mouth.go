package media

import (
	"encoding/binary"
	"strings"
	"time"

	"github.com/pion/rtp"

	"github.com/roamline/roamline/demo/pcm"
)

// mostEcho bounds the sound that waits to be sent back, in samples.
const mostEcho = 2 * pcm.Rate

// A mouth says what is sent next. Its session's lock guards it.
type mouth struct {
	sequence  uint16
	timestamp uint32 // in samples of 8 kHz; scaled when sent
	offset    uint32
	packets   uint64
	octets    uint64
	playing   *Playback
	echo      bool
	back      []int16
	keys      []byte // digits to be dialled
	step      int    // of the first of them
	eventTime uint32
	marked    bool
}

func newMouth(seed []byte) mouth {
	return mouth{sequence: binary.BigEndian.Uint16(seed), offset: binary.BigEndian.Uint32(seed[2:])}
}

// A Playback is a sound that is being played.
type Playback struct {
	source pcm.Source
	done   chan struct{}
	began  time.Time
	s      *Session
}

// Done is closed when the sound has been sent, was replaced, or the session closed.
func (p *Playback) Done() <-chan struct{} { return p.done }

// Began returns when its first packet was sent; zero if none was.
func (p *Playback) Began() time.Time {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	return p.began
}

// Play sends sound from now on, instead of what was played before; silence
// follows it. A nil source is silence.
func (s *Session) Play(src pcm.Source) *Playback {
	p := &Playback{source: src, done: make(chan struct{}), s: s}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mouth.stop()
	s.mouth.echo = false
	select {
	case <-s.done:
		close(p.done)
		return p
	default:
	}
	if src == nil {
		close(p.done)
		return p
	}
	s.mouth.playing = p
	return p
}

// Echo sends back what is heard, later by at least delay (a second at most),
// instead of what was played before.
func (s *Session) Echo(delay time.Duration) {
	s.Play(nil)
	s.mu.Lock()
	s.mouth.echo = true
	s.mouth.back = pcm.Silence(min(delay, time.Second))
	s.mu.Unlock()
}

// Dial sends keys ("0-9*#A-D") as events (RFC 4733), 160 ms each with 80 ms
// between; false if the far end agreed to none, or a key is none.
func (s *Session) Dial(dialled string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.events == nil || len(s.mouth.keys)+len(dialled) > 64 {
		return false
	}
	for _, k := range []byte(dialled) {
		if strings.IndexByte(keys, k) < 0 {
			return false
		}
	}
	s.mouth.keys = append(s.mouth.keys, dialled...)
	return true
}

func (m *mouth) stop() {
	if m.playing != nil {
		close(m.playing.done)
		m.playing = nil
	}
}

func (m *mouth) repeat(sound []int16) {
	if len(m.back)+len(sound) <= mostEcho {
		m.back = append(m.back, sound...)
	}
}

// fill gives the next frame.
func (m *mouth) fill(frame []int16, at time.Time) {
	clear(frame)
	switch {
	case m.echo:
		n := copy(frame, m.back)
		m.back = m.back[n:]
	case m.playing != nil:
		if m.playing.began.IsZero() {
			m.playing.began = at
		}
		if !m.playing.source.Fill(frame) {
			m.stop()
		}
	}
}

// speak sends a packet every 20 ms once the path is ready.
func (s *Session) speak() {
	for _, wait := range []<-chan struct{}{s.settled, s.path.ready()} {
		select {
		case <-wait:
		case <-s.done:
			return
		}
	}
	const tick = 20 * time.Millisecond
	next := time.Now()
	reportAt := next.Add(time.Second)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
		case <-s.done:
			return
		}
		now := time.Now()
		skipped := uint32(0)
		if late := now.Sub(next); late > 10*tick { // the machine slept: the clock goes on without us
			skipped = uint32(late / tick)
			next = next.Add(time.Duration(skipped) * tick)
		}
		s.packet(skipped, now)
		if now.After(reportAt) {
			reportAt = now.Add(5 * time.Second)
			s.sendReport(now)
		}
		next = next.Add(tick)
		timer.Reset(time.Until(next))
	}
}

// packet sends what is due.
func (s *Session) packet(skipped uint32, now time.Time) {
	s.mu.Lock()
	m := &s.mouth
	m.timestamp += skipped * pcm.Frame
	if dir := answerTo(s.far, s.direction); dir != SendRecv && dir != SendOnly {
		m.timestamp += pcm.Frame
		m.marked = false
		s.mu.Unlock()
		return
	}
	var out [][]byte
	if len(m.keys) > 0 && s.events != nil {
		out = m.dial(s)
	} else {
		frame := make([]int16, pcm.Frame)
		m.fill(frame, now)
		if payload, err := s.coders[s.send.payload].encode(frame); err == nil {
			out = append(out, m.pack(s, s.send, m.timestamp, !m.marked, payload))
			m.marked = true
		}
	}
	m.timestamp += pcm.Frame
	s.mu.Unlock()
	for _, p := range out {
		if err := s.path.send(p, false); err != nil {
			s.log.Debug("packet not sent", "error", err)
		}
	}
}

func (m *mouth) pack(s *Session, f format, timestamp uint32, marker bool, payload []byte) []byte {
	p := rtp.Packet{Header: rtp.Header{Version: 2, Marker: marker, PayloadType: f.payload, SequenceNumber: m.sequence,
		Timestamp: (m.offset + timestamp) * f.step(), SSRC: s.ssrc}, Payload: payload}
	m.sequence++
	m.packets++
	m.octets += uint64(len(payload))
	raw, err := p.Marshal()
	if err != nil {
		return nil
	}
	return raw
}

// dial gives the next packets of the first key: eight of 20 ms, the last three
// times with its end bit (RFC 4733 section 2.5.1.4), and four of nothing.
func (m *mouth) dial(s *Session) (out [][]byte) {
	const held, gap = 8, 4
	if m.step == 0 {
		m.eventTime = m.timestamp
	}
	m.step++
	f := *s.events
	duration := uint16(uint32(min(m.step, held)*pcm.Frame) * f.step())
	switch {
	case m.step < held:
		out = append(out, m.pack(s, f, m.eventTime, m.step == 1, event(m.keys[0], false, duration)))
	case m.step == held:
		for range 3 {
			out = append(out, m.pack(s, f, m.eventTime, false, event(m.keys[0], true, duration)))
		}
	case m.step >= held+gap:
		m.keys, m.step = m.keys[1:], 0
	}
	return out
}
