package offer

import (
	"errors"
	"fmt"
	"strings"

	"github.com/roamline/roamline"
)

// A Session is one leg's side of its SDP negotiation, from the first offer to
// the last re-offer. The zero value with Local set is ready. It is not safe for
// concurrent use: the owner of the leg's call owns it.
//
// Local may be changed between negotiations (new ICE credentials, another
// address). ID and Version are those of our o= line (RFC 8866 section 5.2); with
// them a Session can be taken up again elsewhere without surprising the far end.
type Session struct {
	Local   roamline.Endpoint
	ID      uint64 // sess-id; constant
	Version uint64 // sess-version of the description sent last; 0: none yet

	lines   []line           // m= lines of the session, which only ever get more
	at      int              // which of them is the voice
	bundle  bool             // the voice's mid is in a BUNDLE group (RFC 9143)
	numbers map[format]uint8 // payload types in our descriptions; they never change meaning
	offered *description     // what we offered last, as read back; nil: nothing
	dir     roamline.Direction
	agreed  roamline.Media // zero until the first agreement
	sent    string         // the description sent last, without its o= line
}

// A line is what must be repeated of an m= line that is refused.
type line struct {
	kind, proto string
	format      string // the first of its formats: one must stand there (RFC 3264 section 6)
	mid         string // empty: none
}

type format struct {
	name string // lower case
	rate int
}

// New returns the Session of a leg whose voice is received at local. The id
// goes into the o= line and should be random; it is cut to 62 bits, as
// RFC 8829 section 5.2.1 wants it.
func New(local roamline.Endpoint, id uint64) *Session {
	return &Session{Local: local, ID: id &^ (3 << 62)}
}

// known are the speech codecs that the server can turn into sound.
var known = []roamline.Codec{roamline.Opus, roamline.PCMA, roamline.PCMU}

// Codecs returns what an offer holds, so that the voice can be opened before
// the answer is made: the formats of the stream that Answer would take, in the
// offerer's order and with its payload types, telephone-event among them; how
// it wants to travel; and what would flow, seen from the server.
//
// Errors: Invalid if it can't be read; Incompatibility if it holds no audio or
// none that travels in a way that the server knows.
func Codecs(sdp []byte) ([]roamline.Codec, roamline.Transport, roamline.Direction, error) {
	const op = "offer.Codecs"
	d, err := parse(sdp)
	if err != nil {
		return nil, "", "", failure(op, roamline.Invalid, err)
	}
	reason := errors.New("no audio stream")
	for i := range d.streams {
		st := &d.streams[i]
		if !st.audio() {
			continue
		}
		t := d.transport(st)
		if t == roamline.AnyKind {
			reason = fmt.Errorf("unknown transport %.40q", st.proto)
			continue
		}
		var out []roamline.Codec
		for _, c := range st.codecs() {
			if c.Name != "" {
				out = append(out, c)
			}
		}
		return out, t, d.direction(st).Reverse(), nil
	}
	return nil, "", "", failure(op, roamline.Incompatibility, reason)
}

// audio reports whether a stream is one of voice and is not switched off.
func (st *stream) audio() bool { return strings.EqualFold(st.kind, "audio") && st.port != 0 }

// Offer returns our offer, or re-offer: the speech codecs in the order given
// (all that the server knows if there is none), each with the telephone-event
// of its clock. Payload types that the session used already keep their meaning
// (RFC 3264 section 8.3.2). Accept takes the answer.
func (s *Session) Offer(codecs []roamline.Codec, dir roamline.Direction) []byte {
	dir = direction(sends(dir), receives(dir))
	if len(s.lines) == 0 {
		s.lines, s.at = []line{{kind: "audio"}}, 0
		if s.transport() == roamline.DTLS {
			s.lines[0].mid, s.bundle = "0", true
		}
	}
	voice := &s.lines[s.at]
	if !fits(voice.proto, s.transport()) {
		voice.proto = string(s.transport())
	}
	list := s.assign(codecs)
	text := s.describe(stated{
		offer: true, codecs: list, dir: dir, mux: true, rsize: s.transport() == roamline.DTLS,
		setup: "actpass", keys: s.keys(),
	})
	s.dir = dir
	s.offered, _ = parse(text) // what we wrote, we can read
	return text
}

