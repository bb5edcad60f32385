package offer

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/roamline/roamline"
)

// stated is what a description of ours says of the voice, beside Local.
type stated struct {
	offer  bool // not an answer
	codecs []roamline.Codec
	dir    roamline.Direction
	mux    bool
	rsize  bool // reduced-size RTCP (RFC 5506)
	setup  string
	keys   []roamline.CryptoKey
}

// describe writes our description. Its version grows if it differs from the
// one before (RFC 3264 section 8).
func (s *Session) describe(a stated) []byte {
	var b strings.Builder
	l := s.Local
	fmt.Fprintf(&b, "s=-\r\nc=IN %s\r\nt=0 0\r\n", family(l.Addr.Addr()))
	if s.bundle {
		fmt.Fprintf(&b, "a=group:BUNDLE %s\r\n", s.lines[s.at].mid)
	}
	if s.transport() == roamline.DTLS {
		b.WriteString("a=ice-lite\r\na=ice-options:ice2\r\n")
	}
	for i, ln := range s.lines {
		if i == s.at {
			s.voice(&b, a)
			continue
		}
		fmt.Fprintf(&b, "m=%s 0 %s %s\r\n", ln.kind, ln.proto, ln.format)
		if ln.mid != "" {
			fmt.Fprintf(&b, "a=mid:%s\r\n", ln.mid)
		}
	}
	if text := b.String(); text != s.sent {
		s.sent = text
		s.Version++
	}
	return fmt.Appendf(nil, "v=0\r\no=- %d %d IN %s\r\n%s", s.ID, s.Version, family(l.Addr.Addr()), s.sent)
}

// voice writes the m= line that is used, with its attributes.
func (s *Session) voice(b *strings.Builder, a stated) {
	l, ln := s.Local, s.lines[s.at]
	fmt.Fprintf(b, "m=%s %d %s", ln.kind, max(l.Addr.Port(), 1), ln.proto)
	for _, c := range a.codecs {
		fmt.Fprintf(b, " %d", c.Payload)
	}
	b.WriteString("\r\n")
	for _, c := range a.codecs {
		fmt.Fprintf(b, "a=rtpmap:%d %s/%d", c.Payload, c.Name, c.Rate)
		if c.Channels > 1 {
			fmt.Fprintf(b, "/%d", c.Channels)
		}
		b.WriteString("\r\n")
		if f := fmtp(c); f != "" {
			fmt.Fprintf(b, "a=fmtp:%d %s\r\n", c.Payload, f)
		}
	}
	fmt.Fprintf(b, "a=ptime:20\r\na=%s\r\n", a.dir)
	if ln.mid != "" {
		fmt.Fprintf(b, "a=mid:%s\r\n", ln.mid)
	}
	if a.mux {
		b.WriteString("a=rtcp-mux\r\n")
	}
	if a.rsize {
		b.WriteString("a=rtcp-rsize\r\n")
	}
	switch s.transport() {
	case roamline.DTLS:
		s.webrtc(b, a.setup)
		return
	case roamline.SDES:
		for _, k := range a.keys {
			fmt.Fprintf(b, "a=crypto:%s\r\n", formatCrypto(k))
		}
	}
	// RFC 3605: only where it isn't the next port, and if we don't know yet that
	// both travel on one.
	if l.RTCP.IsValid() && (a.offer || !a.mux) && l.RTCP != netip.AddrPortFrom(l.Addr.Addr(), l.Addr.Port()+1) {
		fmt.Fprintf(b, "a=rtcp:%d IN %s\r\n", l.RTCP.Port(), family(l.RTCP.Addr()))
	}
}

