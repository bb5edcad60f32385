package sip

import (
	"context"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"
)

// deliver takes a message that passed check, in the order of its flow.
func (d *Door) deliver(f *flow, t *text) {
	msg, err := t.message()
	if err != nil {
		d.refuseText(f, t, bad("Malformed message"))
		return
	}
	switch m := msg.(type) {
	case *sip.Response:
		d.traceIn(f, m)
		if !d.response(m) {
			d.stray(f, m)
		}
	case *sip.Request:
		// sipgo writes methods in capitals; they are not the same without (RFC 3261
		// section 7.1).
		method, _, _ := strings.Cut(t.start, " ")
		m.Method = sip.RequestMethod(method)
		m.SetTransport(viaTransport(f.transport))
		m.SetSource(f.remote.String())
		d.request(f, m)
	}
}

// request finds out whose a request is: a transaction's, a dialog's, a trunk's, a
// client's or a stranger's.
func (d *Door) request(f *flow, req *sip.Request) {
	first := req.Method == sip.INVITE && tagOf(req.To()) == ""
	if !first {
		d.traceIn(f, req)
	}
	if req.Method == sip.ACK {
		d.ack(f, req)
		return
	}
	if s := d.findServer(serverKey(req, f, req.Method)); s != nil {
		if first {
			d.traceIn(f, req)
		}
		s.again(req)
		return
	}
	if req.Method == sip.CANCEL {
		if inv := d.findServer(serverKey(req, f, sip.INVITE)); inv != nil {
			d.cancelled(f, req, inv)
			return
		}
	}
	if tag := tagOf(req.To()); tag != "" {
		if l := d.dialogOf(req.CallID().Value(), tag); l != nil && l.speaks(f, req) {
			if s := d.accept(req, f); s != nil {
				l.request(s)
			}
			return
		}
	}
	if who := d.known(f); who.known() && req.Method != sip.REGISTER {
		d.admit(f, req, who)
		return
	}
	d.unproven(f, req)
}

// admit lets a request of a known peer in.
func (d *Door) admit(f *flow, req *sip.Request, who peer) {
	s := d.accept(req, f)
	if s == nil {
		return
	}
	if tag := tagOf(req.To()); tag != "" {
		if l := d.dialogOf(req.CallID().Value(), tag); l != nil && l.peer.client != "" && l.peer.client == who.client &&
			tagOf(req.From()) == l.remoteTag() {
			l.request(s) // the client proved itself from another address
			return
		}
		d.trusted(s, who, false)
		return
	}
	d.trusted(s, who, true)
}

// trusted looks at a request beyond its form (RFC 3261 section 8.2), and gives
// it to what handles its method.
func (d *Door) trusted(s *serverTx, who peer, fresh bool) {
	req := s.req
	if req.Method == sip.INVITE && fresh {
		d.invite(s, who)
		return
	}
	if !d.wellAsked(s, fresh) {
		return
	}
	switch req.Method {
	case sip.OPTIONS:
		s.answer(200, "OK", sip.NewHeader("Accept", sdpType), sip.NewHeader("Allow", allowed), sip.NewHeader("Supported", supported))
	default: // it belongs to a dialog or transaction that is not there
		s.answer(481, "Call/Transaction Does Not Exist")
	}
}