// Accept takes the answer to our last Offer and returns what is agreed. The
// same answer may come again (183, then 200).
//
// Errors: Invalid if it can't be read or isn't an answer to the offer;
// Incompatibility if the voice was refused. The session then stays as it was.
func (s *Session) Accept(answer []byte) (roamline.Media, error) {
	const op = "offer.Accept"
	if s.offered == nil {
		return roamline.Media{}, failure(op, roamline.Internal, errors.New("nothing was offered"))
	}
	d, err := parse(answer)
	if err != nil {
		return roamline.Media{}, failure(op, roamline.Invalid, err)
	}
	if len(d.streams) <= s.at || !strings.EqualFold(d.streams[s.at].kind, "audio") {
		return roamline.Media{}, failure(op, roamline.Invalid, errors.New("answer lacks the stream offered"))
	}
	st := &d.streams[s.at]
	if st.port == 0 {
		return roamline.Media{}, failure(op, roamline.Incompatibility, errors.New("voice refused"))
	}
	m := roamline.Media{Transport: s.transport(), Direction: within(s.dir, d.direction(st))}
	if !s.matches(d, st) {
		err := fmt.Errorf("answered with transport %.40q", st.proto)
		return roamline.Media{}, failure(op, roamline.Incompatibility, err)
	}
	ours := s.offered.streams[s.at].codecs()
	theirs := named(st.codecs(), ours)
	if !pick(&m, theirs, ours) {
		return roamline.Media{}, failure(op, roamline.Incompatibility, errors.New("no codec of the offer in the answer"))
	}
	m.Ptime = d.ptime(st, m.Codec)
	if err := d.remote(st, &m); err != nil {
		return roamline.Media{}, failure(op, roamline.Incompatibility, err)
	}
	switch m.Transport {
	case roamline.DTLS:
		if err := d.secure(st, &m); err != nil {
			return roamline.Media{}, failure(op, roamline.Incompatibility, err)
		}
		// RFC 5763 section 5: the answer is active or passive; RFC 4145
		// section 4: passive is what silence means.
		switch v, ok := d.value(st, "setup"); {
		case !ok, strings.EqualFold(v, "passive"):
			m.Active = true
		case !strings.EqualFold(v, "active"):
			err := fmt.Errorf("answered with setup %.20q", v)
			return roamline.Media{}, failure(op, roamline.Invalid, err)
		}
	case roamline.SDES:
		var ok bool
		if m.Send, m.Recv, ok = agreedCrypto(st, s.keys()); !ok {
			return roamline.Media{}, failure(op, roamline.Incompatibility, errors.New("no key of an offered suite in the answer"))
		}
	}
	s.agreed = m
	return m, nil
}

// Answer answers an offer: one speech codec, the first of prefer that the
// offer has, else the first of the offer that the server knows; with it the
// telephone-event of its clock, if offered. What flows is dir, narrowed to what
// the offer allows. All streams but one are refused.
//
// Errors: Invalid if the offer can't be read; Incompatibility if it holds no
// audio that travels as Local does, or no codec in common. The session then
// stays as it was (RFC 3261 section 14.2).
func (s *Session) Answer(offer []byte, prefer []roamline.Codec, dir roamline.Direction) (sdp []byte, m roamline.Media, err error) {
	const op = "offer.Answer"
	d, err := parse(offer)
	if err != nil {
		return nil, roamline.Media{}, failure(op, roamline.Invalid, err)
	}
	reason := errors.New("no audio stream")
	for i := range d.streams {
		st := &d.streams[i]
		if !st.audio() {
			continue
		}
		m, err := s.consider(d, st, prefer, dir)
		if err != nil {
			reason = err
			continue
		}
		return s.settle(d, i, m), m, nil
	}
	return nil, roamline.Media{}, failure(op, roamline.Incompatibility, reason)
}

// consider finds out what would be agreed if st were the voice.
func (s *Session) consider(d *description, st *stream, prefer []roamline.Codec, dir roamline.Direction) (roamline.Media, error) {
	m := roamline.Media{Transport: s.transport(), Direction: within(dir, d.direction(st))}
	if !s.matches(d, st) {
		return m, fmt.Errorf("transport %.40q where the leg has %s", st.proto, s.transport())
	}
	theirs := st.codecs()
	if !pick(&m, prefer, theirs) && !pick(&m, theirs, known) {
		return m, errors.New("no common codec")
	}
	m.Receive, m.ReceiveTE = 0, 0
	for _, c := range theirs { // an answer uses the offerer's numbers
		if same(c, m.Codec) {
			m.Codec.Payload, m.Codec.Fmtp, m.Receive = c.Payload, c.Fmtp, c.Payload
			break
		}
	}
	if m.DTMF = event(theirs, m.Codec.Rate); m.DTMF != nil {
		m.ReceiveTE = m.DTMF.Payload
	}
	m.Ptime = d.ptime(st, m.Codec)
	if err := d.remote(st, &m); err != nil {
		return m, err
	}
	switch m.Transport {
	case roamline.DTLS:
		if err := d.secure(st, &m); err != nil {
			return m, err
		}
		return m, s.role(d, st, &m)
	case roamline.SDES:
		var ok bool
		if m.Send, m.Recv, ok = chosenCrypto(st, s.Local.Keys); !ok {
			return m, errors.New("no key of a suite in common")
		}
	}
	return m, nil
}

