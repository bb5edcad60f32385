package ua

import (
	"github.com/emiago/sipgo/sip"
)

func (a *Agent) request(req *sip.Request) {
	if req.IsAck() {
		a.acked(req)
		return
	}
	key := serverKey(req)
	a.mu.Lock()
	if tx := a.servers[key]; tx != nil { // a retransmission (section 17.2)
		a.mu.Unlock()
		tx.mu.Lock()
		last := tx.last
		tx.mu.Unlock()
		if last != nil {
			a.sendRaw(req.Source(), last)
		}
		return
	}
	if a.closed || len(a.servers) >= most {
		a.mu.Unlock()
		return
	}
	tx := &serverTx{a: a, req: req}
	a.servers[key] = tx
	a.mu.Unlock()
	tag, inside := req.To().Params.Get("tag")
	switch {
	case req.IsCancel():
		a.cancel(tx)
	case inside:
		a.mu.Lock()
		d := a.dialogs[req.CallID().Value()+" "+tag]
		a.mu.Unlock()
		if d == nil {
			tx.reply(481, "Call/Transaction Does Not Exist")
			return
		}
		d.inside(tx)
	case a.challenged(tx):
	case req.IsInvite():
		a.invited(tx)
	case req.Method == sip.OPTIONS && a.opt.Other == nil:
		tx.reply(200, "OK")
	case a.opt.Other != nil:
		status := a.opt.Other(req)
		tx.reply(status, "")
	default:
		tx.reply(405, "Method Not Allowed")
	}
}

func (a *Agent) challenged(tx *serverTx) bool {
	if a.opt.Challenge == nil {
		return false
	}
	challenges := a.opt.Challenge(tx.req)
	if len(challenges) == 0 {
		return false
	}
	res := sip.NewResponseFromRequest(tx.req, 401, "Unauthorized", nil)
	for _, h := range challenges {
		res.AppendHeader(h)
	}
	tx.respond(res)
	return true
}

// reply answers with a code and no description.
func (tx *serverTx) reply(status int, reason string) {
	if reason == "" {
		reason = phrases[status]
	}
	res := sip.NewResponseFromRequest(tx.req, status, reason, nil)
	if tx.d != nil && status > 100 {
		setTag(res, tx.d.localTag)
	}
	if tx.req.Method == sip.REGISTER && status == 200 {
		if c := tx.req.Contact(); c != nil {
			res.AppendHeader(sip.HeaderClone(c))
		}
		if e := tx.req.GetHeader("Expires"); e != nil {
			res.AppendHeader(sip.HeaderClone(e))
		}
	}
	tx.respond(res)
}

var phrases = map[int]string{200: "OK", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed", 480: "Temporarily Unavailable",
	486: "Busy Here", 487: "Request Terminated", 488: "Not Acceptable Here", 503: "Service Unavailable", 603: "Decline"}

func setTag(res *sip.Response, tag string) {
	to := res.To()
	to.Params.Remove("tag")
	to.Params.Add("tag", tag)
}

func (a *Agent) invited(tx *serverTx) {
	req := tx.req
	d := &Dialog{a: a, incoming: true, callID: req.CallID().Value(), localTag: sip.GenerateTagN(12), invite: req, server: tx, to: req.Source()}
	d.remoteTag, _ = req.From().Params.Get("tag")
	d.routes = routes(req, false)
	d.aim(req.Contact())
	tx.d = d
	if a.opt.Invited == nil || !a.hold(d) {
		tx.reply(480, "Temporarily Unavailable")
		return
	}
	tx.reply(100, "Trying")
	s := a.opt.Invited(d)
	d.mu.Lock()
	d.session = s
	gone, end := d.state == over, d.end
	d.mu.Unlock()
	switch {
	case gone && s != nil:
		s.Ended(end)
	case !gone && s == nil:
		d.Refuse(480, "Temporarily Unavailable")
	}
}

// Ring sends 180, or 183 with early media.
func (d *Dialog) Ring(sdp []byte) {
	d.mu.Lock()
	tx, st := d.server, d.state
	d.mu.Unlock()
	if tx == nil || st != early {
		return
	}
	status, reason := 180, "Ringing"
	if sdp != nil {
		status, reason = 183, "Session Progress"
	}
	tx.respond(d.response(tx.req, status, reason, sdp))
}

// Answer sends 200 with the answer, or with an offer if the INVITE held none.
func (d *Dialog) Answer(sdp []byte) error {
	d.mu.Lock()
	if d.server == nil || d.state != early {
		d.mu.Unlock()
		return ErrClosed
	}
	d.state = confirmed
	tx := d.server
	d.mu.Unlock()
	tx.respond(d.response(tx.req, 200, "OK", sdp))
	return nil
}

