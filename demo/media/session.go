package media

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/pion/rtp"

	"github.com/roamline/roamline/demo/pcm"
)

// Options of a session.
type Options struct {
	Secure bool       // ICE and DTLS-SRTP instead of plain RTP, or
	SDES   bool       // SRTP with keys in the description (RFC 4568)
	Codecs []string   // "PCMU", "PCMA", "opus" in order; empty: PCMU, PCMA
	Host   netip.Addr // the address to bind to and to announce
	Log    *slog.Logger
}

// A Session is one end of a call's voice. All its methods may be called at any
// time from any goroutine.
type Session struct {
	log      *slog.Logger
	path     path
	offered  []format
	done     chan struct{}
	once     sync.Once
	workers  sync.WaitGroup
	ssrc     uint32
	cname    string
	origin   uint64
	settled  chan struct{} // closed when formats are agreed for the first time
	settling sync.Once

	mu        sync.Mutex
	version   int
	direction string // ours
	far       string // theirs
	lastAddr  netip.AddrPort
	mid       string
	formats   []format // agreed: all that may arrive
	send      format
	events    *format
	coders    map[uint8]coder
	sources   []uint32 // the far end's declared SSRCs; empty: any
	ear       ear
	mouth     mouth
	report    report
	changed   chan struct{} // closed when something was heard or agreed, then made anew
}

// Open opens the ports of a session. Close frees them.
func Open(o Options) (*Session, error) {
	f, err := formats(o.Codecs)
	if err != nil {
		return nil, err
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	var seed [24]byte
	rand.Read(seed[:])
	s := &Session{log: o.Log, offered: f, done: make(chan struct{}), settled: make(chan struct{}), changed: make(chan struct{}),
		ssrc: binary.BigEndian.Uint32(seed[:]), cname: hex.EncodeToString(seed[4:12]), origin: uint64(binary.BigEndian.Uint32(seed[12:])),
		direction: SendRecv, far: SendRecv, coders: map[uint8]coder{}, mid: "0"}
	s.mouth = newMouth(seed[16:])
	switch {
	case o.Secure:
		s.path, err = openSecure(o.Host, s.take, s.alien)
	case o.SDES:
		s.path, err = openPlain(o.Host, newSDES(), s.take, s.alien)
	default:
		s.path, err = openPlain(o.Host, nil, s.take, s.alien)
	}
	if err != nil {
		return nil, err
	}
	s.workers.Go(s.speak)
	return s, nil
}

// Close frees the ports and ends the goroutines. What was heard stays.
func (s *Session) Close() {
	s.once.Do(func() {
		close(s.done)
		s.path.close()
		s.mu.Lock()
		s.mouth.stop()
		s.mu.Unlock()
	})
	s.workers.Wait()
}

// Done is closed when the session is.
func (s *Session) Done() <-chan struct{} { return s.done }

// Ready is closed when the voice can be sent: the far end is known and, where
// secure, ICE and DTLS have succeeded.
func (s *Session) Ready() <-chan struct{} { return s.path.ready() }

// Broken returns why the voice never came up: ICE, DTLS or the fingerprint; nil
// as long as it still may.
func (s *Session) Broken() error { return s.path.broken() }

// Offer describes the session anew, with everything that it can do; direction
// is ours.
func (s *Session) Offer(direction string) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.direction = direction
	d := s.describe(true)
	d.formats = slices.Clone(s.offered)
	for i, f := range d.formats { // a payload type once agreed stays (RFC 3264 section 8.3.2)
		for _, g := range s.formats {
			if g.is(f) {
				d.formats[i].payload = g.payload
			}
		}
	}
	return []byte(d.String())
}

func (s *Session) describe(offer bool) description {
	s.version++
	d := description{origin: s.origin, version: s.version, direction: s.direction, ssrcs: []uint32{s.ssrc}, cname: s.cname, mid: s.mid}
	s.path.describe(&d, offer)
	return d
}

// ErrIncompatible is an offer without a codec, or with a transport, of ours.
var ErrIncompatible = errors.New("media: no common codec or transport")

// Answer takes an offer and returns the answer to it.
func (s *Session) Answer(offer []byte) ([]byte, error) {
	far, err := parse(offer)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if far.mid != "" {
		s.mid = far.mid
	}
	common := s.common(far.formats)
	if len(common) == 0 {
		return nil, ErrIncompatible
	}
	if err := s.path.connect(far); err != nil {
		return nil, err
	}
	s.agree(far, common)
	d := s.describe(false)
	d.formats = common
	d.direction = answerTo(far.direction, s.direction)
	return []byte(d.String()), nil
}

// answerTo is the direction of an answer (RFC 3264 section 6.1).
func answerTo(theirs, ours string) string {
	send := (theirs == SendRecv || theirs == RecvOnly) && (ours == SendRecv || ours == SendOnly)
	receive := (theirs == SendRecv || theirs == SendOnly) && (ours == SendRecv || ours == RecvOnly)
	switch {
	case send && receive:
		return SendRecv
	case send:
		return SendOnly
	case receive:
		return RecvOnly
	}
	return Inactive
}

