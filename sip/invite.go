package sip

import (
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/roamline/roamline"
)

// invite opens a leg for an INVITE of a known peer and reports it. The
// switchboard answers later by the leg's identifier; what can't become a call is
// refused here.
func (d *Door) invite(s *serverTx, who peer) {
	req := s.req
	id := roamline.LegID(roamline.NewID("l_"))
	d.mu.Lock()
	if _, taken := d.byCallID[callIDOf(req)]; !taken {
		d.byCallID[callIDOf(req)] = id
		time.AfterFunc(d.late(), func() { d.forgetCallID(callIDOf(req), id) })
	}
	d.mu.Unlock()
	d.traceIn(s.in, req)
	if !d.wellAsked(s, true) {
		return
	}
	if d.isDraining() {
		v := verdictOf(roamline.Shutdown)
		s.answer(v.code, v.text)
		return
	}
	l := &leg{door: d, id: id, peer: who, phase: phaseIn, invite: s, dialog: offered(req, s.in, s.tag)}
	l.dialog.at = d.siteFor(s.in, who.advertise())
	l.dialog.contact = l.contactURI(s.in)
	if min, ok := l.session.asked(req, s.in); !ok {
		s.answer(422, "Session Interval Too Small", sip.NewHeader("Min-SE", min))
		return
	}
	if who.trunk != nil {
		if !who.trunk.enter(false) {
			v := verdictOf(roamline.TooManyCalls)
			s.answer(v.code, v.text)
			return
		}
		l.counted = true
	}
	sdp := sdpOf(req)
	l.late = sdp == nil
	l.reliable.wanted = hasToken(req, "Require", "100rel")
	if err := d.addLeg(l); err != nil {
		s.answer(500, "Server Internal Error")
		return
	}
	s.in.carry(l)
	s.answer(100, "Trying")
	ev := roamline.Offered{At: now(), Leg: id, Path: d.pathOf(s.in, who), SDP: sdp}
	ev.Dialed, ev.From = who.offeredNumbers(req)
	l.lock()
	l.say(ev)
	l.unlock()
	if s.in.closed() {
		l.flowClosed(s.in)
	}
}

// forgetCallID ends a trace's knowledge of a dialog that never came to be; a
// leg's own end does it for the others.
func (d *Door) forgetCallID(callID string, id roamline.LegID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.legs[id] == nil && d.byCallID[callID] == id {
		delete(d.byCallID, callID)
	}
}

// advertise is the address that a peer must see us under; empty: the site's
// rule.
func (p peer) advertise() string {
	if p.trunk != nil {
		return p.trunk.config().Advertise
	}
	return ""
}

// pathOf says how a leg's far end is reached.
func (d *Door) pathOf(f *flow, who peer) roamline.Path {
	p := roamline.Path{Client: who.client, Transport: f.transport, Remote: f.remote}
	if who.trunk != nil {
		t := who.trunk.config()
		p.Trunk, p.Advertise, p.Symmetric, p.Voice = t.ID, t.Advertise, t.Symmetric, trunkVoice(t.SRTP)
		return p
	}
	p.Voice = clientVoice(f.transport)
	p.Symmetric = !f.web() && d.registrar.natted(who.client, f)
	return p
}

// clientVoice is the voice transport that a client's signalling stands for:
// browsers can do no other than DTLS (RFC 8827 section 6.5), and keys in an SDP
// are worth something only where the SDP is encrypted (RFC 4568 section 7).
func clientVoice(transport string) roamline.Transport {
	switch transport {
	case "ws", "wss":
		return roamline.DTLS
	case "tls":
		return roamline.SDES
	}
	return roamline.RTP
}

func trunkVoice(p roamline.SRTPPolicy) roamline.Transport {
	if p == roamline.SRTPRequired {
		return roamline.SDES
	}
	return roamline.RTP
}

// contactURI is where the far end sends its requests of this dialog.
func (l *leg) contactURI(f *flow) sip.Uri {
	u := uri("roamline", l.dialog.at.host, l.dialog.at.port)
	if f.transport != "udp" {
		u.UriParams.Add("transport", f.transport)
	}
	return u
}

// reply builds a response to the leg's INVITE that makes or belongs to its
// dialog.
func (l *leg) reply(s *serverTx, code int, reason string, sdp []byte, hs ...sip.Header) *sip.Response {
	res := s.response(code, reason, hs...)
	res.AppendHeader(&sip.ContactHeader{Address: *l.dialog.contact.Clone()})
	res.AppendHeader(sip.NewHeader("Allow", allowed))
	if sdp != nil {
		res.AppendHeader(sip.NewHeader("Content-Type", sdpType))
	}
	res.SetBody(sdp)
	return res
}

// Alert is the switchboard's Signals.
func (d *Door) Alert(id roamline.LegID, sdp []byte) error {
	l, err := d.find("sip.Alert", id)
	if err != nil {
		return err
	}
	defer l.unlock()
	if l.phase != phaseIn {
		return wrongState("sip.Alert", id)
	}
	code, reason := 180, "Ringing"
	if sdp != nil {
		code, reason = 183, "Session Progress"
	}
	if l.reliable.wanted {
		l.reliable.send(l, code, reason, sdp)
	} else {
		l.invite.respond(l.reply(l.invite, code, reason, sdp))
	}
	l.keepRinging(code, reason, sdp)
	return nil
}