// wellAsked makes the checks of RFC 3261 section 8.2.1 to 8.2.3, in their order,
// and answers when one fails.
func (d *Door) wellAsked(s *serverTx, fresh bool) bool {
	req := s.req
	switch {
	case !known[req.Method]:
		s.answer(501, "Not Implemented", sip.NewHeader("Allow", allowed))
	case notAllowed[req.Method]:
		s.answer(405, "Method Not Allowed", sip.NewHeader("Allow", allowed))
	case fresh && req.MaxForwards() != nil && *req.MaxForwards() == 0:
		s.answer(483, "Too Many Hops")
	case !dialable(req.Recipient.Scheme):
		s.answer(416, "Unsupported URI Scheme")
	case len(unsupported(req)) > 0:
		s.answer(420, "Bad Extension", sip.NewHeader("Unsupported", strings.Join(unsupported(req), ", ")))
	case fresh && tagOf(req.To()) == "" && d.looped(s):
		s.answer(482, "Loop Detected")
	case !readable(req):
		s.answer(415, "Unsupported Media Type", sip.NewHeader("Accept", accepted(req.Method)), sip.NewHeader("Accept-Encoding", "identity"))
	case req.Method == sip.INVITE && !acceptsSDP(req):
		s.answer(406, "Not Acceptable")
	default:
		return true
	}
	return false
}

var notAllowed = map[sip.RequestMethod]bool{sip.SUBSCRIBE: true, sip.NOTIFY: true, sip.REFER: true, sip.MESSAGE: true, sip.PUBLISH: true}

func dialable(scheme string) bool { return scheme == "sip" || scheme == "sips" || scheme == "tel" }

// unsupported returns the extensions that a request requires and that we do
// not know.
func unsupported(req *sip.Request) []string {
	var list []string
	for _, t := range tokens(req, "Require") {
		switch strings.ToLower(t) {
		case "timer", "100rel", "outbound", "path":
		default:
			list = append(list, t)
		}
	}
	return list
}

// looped reports whether a request came to us by two ways (RFC 3261 section
// 8.2.2.2), or is one of our own that somebody sent back (section 16.3, step 4).
func (d *Door) looped(s *serverTx) bool {
	id, from := s.req.CallID().Value(), tagOf(s.req.From())
	if d.dialogOf(id, from) != nil {
		return true
	}
	return d.merged.seen(id+" "+from+" "+s.req.CSeq().Value(), s.key)
}

// accepted are the bodies that a method may have.
func accepted(m sip.RequestMethod) string {
	if m == sip.INFO {
		return "application/dtmf-relay, application/dtmf"
	}
	return sdpType
}

// readable reports whether we understand a request's body (RFC 3261 section
// 8.2.3).
func readable(req *sip.Request) bool {
	if len(req.Body()) == 0 || strings.Contains(strings.ToLower(header(req, "Content-Disposition")), "handling=optional") {
		return true
	}
	if e := header(req, "Content-Encoding"); e != "" && !strings.EqualFold(e, "identity") {
		return false
	}
	switch req.Method {
	case sip.INVITE, sip.UPDATE, sip.PRACK, sip.ACK:
		return sdpOf(req) != nil
	}
	return true
}

// acceptsSDP reports whether an INVITE lets us answer with a description.
func acceptsSDP(req *sip.Request) bool {
	list := tokens(req, "Accept")
	if len(req.GetHeaders("Accept")) == 0 {
		return true // RFC 3261 section 20.1
	}
	for _, t := range list {
		kind, _, _ := strings.Cut(t, ";")
		switch strings.ToLower(strings.TrimSpace(kind)) {
		case sdpType, "application/*", "*/*":
			return true
		}
	}
	return false
}

// unproven meets a request that comes from nobody we know by its address. With
// credentials it may become a client's; without it gets what every stranger
// gets.
func (d *Door) unproven(f *flow, req *sip.Request) {
	value := header(req, "Authorization")
	scheme, token, _ := strings.Cut(strings.TrimSpace(value), " ")
	bearer := strings.EqualFold(scheme, "Bearer") && f.web() && req.Method == sip.REGISTER
	cred, isDigest := parseCredentials(value)
	switch {
	case req.Method == sip.CANCEL, !bearer && !isDigest:
		d.strange(f, req, false)
		return
	}
	if !d.failures.ready(f.remote.Addr()) {
		return
	}
	select {
	case d.checking <- struct{}{}:
	default: // too many at once; it will be repeated
		return
	}
	s := d.accept(req, f)
	if s == nil {
		<-d.checking
		return
	}
	d.spawn(func() {
		defer func() { <-d.checking }()
		ctx, cancel := context.WithTimeout(d.ctx, 5*time.Second)
		defer cancel()
		who, until, stale, err := d.prove(ctx, req, cred, strings.TrimSpace(token), bearer)
		if err != nil { // not the peer's fault
			d.log.Error("sip: cannot check a client's credentials", "error", err)
			s.answer(503, "Service Unavailable", sip.NewHeader("Retry-After", "5"))
			return
		}
		if who == "" {
			if !stale {
				d.failures.allow(f.remote.Addr())
			}
			s.tx.Terminate()
			d.strange(f, req, stale)
			return
		}
		d.strangers.proved(f.remote.Addr())
		d.proven(f, s, peer{client: who}, until)
	})
}