// common returns the first of our codecs in their order, with its events.
func (s *Session) common(theirs []format) (out []format) {
	for _, f := range theirs {
		if !f.event() && len(out) == 0 && containsFormat(s.offered, f) {
			out = append(out, f)
		}
	}
	for _, f := range theirs {
		if f.event() && len(out) == 1 && f.rate == out[0].rate && containsFormat(s.offered, f) {
			out = append(out, f)
		}
	}
	return out
}

// Accept takes the answer to our offer.
func (s *Session) Accept(answer []byte) error {
	far, err := parse(answer)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []format
	for _, f := range far.formats {
		if containsFormat(s.offered, f) {
			all = append(all, f)
		}
	}
	if !slices.ContainsFunc(all, func(f format) bool { return !f.event() }) {
		return ErrIncompatible
	}
	if err := s.path.connect(far); err != nil {
		return err
	}
	s.agree(far, all)
	return nil
}

func (s *Session) agree(far description, common []format) {
	s.far, s.sources, s.formats, s.lastAddr, s.events = far.direction, far.ssrcs, common, far.addr, nil
	i := slices.IndexFunc(common, func(f format) bool { return !f.event() })
	s.send = common[i]
	for _, f := range common {
		if f.event() && (s.events == nil || f.rate == s.send.rate) {
			s.events = &f
		}
		if _, have := s.coders[f.payload]; !have && !f.event() {
			if c, err := newCoder(f); err == nil {
				s.coders[f.payload] = c
			}
		}
	}
	s.settling.Do(func() { close(s.settled) })
	s.signal()
}

// signal wakes who waits; the session's lock is held.
func (s *Session) signal() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// alien counts a packet that is not the far end's.
func (s *Session) alien() {
	s.mu.Lock()
	s.ear.foreign++
	s.mu.Unlock()
}

// take is given every packet that the path let through.
func (s *Session) take(packet []byte, rtcp bool, at time.Time) {
	if rtcp {
		s.mu.Lock()
		s.report.take(packet, s.ssrc, at)
		s.mu.Unlock()
		return
	}
	var p rtp.Packet
	if err := p.Unmarshal(packet); err != nil {
		s.alien()
		return
	}
	s.mu.Lock()
	i := slices.IndexFunc(s.formats, func(f format) bool { return f.payload == p.PayloadType })
	if i < 0 || len(s.sources) > 0 && !slices.Contains(s.sources, p.SSRC) {
		s.ear.foreign++
		s.mu.Unlock()
		return
	}
	sound := s.ear.take(&p, s.formats[i], s.coders[p.PayloadType], at)
	if s.mouth.echo && len(sound) > 0 {
		s.mouth.repeat(sound)
	}
	s.signal()
	s.mu.Unlock()
}

// Heard returns all that was heard so far: 8 kHz, at most five minutes, with
// silence where packets were lost.
func (s *Session) Heard() []int16 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.ear.heard)
}

// Pieces returns what was heard packet by packet, in the order of arrival.
func (s *Session) Pieces() []Piece {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ear.pieces()
}

// Arrived returns when sample n of Heard came in; false if its packet never did.
func (s *Session) Arrived(n int) (time.Time, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ear.arrived(n)
}

// Digits returns the keys that the far end pressed.
func (s *Session) Digits() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return string(s.ear.digits)
}

// Codec returns the name of the codec that we send; empty before an answer.
func (s *Session) Codec() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.send.name
}

// FarDirection returns what the far end last said about its direction:
// SendOnly or Inactive mean that we are held.
func (s *Session) FarDirection() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.far
}

// Direction returns ours, as last offered.
func (s *Session) Direction() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.direction
}

// WaitFor waits until ok holds of the session; it is asked again whenever
// something arrived.
func (s *Session) WaitFor(ctx context.Context, what string, ok func() bool) error {
	for {
		s.mu.Lock()
		changed := s.changed
		s.mu.Unlock()
		if ok() {
			return nil
		}
		select {
		case <-changed:
		case <-s.done:
			if ok() {
				return nil
			}
			return fmt.Errorf("media: the call ended before %s", what)
		case <-ctx.Done():
			return fmt.Errorf("media: %s: %w", what, ctx.Err())
		}
	}
}

// WaitTone waits until a tone of hz is heard in what comes in from now on.
func (s *Session) WaitTone(ctx context.Context, hz float64) error {
	from := len(s.Heard())
	return s.WaitFor(ctx, fmt.Sprintf("hearing %.0f Hz", hz), func() bool {
		h := s.Heard()
		return len(h) > from && pcm.Hears(h[from:], hz)
	})
}

// WaitDigits waits until the far end has pressed these keys last.
func (s *Session) WaitDigits(ctx context.Context, keys string) error {
	return s.WaitFor(ctx, "digits "+keys, func() bool { return strings.HasSuffix(s.Digits(), keys) })
}

func isClosed(err error) bool { return errors.Is(err, net.ErrClosed) }

// Level returns how loud the last 200 ms heard are, 0 to 1.
func (s *Session) Level() float64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if time.Since(s.ear.lastAt) > 300*time.Millisecond {
		return 0
	}
	return pcm.Level(s.ear.heard[max(0, len(s.ear.heard)-pcm.Rate/5):])
}
