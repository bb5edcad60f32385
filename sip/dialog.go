package sip

import (
	"strings"

	"github.com/emiago/sipgo/sip"
)

// A dialogKey finds the leg of a request: our tag is never given twice.
type dialogKey struct{ callID, localTag string }

// A dialog is what two user agents know of each other (RFC 3261 section 12).
type dialog struct {
	callID    string
	us        sip.FromHeader // with our tag
	them      sip.ToHeader   // with theirs, once known
	target    sip.Uri        // where they want their requests
	routes    []sip.Uri      // the route set, first hop first
	localSeq  uint32
	remoteSeq uint32
	contact   sip.Uri // where we want ours
	at        site
	flow      *flow // the way it was set up
}

func (g *dialog) localTag() string  { return tagOf(&g.us) }
func (g *dialog) remoteTag() string { return tagOf(&g.them) }

// answered completes g from a response to our INVITE (RFC 3261 section 12.1.2).
func (g *dialog) answered(res *sip.Response) {
	g.them = *sip.HeaderClone(res.To()).(*sip.ToHeader)
	if c := res.Contact(); c != nil {
		g.target = *c.Address.Clone()
	}
	g.routes = nil
	for _, h := range res.GetHeaders("Record-Route") {
		if r, ok := h.(*sip.RecordRouteHeader); ok {
			g.routes = append([]sip.Uri{*r.Address.Clone()}, g.routes...)
		}
	}
}

// offered makes the dialog of an INVITE that arrived (RFC 3261 section 12.1.1).
// An INVITE of RFC 2543 may have no Contact; its From stands in.
func offered(req *sip.Request, in *flow, tag string) dialog {
	g := dialog{callID: req.CallID().Value(), remoteSeq: req.CSeq().SeqNo, flow: in}
	g.us = req.To().AsFrom()
	g.us.Params.Remove("tag")
	g.us.Params.Add("tag", tag)
	g.them = req.From().AsTo()
	g.target = *g.them.Address.Clone()
	if c := req.Contact(); c != nil {
		g.target = *c.Address.Clone()
	}
	for _, h := range req.GetHeaders("Record-Route") {
		if r, ok := h.(*sip.RecordRouteHeader); ok {
			g.routes = append(g.routes, *r.Address.Clone())
		}
	}
	return g
}

// refresh takes a new target from a re-INVITE, an UPDATE or their responses
// (RFC 3261 section 12.2).
func (g *dialog) refresh(msg interface{ Contact() *sip.ContactHeader }) {
	if c := msg.Contact(); c != nil && !c.Address.Wildcard && c.Address.Host != "" {
		g.target = *c.Address.Clone()
	}
}

// request builds the next request within the dialog (RFC 3261 section
// 12.2.1.1). ACK and CANCEL take the number of their INVITE.
func (d *Door) within(g *dialog, method sip.RequestMethod, f *flow) *sip.Request {
	target, routes := g.target, g.routes
	if len(routes) > 0 && !routes[0].UriParams.Has("lr") { // a strict router
		target, routes = routes[0], append(append([]sip.Uri{}, routes[1:]...), g.target)
	}
	req := d.newRequest(method, target, f, g.at)
	for _, r := range routes {
		req.AppendHeader(&sip.RouteHeader{Address: *r.Clone()})
	}
	req.AppendHeader(sip.HeaderClone(&g.us))
	req.AppendHeader(sip.HeaderClone(&g.them))
	id := sip.CallIDHeader(g.callID)
	req.AppendHeader(&id)
	if method != sip.ACK && method != sip.CANCEL {
		g.localSeq++
	}
	req.AppendHeader(&sip.CSeqHeader{SeqNo: g.localSeq, MethodName: method})
	if method == sip.INVITE || method == sip.UPDATE {
		req.AppendHeader(&sip.ContactHeader{Address: *g.contact.Clone()})
		req.AppendHeader(sip.NewHeader("Allow", allowed))
	}
	return req
}

// hop is where a request within the dialog goes next: the first route, or the
// target (RFC 3261 section 8.1.2).
func (g *dialog) hop() sip.Uri {
	if len(g.routes) > 0 {
		return g.routes[0]
	}
	return g.target
}

// way returns the flow for a request within the dialog. To a client it is the
// flow that the client is at, whatever its Contact says: ".invalid" in browsers
// (RFC 7118 section 5), a private address behind NAT. To a trunk it is the next
// hop's address; the connection that is open serves as long as it is, and so
// does the address that the dialog came by where the hop is a name, or an
// address that can't be reached from here.
func (d *Door) way(g *dialog, p peer) *flow {
	f := g.flow
	if p.client != "" || f.stream() && !f.closed() {
		return f
	}
	hop := g.hop()
	a, transport := addrOf(hop.Host), f.transport
	if t, ok := hop.UriParams.Get("transport"); ok {
		transport = strings.ToLower(t)
	}
	if hop.Scheme == "sips" {
		transport = "tls"
	}
	if !a.IsValid() || a.IsUnspecified() || a.IsPrivate() && !f.remote.Addr().IsPrivate() && !f.remote.Addr().IsLoopback() ||
		a.IsLoopback() && !f.remote.Addr().IsLoopback() {
		a = f.remote.Addr()
		if f.transport == transport && transport == "udp" {
			return f
		}
	}
	if to := d.flowTo(transport, netipPort(a, hop.Port, transport), hop.Host); to != nil {
		return to
	}
	return f
}