// role decides who sends the DTLS ClientHello when we answer: the far end
// wherever it can (RFC 5763 section 5 lets us choose; the server is the passive
// side). A re-offer of the same certificate keeps the association and its roles
// (RFC 8842 section 5.3).
func (s *Session) role(d *description, st *stream, m *roamline.Media) error {
	v, ok := d.value(st, "setup")
	switch {
	case !ok, strings.EqualFold(v, "active"):
	case strings.EqualFold(v, "actpass"):
		m.Active = s.agreed.Active && s.agreed.Fingerprint == m.Fingerprint
	case strings.EqualFold(v, "passive"):
		m.Active = true
	default:
		return fmt.Errorf("setup %.20q", v)
	}
	return nil
}

// settle makes stream i of the offer the voice and writes the answer.
func (s *Session) settle(d *description, i int, m roamline.Media) []byte {
	s.at, s.lines = i, s.lines[:0]
	for k := range d.streams {
		st := &d.streams[k]
		ln := line{kind: st.kind, proto: st.proto, format: "0"}
		if len(st.formats) > 0 {
			ln.format = st.formats[0]
		}
		if mid, _ := st.value("mid"); token(mid) {
			ln.mid = mid
		}
		s.lines = append(s.lines, ln)
	}
	st := &d.streams[i]
	s.bundle = d.bundled(s.lines[i].mid)
	list := []roamline.Codec{m.Codec}
	s.number(m.Codec)
	if m.DTMF != nil {
		list = append(list, *m.DTMF)
		s.number(*m.DTMF)
	}
	a := stated{codecs: list, dir: m.Direction, mux: m.Mux, setup: "passive",
		rsize: m.Transport == roamline.DTLS && d.has(st, "rtcp-rsize")}
	if m.Active {
		a.setup = "active"
	}
	if m.Transport == roamline.SDES {
		a.keys = []roamline.CryptoKey{m.Send}
	}
	s.dir, s.agreed, s.offered = m.Direction, m, nil
	return s.describe(a)
}

// bundled reports whether a BUNDLE group of the session names mid.
func (d *description) bundled(mid string) bool {
	if mid == "" {
		return false
	}
	for v := range d.all("group") {
		f := strings.Fields(v)
		if len(f) == 0 || !strings.EqualFold(f[0], "BUNDLE") {
			continue
		}
		for _, m := range f[1:] {
			if m == mid {
				return true
			}
		}
	}
	return false
}

// pick sets m's formats: the first speech codec of ordered that is in other
// too. Ordered gives what we send, other what we receive.
func pick(m *roamline.Media, ordered, other []roamline.Codec) bool {
	for _, c := range ordered {
		if !speech(c) {
			continue
		}
		for _, o := range other {
			if !same(c, o) {
				continue
			}
			m.Codec, m.Receive = canonical(c), o.Payload
			if te := event(ordered, c.Rate); te != nil {
				if our := event(other, c.Rate); our != nil {
					m.DTMF, m.ReceiveTE = te, our.Payload
				}
			}
			return true
		}
	}
	return false
}

// canonical writes a codec's name and channels as the root package does.
func canonical(c roamline.Codec) roamline.Codec {
	for _, k := range [...]roamline.Codec{roamline.Opus, roamline.PCMA, roamline.PCMU, static[9]} {
		if same(c, k) {
			c.Name, c.Channels = k.Name, k.Channels
		}
	}
	return c
}

// named gives the formats of an answer that came without an rtpmap the meaning
// that the offer gave to their numbers.
func named(answer, offer []roamline.Codec) []roamline.Codec {
	for i, c := range answer {
		for _, o := range offer {
			if c.Name == "" && o.Payload == c.Payload {
				answer[i] = o
			}
		}
	}
	return answer
}

// matches reports whether a stream travels as the leg does. RTP/AVP with keys
// is what peers write that would rather have SRTP but do not insist.
func (s *Session) matches(d *description, st *stream) bool {
	t := d.transport(st)
	if t == s.transport() {
		return true
	}
	_, keys := st.value("crypto")
	return s.transport() == roamline.SDES && t == roamline.RTP && keys
}

// fits reports whether an m= line's transport can carry t.
func fits(proto string, t roamline.Transport) bool {
	switch strings.ToUpper(proto) {
	case "RTP/AVP", "RTP/AVPF":
		return t == roamline.RTP || t == roamline.SDES
	case "RTP/SAVP", "RTP/SAVPF":
		return t == roamline.SDES || t == roamline.DTLS
	case "UDP/TLS/RTP/SAVP", "UDP/TLS/RTP/SAVPF":
		return t == roamline.DTLS
	}
	return false
}

// transport returns how the leg's voice travels.
func (s *Session) transport() roamline.Transport {
	if s.Local.Transport == roamline.AnyKind {
		return roamline.RTP
	}
	return s.Local.Transport
}

// failure wraps a reason; an *Error within keeps its kind.
func failure(op string, kind roamline.Kind, err error) error {
	var e *roamline.Error
	if errors.As(err, &e) {
		return &roamline.Error{Op: op, Kind: e.Kind, Err: e.Err}
	}
	return &roamline.Error{Op: op, Kind: kind, Err: err}
}