// webrtc writes what ICE and DTLS need (RFC 8839, RFC 8122), and the SSRC that
// browsers want declared (RFC 5576, RFC 8830).
func (s *Session) webrtc(b *strings.Builder, setup string) {
	l := s.Local
	if l.CNAME == "" {
		l.CNAME = "roamline"
	}
	fmt.Fprintf(b, "a=ice-ufrag:%s\r\na=ice-pwd:%s\r\na=fingerprint:%s\r\na=setup:%s\r\n", l.Ufrag, l.Pwd, l.Fingerprint, setup)
	seen := []netip.AddrPort{}
	for _, c := range append([]netip.AddrPort{l.Addr}, l.Candidates...) {
		if !c.IsValid() || c.Addr().IsUnspecified() || slices.Contains(seen, c) {
			continue
		}
		// RFC 8445 section 5.1.2.1, host candidate of component 1.
		priority := 126<<24 | (65535-len(seen))<<8 | 255
		seen = append(seen, c)
		fmt.Fprintf(b, "a=candidate:%d 1 udp %d %s %d typ host\r\n", len(seen), priority, c.Addr().Unmap(), c.Port())
	}
	b.WriteString("a=end-of-candidates\r\n")
	fmt.Fprintf(b, "a=msid:roamline voice\r\na=ssrc:%d cname:%s\r\na=ssrc:%d msid:roamline voice\r\n", l.SSRC, l.CNAME, l.SSRC)
}

// family writes an address with its type, as c=, o= and rtcp want it.
func family(a netip.Addr) string {
	a = a.Unmap().WithZone("")
	switch {
	case !a.IsValid():
		return "IP4 0.0.0.0"
	case a.Is4():
		return "IP4 " + a.String()
	}
	return "IP6 " + a.String()
}

// fmtp returns the parameters of what we receive. Opus is asked for without
// "stereo", so it comes in mono (RFC 7587 section 6.1).
func fmtp(c roamline.Codec) string {
	switch {
	case c.Is(roamline.Opus):
		return roamline.Opus.Fmtp
	case strings.EqualFold(c.Name, roamline.DTMF.Name):
		return roamline.DTMF.Fmtp
	case same(c, roamline.PCMU), same(c, roamline.PCMA), strings.ContainsFunc(c.Fmtp, control):
		return ""
	}
	return c.Fmtp
}

// keys returns Local's keys that can be offered, each with a tag.
func (s *Session) keys() []roamline.CryptoKey {
	var out []roamline.CryptoKey
	for i, k := range s.Local.Keys {
		k.Suite = strings.ToUpper(k.Suite)
		if size, ok := suites[k.Suite]; !ok || size != len(k.Key) {
			continue
		}
		if k.Tag == 0 {
			k.Tag = i + 1
		}
		out = append(out, k)
	}
	return out
}

// assign returns the formats of an offer with their payload types: the speech
// codecs in order, then the telephone-event of each clock.
func (s *Session) assign(codecs []roamline.Codec) []roamline.Codec {
	var out []roamline.Codec
	add := func(c roamline.Codec) {
		if slices.ContainsFunc(out, func(o roamline.Codec) bool { return same(o, c) }) {
			return
		}
		if pt, ok := s.payload(c); ok {
			c.Payload = pt
			out = append(out, c)
		}
	}
	if !slices.ContainsFunc(codecs, speech) {
		codecs = known
	}
	for _, c := range codecs {
		if speech(c) {
			add(canonical(c))
		}
	}
	for _, c := range slices.Clone(out) {
		for _, te := range [...]roamline.Codec{roamline.DTMF8, roamline.DTMF} {
			if te.Rate == c.Rate {
				add(te)
			}
		}
	}
	return out
}

// payload returns the number of a format in this session: the one that it had,
// its static one, the one it comes with, or a free dynamic one; false if none
// is left.
func (s *Session) payload(c roamline.Codec) (uint8, bool) {
	if pt, ok := s.numbers[key(c)]; ok {
		return pt, true
	}
	var used [128]bool
	for _, pt := range s.numbers {
		used[pt] = true
	}
	want := c.Payload
	for pt, st := range static {
		if same(st, c) {
			want = pt
		}
	}
	if st, ok := static[want]; want > 127 || used[want] || ok && !same(st, c) || !ok && want < 96 {
		want = 96
		for want < 128 && used[want] {
			want++
		}
		if want == 128 {
			return 0, false
		}
	}
	c.Payload = want
	s.number(c)
	return want, true
}

// number remembers what a payload type means in this session.
func (s *Session) number(c roamline.Codec) {
	if s.numbers == nil {
		s.numbers = map[format]uint8{}
	}
	for k, pt := range s.numbers {
		if pt == c.Payload {
			delete(s.numbers, k)
		}
	}
	s.numbers[key(c)] = c.Payload
}

func key(c roamline.Codec) format { return format{strings.ToLower(c.Name), c.Rate} }
