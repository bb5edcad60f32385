package media

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/pion/sdp/v3"
)

// Directions of RFC 3264 section 5.1, as our side says them.
const (
	SendRecv = "sendrecv"
	SendOnly = "sendonly"
	RecvOnly = "recvonly"
	Inactive = "inactive"
)

// A description is the audio of an SDP.
type description struct {
	origin    uint64
	version   int
	proto     string // "RTP/AVP" or "UDP/TLS/RTP/SAVPF"
	addr      netip.AddrPort
	rtcp      netip.AddrPort
	mux       bool
	formats   []format
	direction string

	ufrag, pwd  string
	fingerprint string
	setup       string
	mid         string
	candidates  []netip.AddrPort
	ssrcs       []uint32
	cname       string
	crypto      *cryptoKey // of the one suite that we know
}

const secureProto, plainProto, sdesProto = "UDP/TLS/RTP/SAVPF", "RTP/AVP", "RTP/SAVP"

func (d description) String() string {
	var b strings.Builder
	line := func(f string, a ...any) { fmt.Fprintf(&b, f+"\r\n", a...) }
	family := "IP4"
	if d.addr.Addr().Is6() {
		family = "IP6"
	}
	line("v=0")
	line("o=- %d %d IN %s %s", d.origin, d.version, family, d.addr.Addr())
	line("s=-")
	line("c=IN %s %s", family, d.addr.Addr())
	line("t=0 0")
	secure := d.proto == secureProto
	if secure {
		line("a=group:BUNDLE %s", d.mid)
	}
	var payloads strings.Builder
	for _, f := range d.formats {
		fmt.Fprintf(&payloads, " %d", f.payload)
	}
	line("m=audio %d %s%s", d.addr.Port(), d.proto, payloads.String())
	for _, f := range d.formats {
		if f.channels > 1 {
			line("a=rtpmap:%d %s/%d/%d", f.payload, f.name, f.rate, f.channels)
		} else {
			line("a=rtpmap:%d %s/%d", f.payload, f.name, f.rate)
		}
		if f.fmtp != "" {
			line("a=fmtp:%d %s", f.payload, f.fmtp)
		}
	}
	line("a=ptime:20")
	line("a=%s", d.direction)
	if !secure {
		line("a=rtcp:%d", d.rtcp.Port())
		if d.crypto != nil {
			line("a=crypto:%s", d.crypto)
		}
		return b.String()
	}
	line("a=mid:%s", d.mid)
	line("a=rtcp-mux")
	line("a=ice-ufrag:%s", d.ufrag)
	line("a=ice-pwd:%s", d.pwd)
	line("a=fingerprint:%s", d.fingerprint)
	line("a=setup:%s", d.setup)
	for i, c := range d.candidates {
		line("a=candidate:%d 1 udp %d %s %d typ host", i+1, 2130706431-i, c.Addr(), c.Port())
	}
	line("a=end-of-candidates")
	for _, s := range d.ssrcs {
		line("a=ssrc:%d cname:%s", s, d.cname)
	}
	return b.String()
}

var errNoAudio = errors.New("media: the description holds no audio")

// parse reads the first audio description of an SDP.
func parse(raw []byte) (description, error) {
	var s sdp.SessionDescription
	if err := s.Unmarshal(raw); err != nil {
		return description{}, fmt.Errorf("media: SDP: %w", err)
	}
	i := slices.IndexFunc(s.MediaDescriptions, func(m *sdp.MediaDescription) bool {
		return m.MediaName.Media == "audio" && m.MediaName.Port.Value != 0
	})
	if i < 0 {
		return description{}, errNoAudio
	}
	m := s.MediaDescriptions[i]
	get := func(key string) string {
		if v, ok := m.Attribute(key); ok {
			return v
		}
		v, _ := s.Attribute(key)
		return v
	}
	has := func(key string) bool {
		_, here := m.Attribute(key)
		_, above := s.Attribute(key)
		return here || above
	}
	d := description{proto: strings.Join(m.MediaName.Protos, "/"), direction: SendRecv, mux: has("rtcp-mux"),
		ufrag: get("ice-ufrag"), pwd: get("ice-pwd"), fingerprint: get("fingerprint"), setup: get("setup"), mid: get("mid")}
	for _, dir := range []string{SendOnly, RecvOnly, Inactive} {
		if has(dir) {
			d.direction = dir
		}
	}
	c := m.ConnectionInformation
	if c == nil {
		c = s.ConnectionInformation
	}
	if c == nil || c.Address == nil || m.MediaName.Port.Value > 65535 {
		return d, errors.New("media: the SDP says no address")
	}
	ip, err := netip.ParseAddr(c.Address.Address)
	if err != nil {
		return d, fmt.Errorf("media: SDP address: %w", err)
	}
	d.addr = netip.AddrPortFrom(ip, uint16(m.MediaName.Port.Value))
	d.rtcp = netip.AddrPortFrom(ip, d.addr.Port()+1)
	if f := strings.Fields(get("rtcp")); len(f) > 0 {
		if port, err := strconv.ParseUint(f[0], 10, 16); err == nil {
			d.rtcp = netip.AddrPortFrom(ip, uint16(port))
		}
	}
	d.formats = readFormats(m)
	d.readSources(m)
	if len(d.formats) == 0 {
		return d, errNoAudio
	}
	return d, nil
}

func readFormats(m *sdp.MediaDescription) (out []format) {
	for _, text := range m.MediaName.Formats {
		n, err := strconv.ParseUint(text, 10, 7)
		if err != nil {
			continue
		}
		f := format{payload: uint8(n), channels: 1}
		switch n { // static types (RFC 3551 section 6)
		case 0:
			f.name, f.rate = "PCMU", 8000
		case 8:
			f.name, f.rate = "PCMA", 8000
		}
		for _, a := range m.Attributes {
			value, found := strings.CutPrefix(a.Value, text+" ")
			if !found {
				continue
			}
			switch a.Key {
			case "rtpmap":
				part := strings.Split(value, "/")
				if len(part) < 2 {
					continue
				}
				f.name = part[0]
				f.rate, _ = strconv.Atoi(part[1])
				if len(part) > 2 {
					f.channels, _ = strconv.Atoi(part[2])
				}
			case "fmtp":
				f.fmtp = value
			}
		}
		if f.name != "" && f.rate > 0 {
			out = append(out, f)
		}
	}
	return out
}

func (d *description) readSources(m *sdp.MediaDescription) {
	const most = 16
	for _, a := range m.Attributes {
		f := strings.Fields(a.Value)
		switch {
		case a.Key == "ssrc" && len(f) > 0 && len(d.ssrcs) < most:
			if n, err := strconv.ParseUint(f[0], 10, 32); err == nil && !slices.Contains(d.ssrcs, uint32(n)) {
				d.ssrcs = append(d.ssrcs, uint32(n))
			}
		case a.Key == "crypto" && d.crypto == nil:
			d.crypto = readCrypto(a.Value)
		case a.Key == "candidate" && len(f) >= 8 && f[1] == "1" && strings.EqualFold(f[2], "udp") && len(d.candidates) < most:
			ip, err := netip.ParseAddr(f[4])
			port, err2 := strconv.ParseUint(f[5], 10, 16)
			if err == nil && err2 == nil {
				d.candidates = append(d.candidates, netip.AddrPortFrom(ip, uint16(port)))
			}
		}
	}
}