// keepRinging repeats the provisional response each minute, so that no proxy's
// Timer C ends the call (RFC 3261 section 13.3.1.1).
func (l *leg) keepRinging(code int, reason string, sdp []byte) {
	if l.ringing != nil {
		l.ringing.Stop()
	}
	l.ringing = time.AfterFunc(time.Minute, func() {
		l.lock()
		defer l.unlock()
		if l.phase != phaseIn {
			return
		}
		if !l.reliable.wanted {
			l.invite.respond(l.reply(l.invite, code, reason, sdp))
		}
		l.ringing.Reset(time.Minute)
	})
}

// Accept is the switchboard's Signals.
func (d *Door) Accept(id roamline.LegID, sdp []byte) error {
	l, err := d.find("sip.Accept", id)
	if err != nil {
		return err
	}
	defer l.unlock()
	if l.phase != phaseIn || l.accept != nil {
		return wrongState("sip.Accept", id)
	}
	if l.reliable.unacknowledged() { // RFC 3262 section 3
		l.accept = &held{sdp}
		return nil
	}
	l.acceptNow(sdp)
	return nil
}

// acceptNow sends the 200 and repeats it until the ACK (RFC 3261 section
// 13.3.1.4).
func (l *leg) acceptNow(sdp []byte) {
	s := l.invite
	l.accept, l.invite = nil, nil
	if l.ringing != nil {
		l.ringing.Stop()
	}
	l.reliable.stop()
	res := l.reply(s, 200, "OK", sdp, l.session.agreed(l, s.req)...)
	res.AppendHeader(sip.NewHeader("Supported", supported))
	l.phase = phaseAccepted
	l.session.sdp = sdp
	l.repeatUntilACK(s, res)
	s.respond(res)
}

// A repeater sends a 2xx again and again, less and less often. sipgo would not
// slow down, and would not give up.
type repeater struct {
	tx    *serverTx
	res   *sip.Response
	seq   uint32
	every time.Duration
	spent time.Duration
	timer *time.Timer
	late  bool // the ACK holds the answer
}

// repeatUntilACK repeats res with T1 doubling to T2 until its ACK comes; after
// 64*T1 without one the dialog is ended by BYE.
func (l *leg) repeatUntilACK(s *serverTx, res *sip.Response) {
	d := l.door
	r := &repeater{tx: s, res: res, seq: s.req.CSeq().SeqNo, every: d.opt.T1, late: sdpOf(s.req) == nil && len(res.Body()) > 0}
	l.repeat = r
	r.timer = time.AfterFunc(r.every, func() {
		l.lock()
		defer l.unlock()
		if l.repeat != r || l.phase == phaseOver {
			return
		}
		if r.spent += r.every; r.spent >= 64*d.opt.T1 {
			l.repeat = nil
			l.unacknowledged()
			return
		}
		s.repeat(res)
		r.every = min(2*r.every, 8*d.opt.T1)
		if left := 64*d.opt.T1 - r.spent; r.every > left {
			r.every = left
		}
		r.timer.Reset(r.every)
	})
}

// unacknowledged ends a dialog whose 2xx nobody acknowledged.
func (l *leg) unacknowledged() {
	cause := l.byeAfter
	if cause == "" {
		cause = roamline.NotAcknowledged
	}
	l.bye(cause, nil)
	l.end(roamline.NotAcknowledged, 0)
}

// acknowledged takes the ACK of a 2xx of ours.
func (l *leg) acknowledged(req *sip.Request) {
	l.lock()
	defer l.unlock()
	r := l.repeat
	if r == nil || req.CSeq().SeqNo != r.seq {
		return
	}
	r.timer.Stop()
	l.repeat = nil
	if l.phase == phaseAccepted {
		l.phase = phaseUp
		if l.byeAfter != "" { // hung up while the 2xx was on its way (RFC 3261 section 15)
			l.bye(l.byeAfter, nil)
			l.over()
			return
		}
		l.session.start(l)
		l.say(roamline.Confirmed{At: now(), Leg: l.id, SDP: sdpOf(req)})
	} else if r.late {
		l.say(roamline.Confirmed{At: now(), Leg: l.id, SDP: sdpOf(req)})
	}
	l.next()
}

// cancelledBy takes a CANCEL for the INVITE inv (RFC 3261 section 9.2).
func (l *leg) cancelledBy(req *sip.Request, inv *serverTx) {
	l.lock()
	defer l.unlock()
	if l.invite != inv {
		return
	}
	inv.answer(487, "Request Terminated")
	l.invite = nil
	if l.phase != phaseIn { // only the re-INVITE is taken back
		l.re.theirs = false
		l.next()
		return
	}
	l.end(causeOfReason(req, roamline.Cancelled), 0)
}

func wrongState(op string, id roamline.LegID) error {
	return &roamline.Error{Op: op, Kind: roamline.Conflict, Of: string(id)}
}
