package sip

import (
	"crypto/rand"
	"encoding/base32"
	"net/netip"
	"strconv"
	"strings"

	"github.com/emiago/sipgo/sip"
)

var lowerBase32 = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// newTag returns 80 random bits (RFC 3261 section 19.3 asks for 32).
func newTag() string {
	var b [10]byte
	rand.Read(b[:])
	return lowerBase32.EncodeToString(b[:])
}

func newBranch() string { return sip.RFC3261BranchMagicCookie + newTag() }

func newCallID() string { return newTag() + newTag() }

// tagged is a From or To header.
type tagged interface{ Value() string }

// tagOf returns the tag of a From or To header; empty if it has none.
func tagOf(h tagged) string {
	var params sip.HeaderParams
	switch h := h.(type) {
	case *sip.FromHeader:
		if h == nil {
			return ""
		}
		params = h.Params
	case *sip.ToHeader:
		if h == nil {
			return ""
		}
		params = h.Params
	}
	for _, kv := range params {
		if strings.EqualFold(kv.K, "tag") {
			return kv.V
		}
	}
	return ""
}

// respondTo builds a response (RFC 3261 section 8.2.6). The tag goes into a To
// that has none, except with 100.
func respondTo(req *sip.Request, in *flow, code int, reason, tag string) *sip.Response {
	res := sip.NewResponse(code, reason)
	for i, h := range req.GetHeaders("Via") {
		v := h.(*sip.ViaHeader).Clone()
		if i == 0 {
			markVia(v, in.remote)
		}
		res.AppendHeader(v)
	}
	if code > 100 && code < 300 && req.Method != sip.REGISTER {
		sip.CopyHeaders("Record-Route", req, res)
	}
	res.AppendHeader(sip.HeaderClone(req.From()))
	to := sip.HeaderClone(req.To()).(*sip.ToHeader)
	if code != sip.StatusTrying && tagOf(to) == "" {
		to.Params.Add("tag", tag)
	}
	res.AppendHeader(to)
	res.AppendHeader(sip.HeaderClone(req.CallID()))
	res.AppendHeader(sip.HeaderClone(req.CSeq()))
	if code == sip.StatusTrying {
		sip.CopyHeaders("Timestamp", req, res)
	}
	return res
}

// markVia writes where a request really came from (RFC 3261 section 18.2.1,
// RFC 3581 section 4).
func markVia(v *sip.ViaHeader, from netip.AddrPort) {
	_, rport := v.Params.Get("rport")
	if rport {
		v.Params.Add("rport", strconv.Itoa(int(from.Port())))
	}
	if rport || addrOf(v.Host) != from.Addr() {
		v.Params.Add("received", from.Addr().String())
	}
}

// replyFlow returns where responses to req go: down the connection it came by,
// or to its source address, at the port of its Via unless that asks for the
// source port (RFC 3261 section 18.2.2, RFC 3581 section 4). No maddr or
// received that the peer wrote is believed.
func (d *Door) replyFlow(req *sip.Request, in *flow) *flow {
	v := req.Via()
	if in.stream() || v == nil {
		return in
	}
	if _, rport := v.Params.Get("rport"); rport {
		return in
	}
	return in.atPort(v.Port)
}

// atPort is the UDP flow to another port of the same peer; 0: the default.
func (f *flow) atPort(port int) *flow {
	if port == 0 {
		port = sip.DefaultUdpPort
	}
	if port < 1 || port > 65535 || uint16(port) == f.remote.Port() {
		return f
	}
	return &flow{door: f.door, transport: f.transport, udp: f.udp, local: f.local, remote: netip.AddrPortFrom(f.remote.Addr(), uint16(port))}
}

// refuseText answers a request that could not be read, from what of it is
// legible (RFC 4475 section 3.1.2). Strangers get no more of these than of
// anything.
func (d *Door) refuseText(f *flow, t *text, flt *fault) {
	d.traceText(f, t, flt)
	if flt.code == 0 || t.start == "" || !t.isRequest() || strings.HasPrefix(t.start, "ACK ") {
		return
	}
	if d.trunks.match(f) == nil && f.whose() == "" && !d.strangers.allow(f.remote.Addr()) {
		return
	}
	b, to := refusalText(f, t, flt)
	if b == "" {
		return
	}
	d.traceRaw(f, b)
	to.send([]byte(b))
}

