package offer

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/roamline/roamline"
)

// transport says how a stream wants to travel; AnyKind if the server knows no
// such way. RTP/SAVP without keys in the SDP but with a fingerprint is
// DTLS-SRTP as some peers still write it (RFC 5763 section 8).
func (d *description) transport(st *stream) roamline.Transport {
	switch strings.ToUpper(st.proto) {
	case "RTP/AVP", "RTP/AVPF":
		return roamline.RTP
	case "RTP/SAVP", "RTP/SAVPF":
		if _, ok := st.value("crypto"); !ok && d.has(st, "fingerprint") {
			return roamline.DTLS
		}
		return roamline.SDES
	case "UDP/TLS/RTP/SAVP", "UDP/TLS/RTP/SAVPF":
		return roamline.DTLS
	}
	return roamline.AnyKind
}

// static are the payload types that need no rtpmap (RFC 3551 section 6).
var static = map[uint8]roamline.Codec{
	0:  roamline.PCMU,
	3:  {Name: "GSM", Rate: 8000, Channels: 1, Payload: 3},
	8:  roamline.PCMA,
	9:  {Name: "G722", Rate: 8000, Channels: 1, Payload: 9}, // samples at 16 kHz, clock at 8
	13: {Name: "CN", Rate: 8000, Channels: 1, Payload: 13},
	18: {Name: "G729", Rate: 8000, Channels: 1, Payload: 18},
}

// codecs returns a stream's formats in the order of preference of the m= line.
// Formats without a name (dynamic, no rtpmap) have an empty one.
func (st *stream) codecs() []roamline.Codec {
	var (
		out  []roamline.Codec
		seen [128]bool
	)
	maps := st.byPayload("rtpmap")
	fmtps := st.byPayload("fmtp")
	for _, f := range st.formats {
		n, err := strconv.ParseUint(f, 10, 7)
		if err != nil || seen[n] {
			continue
		}
		seen[n] = true
		pt := uint8(n)
		c, ok := parseMap(maps[pt])
		if !ok {
			c = static[pt]
		}
		c.Payload, c.Fmtp = pt, fmtps[pt]
		out = append(out, c)
	}
	return out
}

// byPayload returns the first value for each payload type of "rtpmap" or
// "fmtp" lines, without the payload type.
func (st *stream) byPayload(key string) map[uint8]string {
	out := map[uint8]string{}
	for v := range st.all(key) {
		pt, rest, _ := strings.Cut(v, " ")
		if n, err := strconv.ParseUint(pt, 10, 7); err == nil && out[uint8(n)] == "" {
			out[uint8(n)] = strings.TrimSpace(rest)
		}
	}
	return out
}

// parseMap reads "opus/48000/2" (RFC 8866 section 6.6).
func parseMap(s string) (roamline.Codec, bool) {
	p := strings.Split(s, "/")
	if len(p) < 2 || p[0] == "" || strings.ContainsAny(p[0], " \t") {
		return roamline.Codec{}, false
	}
	rate, err := strconv.ParseUint(p[1], 10, 31)
	if err != nil || rate == 0 {
		return roamline.Codec{}, false
	}
	c := roamline.Codec{Name: p[0], Rate: int(rate), Channels: 1}
	if len(p) > 2 {
		if n, err := strconv.ParseUint(p[2], 10, 8); err == nil && n > 0 {
			c.Channels = int(n)
		}
	}
	return c, true
}

// same reports whether two formats are one, channels included. RFC 7587
// section 7 writes opus with two whatever is sent, and some peers leave it out.
func same(a, b roamline.Codec) bool {
	return a.Is(b) && (a.Channels == b.Channels || strings.EqualFold(a.Name, roamline.Opus.Name))
}

func speech(c roamline.Codec) bool {
	return c.Name != "" && !strings.EqualFold(c.Name, roamline.DTMF.Name) && !strings.EqualFold(c.Name, "CN")
}

// event returns the telephone-event with the clock of a speech codec (RFC 4733
// section 2.1: the clock of the stream it is part of); nil if there is none.
func event(list []roamline.Codec, rate int) *roamline.Codec {
	for _, c := range list {
		if strings.EqualFold(c.Name, roamline.DTMF.Name) && c.Rate == rate {
			c.Name, c.Channels = roamline.DTMF.Name, 1
			return &c
		}
	}
	return nil
}

// direction returns what flows as the far end sees it. A connection address of
// zeros is the hold of RFC 2543 (RFC 3264 section 8.4), but not with ICE, where
// it only says that no address is known yet (RFC 8840 section 4.1.1).
func (d *description) direction(st *stream) roamline.Direction {
	dir := roamline.SendRecv
levels:
	for _, at := range [...]*section{&st.section, &d.section} {
		for _, a := range at.attrs {
			switch v := roamline.Direction(strings.ToLower(a.key)); v {
			case roamline.SendRecv, roamline.SendOnly, roamline.RecvOnly, roamline.Inactive:
				dir = v
				break levels
			}
		}
	}
	if addr, err := d.addr(st); err == nil && addr.IsUnspecified() && d.transport(st) != roamline.DTLS {
		return direction(sends(dir), false)
	}
	return dir
}