// Refuse ends an incoming call that was not answered.
func (d *Dialog) Refuse(status int, reason string) {
	d.mu.Lock()
	tx, st := d.server, d.state
	d.mu.Unlock()
	if tx == nil || st != early {
		return
	}
	tx.reply(status, reason)
	d.finish(End{Status: status, Reason: reason, Local: true})
}

func (d *Dialog) response(req *sip.Request, status int, reason string, sdp []byte) *sip.Response {
	res := sip.NewResponseFromRequest(req, status, reason, nil)
	setTag(res, d.localTag)
	res.AppendHeader(d.a.contact())
	res.AppendHeader(sip.NewHeader("Allow", allow))
	if sdp != nil {
		res.AppendHeader(sip.NewHeader("Content-Type", "application/sdp"))
	}
	res.SetBody(sdp)
	return res
}

// cancel answers a CANCEL and ends what it cancels (section 9.2).
func (a *Agent) cancel(tx *serverTx) {
	a.mu.Lock()
	invite := a.servers[branch(tx.req)+" "+tx.req.Via().Host+" "+string(sip.INVITE)]
	a.mu.Unlock()
	if invite == nil {
		tx.reply(481, "Call/Transaction Does Not Exist")
		return
	}
	res := sip.NewResponseFromRequest(tx.req, 200, "OK", nil)
	if invite.d != nil {
		setTag(res, invite.d.localTag) // the same as in the INVITE's answers
	}
	tx.respond(res)
	if d := invite.d; d != nil {
		d.mu.Lock()
		st := d.state
		d.mu.Unlock()
		if st == early {
			invite.reply(487, "Request Terminated")
			d.finish(End{Status: 487, Reason: "Request Terminated"})
		}
	}
}

// acked takes an ACK: of a failure by the INVITE's branch, of a 2xx by dialog.
func (a *Agent) acked(req *sip.Request) {
	a.mu.Lock()
	tx := a.servers[branch(req)+" "+req.Via().Host+" "+string(sip.INVITE)]
	tag, _ := req.To().Params.Get("tag")
	d := a.dialogs[req.CallID().Value()+" "+tag]
	a.mu.Unlock()
	if tx != nil {
		tx.stop()
		tx.mu.Lock()
		tx.end = append(tx.end, after(life, func() { a.dropServer(tx) }))
		tx.mu.Unlock()
	}
	if d == nil {
		return
	}
	d.mu.Lock()
	server, s := d.server, d.session
	mine := server != nil && req.CSeq().SeqNo == server.req.CSeq().SeqNo
	if mine {
		d.server = nil
	}
	d.mu.Unlock()
	if mine {
		server.stop()
		server.mu.Lock()
		server.end = append(server.end, after(life, func() { a.dropServer(server) }))
		server.mu.Unlock()
		if s != nil {
			s.Acked(body(req))
		}
	}
}

// unacknowledged ends a dialog whose 2xx nobody acknowledged (section 13.3.1.4).
func (d *Dialog) unacknowledged() {
	d.mu.Lock()
	st := d.state
	d.mu.Unlock()
	if st == confirmed {
		d.bye()
		d.finish(End{Status: 408, Reason: "Not Acknowledged", Local: true})
	}
}

// inside answers a request within the dialog.
func (d *Dialog) inside(tx *serverTx) {
	req := tx.req
	switch req.Method {
	case sip.BYE:
		tx.reply(200, "OK")
		d.mu.Lock()
		st, server := d.state, d.server
		d.mu.Unlock()
		if server != nil {
			if st == early {
				server.reply(487, "Request Terminated")
			} else {
				server.stop()
			}
		}
		d.finish(End{Status: 200, Reason: "OK"})
	case sip.INVITE, sip.UPDATE:
		d.reoffered(tx)
	case sip.OPTIONS, sip.INFO, sip.MESSAGE:
		tx.reply(200, "OK")
	default:
		tx.reply(405, "Method Not Allowed")
	}
}

func (d *Dialog) reoffered(tx *serverTx) {
	d.mu.Lock()
	busy := d.reinviting || d.server != nil && tx.req.IsInvite()
	st, s := d.state, d.session
	d.mu.Unlock()
	if busy || st != confirmed || s == nil { // glare (section 14.2)
		tx.reply(491, "Request Pending")
		return
	}
	if tx.req.Method == sip.UPDATE && body(tx.req) == nil { // a refresh (RFC 3311 section 5.1)
		tx.respond(d.response(tx.req, 200, "OK", nil))
		return
	}
	answer, status := s.Reoffered(body(tx.req))
	if status >= 300 {
		tx.reply(status, "")
		return
	}
	d.mu.Lock()
	if tx.req.IsInvite() {
		d.server = tx
		tx.d = d
	}
	d.aim(tx.req.Contact())
	d.mu.Unlock()
	tx.respond(d.response(tx.req, 200, "OK", answer))
}