// refusalText writes the response by hand, without a transaction; empty if
// there is no Via to send it by.
func refusalText(f *flow, t *text, flt *fault) (string, *flow) {
	var b strings.Builder
	b.WriteString("SIP/2.0 " + strconv.Itoa(flt.code) + " " + strings.Map(printable, flt.reason) + "\r\n")
	vias, to := 0, f
	seen := map[string]bool{}
	for _, fd := range t.fields {
		switch fd.name {
		case "via":
			value := fd.value
			if vias++; vias == 1 {
				value, to = topVia(f, value)
			}
			b.WriteString("Via: " + value + "\r\n")
		case "from", "call-id", "cseq", "to":
			if seen[fd.name] {
				continue
			}
			seen[fd.name] = true
			value := fd.value
			if fd.name == "to" && !strings.Contains(value, "tag") {
				value += ";tag=" + newTag()
			}
			b.WriteString(canonicalName(fd.name) + ": " + value + "\r\n")
		}
	}
	if vias == 0 {
		return "", nil
	}
	b.WriteString("Content-Length: 0\r\n\r\n")
	return b.String(), to
}

// topVia marks the first of the values of a Via field, if it can be read, and
// says where the response goes.
func topVia(f *flow, value string) (string, *flow) {
	parts, err := splitOutside(value, ',')
	if err != nil {
		return value, f
	}
	v, err := parseVia(parts[0])
	if err != nil {
		return value, f
	}
	h := sip.ViaHeader{Host: v.host, Port: v.port}
	for _, p := range v.params {
		h.Params.Add(p.name, p.value)
	}
	_, rport := h.Params.Get("rport")
	markVia(&h, f.remote)
	v.params = nil
	for _, kv := range h.Params {
		v.params = append(v.params, param{kv.K, kv.V})
	}
	parts[0] = v.plain()
	to := f
	if !f.stream() && !rport {
		to = f.atPort(v.port)
	}
	return strings.Join(parts, ", "), to
}

func printable(r rune) rune {
	if r < ' ' || r == 0x7f {
		return -1
	}
	return r
}

// newRequest builds a request with what every one has but To, From and CSeq.
func (d *Door) newRequest(method sip.RequestMethod, target sip.Uri, f *flow, at site) *sip.Request {
	req := sip.NewRequest(method, *target.Clone())
	req.AppendHeader(&sip.ViaHeader{ProtocolName: "SIP", ProtocolVersion: "2.0", Transport: viaTransport(f.transport),
		Host: at.host, Port: at.port, Params: sip.HeaderParams{{K: "branch", V: newBranch()}}})
	if !f.stream() {
		req.Via().Params.Add("rport", "")
	}
	hops := sip.MaxForwardsHeader(70)
	req.AppendHeader(&hops)
	req.AppendHeader(sip.NewHeader("User-Agent", d.opt.Agent))
	return req
}

// again copies a request for another try: a new branch and the next CSeq, and
// without the credentials of the last.
func again(req *sip.Request, cseq uint32) *sip.Request {
	next := req.Clone()
	next.Via().Params.Add("branch", newBranch())
	next.CSeq().SeqNo = cseq
	for next.RemoveHeader("Authorization") || next.RemoveHeader("Proxy-Authorization") {
	}
	return next
}

// hasToken reports whether one of a message's headers of that name lists the
// token.
func hasToken(msg sip.Message, name, token string) bool {
	for _, t := range tokens(msg, name) {
		if strings.EqualFold(t, token) {
			return true
		}
	}
	return false
}

// tokens returns what the headers of that name list.
func tokens(msg sip.Message, name string) []string {
	var list []string
	for _, h := range msg.GetHeaders(name) {
		for _, t := range strings.Split(h.Value(), ",") {
			if t = strings.TrimSpace(t); t != "" {
				list = append(list, t)
			}
		}
	}
	return list
}

// header returns the value of the first header of that name; empty if there is
// none.
func header(msg sip.Message, name string) string {
	if hs := msg.GetHeaders(name); len(hs) > 0 {
		return hs[0].Value()
	}
	return ""
}

// number reads a header's number, its parameters aside; -1 if there is none.
func number(msg sip.Message, name string) int {
	v, _, _ := strings.Cut(header(msg, name), ";")
	n, err := strconv.ParseUint(strings.TrimSpace(v), 10, 31)
	if err != nil {
		return -1
	}
	return int(n)
}