func sends(d roamline.Direction) bool    { return d == roamline.SendRecv || d == roamline.SendOnly }
func receives(d roamline.Direction) bool { return d == roamline.SendRecv || d == roamline.RecvOnly }

func direction(send, receive bool) roamline.Direction {
	switch {
	case send && receive:
		return roamline.SendRecv
	case send:
		return roamline.SendOnly
	case receive:
		return roamline.RecvOnly
	}
	return roamline.Inactive
}

// within returns what of ours the far end's direction allows (RFC 3264 section 6.1).
func within(ours, theirs roamline.Direction) roamline.Direction {
	return direction(sends(ours) && receives(theirs), receives(ours) && sends(theirs))
}

// addr returns the connection address of a stream.
func (d *description) addr(st *stream) (netip.Addr, error) {
	conn := st.conn
	if conn == "" {
		conn = d.conn
	}
	if conn == "" {
		return netip.Addr{}, errors.New("no connection address")
	}
	return parseAddr(conn)
}

// parseAddr reads "IP4 192.0.2.1" or "IP6 2001:db8::1", with a multicast
// scope or without. Names are not looked up: that would be I/O.
func parseAddr(s string) (netip.Addr, error) {
	f := strings.Fields(s)
	if len(f) < 2 {
		return netip.Addr{}, fmt.Errorf("address %.40q", s)
	}
	text, _, _ := strings.Cut(f[1], "/")
	a, err := netip.ParseAddr(text)
	if err != nil || a.Zone() != "" {
		return netip.Addr{}, fmt.Errorf("address %.60q is not a number", f[1])
	}
	return a.Unmap(), nil
}

// remote fills in where a stream's packets go. It is an error if they have to
// go somewhere and that is not a unicast address.
func (d *description) remote(st *stream, m *roamline.Media) error {
	m.Mux = d.has(st, "rtcp-mux")
	a, err := d.addr(st)
	if m.Transport == roamline.DTLS {
		if !m.Mux {
			return errors.New("without rtcp-mux") // one component only, RFC 8858
		}
		if err == nil && !a.IsUnspecified() && st.port != 9 {
			m.Remote = netip.AddrPortFrom(a, st.port)
		} else {
			m.Remote = st.candidate()
		}
		m.RTCP = m.Remote
		return nil
	}
	if err != nil {
		return err
	}
	if a.IsMulticast() || a == netip.AddrFrom4([4]byte{255, 255, 255, 255}) {
		return fmt.Errorf("address %v is not one machine's", a)
	}
	if a.IsUnspecified() {
		return nil // held the old way: nowhere to send
	}
	m.Remote = netip.AddrPortFrom(a, st.port)
	m.RTCP = m.Remote
	if !m.Mux {
		m.RTCP = st.rtcp(m.Remote)
	}
	return nil
}

// rtcp returns where RTCP goes when it has a port of its own: as an attribute
// says (RFC 3605), else the next port. The zero AddrPort: nowhere.
func (st *stream) rtcp(rtp netip.AddrPort) netip.AddrPort {
	if v, ok := st.value("rtcp"); ok {
		port, rest, _ := strings.Cut(v, " ")
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || n == 0 {
			return netip.AddrPort{}
		}
		a := rtp.Addr()
		if in, ok := strings.CutPrefix(rest, "IN "); ok {
			if b, err := parseAddr(in); err == nil && !b.IsUnspecified() && !b.IsMulticast() {
				a = b
			}
		}
		return netip.AddrPortFrom(a, uint16(n))
	}
	if rtp.Port() == 65535 {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(rtp.Addr(), rtp.Port()+1)
}

// candidate returns the first UDP candidate of component 1 that is a number
// (RFC 8839 section 5.1): a hint only, checks prove where the far end is.
func (st *stream) candidate() netip.AddrPort {
	for v := range st.all("candidate") {
		f := strings.Fields(v)
		if len(f) < 8 || f[1] != "1" || !strings.EqualFold(f[2], "udp") {
			continue
		}
		a, err := netip.ParseAddr(f[4])
		n, errPort := strconv.ParseUint(f[5], 10, 16)
		if err == nil && errPort == nil && a.Zone() == "" && !a.IsUnspecified() && n != 0 {
			return netip.AddrPortFrom(a.Unmap(), uint16(n))
		}
	}
	return netip.AddrPort{}
}

// ptime returns how much voice the far end wants in a packet (RFC 8866
// section 6.4): 10, 20, 30, 40 or 60 ms, 20 unless it asks otherwise, and never
// more than its maxptime.
func (d *description) ptime(st *stream, c roamline.Codec) time.Duration {
	want, most := 20, 60
	if v, ok := d.value(st, "ptime"); ok {
		if n, err := strconv.Atoi(v); err == nil && n > 0 {
			want = n
		}
	}
	if v, ok := d.value(st, "maxptime"); ok {
		if n, err := strconv.Atoi(v); err == nil && n > 0 {
			most = n
		}
	}
	want = min(want, most)
	lengths := []int{60, 40, 30, 20}
	if c.Is(roamline.Opus) {
		lengths = []int{60, 40, 20} // RFC 6716 section 2.1.4: it has no 30
	}
	for _, ms := range lengths {
		if want >= ms {
			return time.Duration(ms) * time.Millisecond
		}
	}
	return 10 * time.Millisecond
}