// proven goes on with a request whose client has proved itself.
func (d *Door) proven(f *flow, s *serverTx, who peer, until time.Time) {
	if s.req.Method == sip.REGISTER {
		d.register(f, s, who, until)
		return
	}
	if tag := tagOf(s.req.To()); tag != "" {
		l := d.dialogOf(s.req.CallID().Value(), tag)
		if l != nil && l.peer.client == who.client && tagOf(s.req.From()) == l.remoteTag() {
			l.request(s)
			return
		}
		d.trusted(s, who, false)
		return
	}
	d.trusted(s, who, true)
}

// strange answers a stranger: the same whatever was asked, within a limit, and
// without remembering it (RFC 3261 section 8.2.7).
func (d *Door) strange(f *flow, req *sip.Request, stale bool) {
	if req.Method == sip.INVITE && tagOf(req.To()) == "" {
		d.traceIn(f, req)
	}
	// A trunk may not register, but learns what is wrong with its URI.
	if req.Method == sip.REGISTER && d.trunks.match(f) != nil && !dialable(req.To().Address.Scheme) {
		d.stateless(f, req, 416, "Unsupported URI Scheme")
		return
	}
	if !d.strangers.allow(f.remote.Addr()) {
		if f.stream() { // nobody repeats a request there
			d.stateless(f, req, 503, "Service Unavailable", sip.NewHeader("Retry-After", "5"))
		}
		return
	}
	agent := header(req, "User-Agent")
	hs := d.digests.challenges(agent, stale)
	if f.web() && !knowsOnlyMD5(agent) {
		hs = append(hs, sip.NewHeader("WWW-Authenticate", `Bearer realm="`+escapeName(d.opt.Realm)+`"`))
	}
	d.stateless(f, req, 401, "Unauthorized", hs...)
}

// stateless answers without a transaction.
func (d *Door) stateless(f *flow, req *sip.Request, code int, reason string, hs ...sip.Header) {
	res := respondTo(req, f, code, reason, newTag())
	for _, h := range hs {
		res.AppendHeader(h)
	}
	res.SetBody(nil)
	d.replyFlow(req, f).WriteMsg(res)
}

// ack takes an ACK: for a refusal it ends the transaction, for a 2xx it belongs
// to the dialog. It is never answered.
func (d *Door) ack(f *flow, req *sip.Request) {
	if s := d.findServer(serverKey(req, f, sip.INVITE)); s != nil && s.finished() >= 300 {
		s.acked(req)
		return
	}
	if l := d.dialogOf(req.CallID().Value(), tagOf(req.To())); l != nil && l.speaks(f, req) {
		l.acknowledged(req)
	}
}

// cancelled answers a CANCEL (RFC 3261 section 9.2), with the To tag of its INVITE.
func (d *Door) cancelled(f *flow, req *sip.Request, inv *serverTx) {
	s := d.accept(req, f)
	if s == nil {
		return
	}
	s.tag = inv.tag
	s.answer(200, "OK")
	if inv.finished() != 0 {
		return
	}
	if l := d.dialogOf(req.CallID().Value(), inv.tag); l != nil {
		l.cancelledBy(req, inv)
	}
}
