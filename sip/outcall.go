package sip

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/roamline/roamline"
)

// maxForks bounds the early dialogs that one INVITE may open.
const maxForks = 16

// An attempt is one INVITE of a leg on its way down one flow. A leg through a
// trunk may need several: the next gateway, an answer to a challenge.
type attempt struct {
	leg  *leg
	flow *flow
	req  *sip.Request
	tx   *clientTx

	sdp       []byte
	gateways  []hop // that remain to be tried
	heard     bool  // a provisional response came: a CANCEL may go out
	cancelled bool  // it went
	abandoned bool  // another attempt took over
	logins    int
	shorts    int         // 422 answered
	timer     *time.Timer // gateway timeout, then Timer C
	rseq      map[string]int
	start     func(*attempt) // sends the next
}

// Invite is the switchboard's Signals.
func (d *Door) Invite(id roamline.LegID, to roamline.Target, by roamline.Path, from roamline.Party, mode roamline.AnswerMode, sdp []byte) error {
	const op = "sip.Invite"
	if d.isDraining() {
		return &roamline.Error{Op: op, Kind: roamline.Unavailable, Of: string(id), Err: errFlowClosed}
	}
	if to.Trunk != "" {
		return d.inviteTrunk(id, to, from, sdp)
	}
	way, ok := d.registrar.way(to.Client, by)
	if !ok {
		return &roamline.Error{Op: op, Kind: roamline.Unavailable, Of: string(to.Client), Err: errFlowClosed}
	}
	var target sip.Uri
	if err := sip.ParseUri(way.contact.URI, &target); err != nil {
		return &roamline.Error{Op: op, Kind: roamline.Invalid, Of: string(to.Client), Err: err}
	}
	l := &leg{door: d, id: id, peer: peer{client: to.Client}, phase: phaseOut, offerer: true}
	at := d.siteFor(way.flow, by.Advertise)
	l.dialog = dialog{callID: newCallID(), target: target, flow: way.flow, at: at}
	l.dialog.us = sip.FromHeader{DisplayName: escapeName(from.Name), Address: uri(string(from.Number), d.opt.Realm, 0)}
	if from.Number == "" {
		l.dialog.us = anonymous(from)
	}
	l.dialog.us.Params.Add("tag", newTag())
	l.dialog.them = sip.ToHeader{Address: uri(string(to.Client), d.opt.Realm, 0)}
	l.dialog.contact = l.contactURI(way.flow)
	if err := d.addLeg(l); err != nil {
		return err
	}
	l.lock()
	defer l.unlock()
	way.flow.carry(l)
	a := &attempt{leg: l, flow: way.flow, sdp: sdp}
	a.send(d.within(&l.dialog, sip.INVITE, way.flow), answerMode(mode)...)
	if way.flow.closed() {
		l.phase = phaseOver
		d.mu.Lock()
		delete(d.legs, id)
		d.mu.Unlock()
		return &roamline.Error{Op: op, Kind: roamline.Unavailable, Of: string(to.Client), Err: errFlowClosed}
	}
	return nil
}

// answerMode asks a client to answer by itself: by the standard (RFC 5373), and
// in the two ways that desk phones know.
func answerMode(m roamline.AnswerMode) []sip.Header {
	if m != roamline.Auto {
		return nil
	}
	return []sip.Header{
		sip.NewHeader("Answer-Mode", string(m)),
		sip.NewHeader("Call-Info", "<sip:localhost>;answer-after=0"),
		sip.NewHeader("Alert-Info", "<http://localhost>;info=alert-autoanswer;delay=0"),
	}
}

// anonymous is a From that tells nothing (RFC 3323 section 4.1.1.3).
func anonymous(p roamline.Party) sip.FromHeader {
	name := p.Name
	if p.Private || name == "" {
		name = "Anonymous"
	}
	return sip.FromHeader{DisplayName: escapeName(name), Address: uri("anonymous", "anonymous.invalid", 0)}
}

// send completes an INVITE and puts it on its way.
func (a *attempt) send(req *sip.Request, hs ...sip.Header) {
	l := a.leg
	for _, h := range hs {
		req.AppendHeader(h)
	}
	l.session.propose(l, req, a.flow)
	req.AppendHeader(sip.NewHeader("Content-Type", sdpType))
	req.SetBody(a.sdp)
	l.session.sdp = a.sdp
	a.transmit(req)
}

// transmit sends req as it is; its responses come to a.
func (a *attempt) transmit(req *sip.Request) {
	l := a.leg
	a.req, a.heard, a.cancelled, a.rseq = req, false, false, map[string]int{}
	l.out = a
	a.tx = l.door.begin(req, a.flow, func(res *sip.Response, err error) { a.reply(req, res, err) })
	if l.peer.trunk != nil {
		a.wait(l.door.opt.GatewayTimeout)
	}
}

// wait sets how long the next response may take.
func (a *attempt) wait(limit time.Duration) {
	if a.timer != nil {
		a.timer.Stop()
	}
	req := a.req
	a.timer = time.AfterFunc(limit, func() {
		a.leg.lock()
		defer a.leg.unlock()
		if a.req != req || a.abandoned || a.leg.phase != phaseOut {
			return
		}
		a.late()
	})
}

// late: no response came in time. A silent gateway is left for the next one; a
// call that rang too long without a word is cancelled (Timer C, RFC 3261 section
// 16.8).
func (a *attempt) late() {
	l := a.leg
	if a.heard {
		a.abandon()
		l.end(roamline.NoAnswer, 408)
		return
	}
	if !a.next() {
		a.abandon()
		l.end(roamline.Unreachable, 408)
	}
}

// next tries the next gateway; false if there is none.
func (a *attempt) next() bool {
	if len(a.gateways) == 0 || a.leg.cancelled != "" || a.leg.phase != phaseOut {
		return false
	}
	a.abandon()
	n := &attempt{leg: a.leg, sdp: a.sdp, gateways: a.gateways, start: a.start}
	n.start(n)
	return true
}

// abandon leaves the attempt to itself: whatever still comes is cancelled, or
// acknowledged and ended.
func (a *attempt) abandon() {
	a.abandoned = true
	if a.timer != nil {
		a.timer.Stop()
	}
	if a.heard {
		a.cancel(roamline.NoAnswer)
	}
}

// cancel sends CANCEL; once the INVITE was heard of (RFC 3261 section 9.1).
func (a *attempt) cancel(cause roamline.Cause) {
	if a.cancelled || !a.heard {
		return
	}
	a.cancelled = true
	d := a.leg.door
	req := sip.NewRequest(sip.CANCEL, *a.req.Recipient.Clone())
	for _, name := range []string{"Via", "Route", "From", "To", "Call-ID", "CSeq", "Max-Forwards", "User-Agent"} {
		sip.CopyHeaders(name, a.req, req)
	}
	req.CSeq().MethodName = sip.CANCEL
	req.AppendHeader(sip.NewHeader("Reason", verdictOf(cause).reason))
	req.SetBody(nil)
	d.begin(req, a.flow, nil)
	tx, l := a.tx, a.leg
	time.AfterFunc(d.late(), func() { // no final response at all (RFC 3261 section 9.1)
		tx.stop()
		l.lock()
		defer l.unlock()
		if l.cancelled != "" && l.phase == phaseOut {
			l.over()
		}
	})
}

// reply takes what comes back for the attempt's INVITE.
func (a *attempt) reply(req *sip.Request, res *sip.Response, err error) {
	l := a.leg
	l.lock()
	defer l.unlock()
	stale := a.req != req || a.abandoned
	switch {
	case err != nil:
		if !stale && l.phase == phaseOut {
			a.failed(err)
		}
	case res.IsProvisional():
		if a.req == req {
			a.heard = true
		}
		if stale || l.phase != phaseOut || l.cancelled != "" {
			a.cancel(orNormal(l.cancelled))
			return
		}
		a.progress(res)
	case res.IsSuccess():
		a.answered(req, res, stale)
	case !stale && l.phase == phaseOut:
		a.refused(res)
	}
}

func orNormal(c roamline.Cause) roamline.Cause {
	if c == "" {
		return roamline.NoAnswer
	}
	return c
}

func (a *attempt) progress(res *sip.Response) {
	l := a.leg
	if !a.acknowledge(res) {
		return
	}
	a.wait(l.door.opt.TimerC)
	if res.StatusCode == 100 {
		return
	}
	sdp := sdpOf(res)
	if sdp != nil {
		l.early = sdp
	}
	l.say(roamline.Progressed{At: now(), Leg: l.id, Code: res.StatusCode, SDP: sdp})
}

// answered takes a 2xx: the first makes the dialog, the same again is
// acknowledged again, and that of another fork or of a call already given up is
// acknowledged and ended (RFC 3261 section 13.2.2.4).
func (a *attempt) answered(req *sip.Request, res *sip.Response, stale bool) {
	l := a.leg
	if l.ack != nil && l.answerSeq == res.CSeq().SeqNo && tagOf(res.To()) == l.dialog.remoteTag() {
		l.ackFlow.WriteMsg(l.ack)
		return
	}
	if stale || l.phase != phaseOut || l.cancelled != "" {
		l.kill(res, a.flow, req)
		if !stale && l.phase == phaseOut {
			l.over()
		}
		return
	}
	if a.timer != nil {
		a.timer.Stop()
	}
	l.dialog.answered(res)
	l.dialog.flow = a.flow
	l.out = nil
	l.acknowledge(req, nil)
	l.phase = phaseUp
	l.session.adopt(l, res)
	l.session.start(l)
	sdp := sdpOf(res)
	if sdp == nil {
		sdp = l.early // the answer came in a provisional response
	}
	l.say(roamline.Answered{At: now(), Leg: l.id, SDP: sdp})
	l.next()
}

// acknowledge sends the ACK for a 2xx to our INVITE req and keeps it for the
// 2xx to come again.
func (l *leg) acknowledge(req *sip.Request, sdp []byte) {
	d := l.door
	f := d.way(&l.dialog, l.peer)
	l.answerSeq = req.CSeq().SeqNo
	l.ack, l.ackFlow = d.ackFor(&l.dialog, req, f, sdp), f
	f.WriteMsg(l.ack)
}

// ackFor builds the ACK for a 2xx: its own transaction, with the INVITE's number
// and credentials (RFC 3261 sections 13.2.2.4 and 22.1).
func (d *Door) ackFor(g *dialog, req *sip.Request, f *flow, sdp []byte) *sip.Request {
	ack := d.within(g, sip.ACK, f)
	ack.CSeq().SeqNo = req.CSeq().SeqNo
	sip.CopyHeaders("Authorization", req, ack)
	sip.CopyHeaders("Proxy-Authorization", req, ack)
	if sdp != nil {
		ack.AppendHeader(sip.NewHeader("Content-Type", sdpType))
	}
	ack.SetBody(sdp)
	ack.SetTransport(viaTransport(f.transport))
	return ack
}

// kill acknowledges a 2xx that nobody wants, and ends its dialog.
func (l *leg) kill(res *sip.Response, f *flow, req *sip.Request) {
	d := l.door
	g := l.dialog
	g.answered(res)
	g.flow = f
	way := d.way(&g, l.peer)
	way.WriteMsg(d.ackFor(&g, req, way, nil))
	g.localSeq = max(g.localSeq, req.CSeq().SeqNo)
	bye := d.within(&g, sip.BYE, way)
	l.dialog.localSeq = max(l.dialog.localSeq, g.localSeq)
	bye.AppendHeader(sip.NewHeader("Reason", verdictOf(orNormal(l.cancelled)).reason))
	bye.SetBody(nil)
	d.begin(bye, way, nil)
}

// failed: no answer, or no way to ask.
func (a *attempt) failed(error) {
	l := a.leg
	if l.cancelled != "" {
		l.over()
		return
	}
	if !a.next() {
		if a.timer != nil {
			a.timer.Stop()
		}
		l.end(roamline.Unreachable, 408)
	}
}

// refused takes a final refusal: it is answered, or the next gateway is tried,
// or the leg ends.
func (a *attempt) refused(res *sip.Response) {
	l, code := a.leg, res.StatusCode
	if a.timer != nil {
		a.timer.Stop()
	}
	if l.cancelled != "" {
		l.over()
		return
	}
	switch {
	case (code == 401 || code == 407) && l.peer.trunk != nil && a.logins < 2:
		a.logins++
		if next, err := l.peer.trunk.login().authorize(a.req, res, l.dialog.localSeq+1); err == nil {
			l.dialog.localSeq++
			a.transmit(next)
			return
		}
	case code == 422 && a.shorts == 0: // RFC 4028 section 7.4
		if least := number(res, "Min-SE"); least > 0 && least <= maxInterval {
			a.shorts++
			l.dialog.localSeq++
			next := again(a.req, l.dialog.localSeq)
			l.session.raise(next, least)
			a.transmit(next)
			return
		}
	case hopeless(code) && a.next():
		return
	}
	l.end(causeOf(code), code)
}

// stray takes a response whose transaction is not there any more: a 2xx that
// comes late is acknowledged, and ended if it is not the one that we have.
func (d *Door) stray(f *flow, res *sip.Response) {
	if !res.IsSuccess() || res.CSeq().MethodName != sip.INVITE {
		return
	}
	l := d.dialogOf(res.CallID().Value(), tagOf(res.From()))
	if l == nil || !l.mayAnswer(f) {
		return
	}
	l.lock()
	defer l.unlock()
	if l.ack != nil && l.answerSeq == res.CSeq().SeqNo && tagOf(res.To()) == l.dialog.remoteTag() {
		l.ackFlow.WriteMsg(l.ack)
		return
	}
	req := d.within(&dialog{callID: l.dialog.callID, us: l.dialog.us, them: l.dialog.them, target: l.dialog.target, at: l.dialog.at}, sip.ACK, f)
	req.CSeq().SeqNo = res.CSeq().SeqNo
	l.kill(res, f, req)
}

// mayAnswer reports whether a response by f may be one to the leg's INVITE.
func (l *leg) mayAnswer(f *flow) bool {
	l.lock()
	defer l.unlock()
	if l.dialog.flow.same(f) {
		return true
	}
	return l.peer.trunk != nil && l.door.trunks.match(f).same(l.peer.trunk)
}

// inviteTrunk opens a leg through a trunk's gateways.
func (d *Door) inviteTrunk(id roamline.LegID, to roamline.Target, from roamline.Party, sdp []byte) error {
	const op = "sip.Invite"
	t := d.trunks.get(to.Trunk)
	if t == nil || !t.config().Enabled {
		return &roamline.Error{Op: op, Kind: roamline.NotFound, Of: string(to.Trunk)}
	}
	hops := t.hops()
	if len(hops) == 0 {
		return &roamline.Error{Op: op, Kind: roamline.Unavailable, Of: string(to.Trunk)}
	}
	if !t.enter(slices.Contains(d.opt.Emergency, to.Number)) {
		return &roamline.Error{Op: op, Kind: roamline.Exhausted, Of: string(to.Trunk)}
	}
	l := &leg{door: d, id: id, peer: peer{trunk: t}, phase: phaseOut, offerer: true, counted: true}
	l.dialog = dialog{callID: newCallID()}
	l.dialog.us.Params.Add("tag", newTag())
	if err := d.addLeg(l); err != nil {
		t.leave()
		return err
	}
	a := &attempt{leg: l, sdp: sdp, gateways: hops}
	a.start = func(a *attempt) { d.tryGateway(a, to.Number, from) }
	l.lock()
	defer l.unlock()
	a.start(a)
	return nil
}

// tryGateway looks the next gateway up, beside the leg, and invites through it.
func (d *Door) tryGateway(a *attempt, number roamline.Number, from roamline.Party) {
	l, h := a.leg, a.gateways[0]
	a.gateways = a.gateways[1:]
	l.out = a
	t := l.peer.trunk
	d.spawn(func() {
		ctx, cancel := context.WithTimeout(d.ctx, d.opt.GatewayTimeout)
		addrs, err := h.resolve(ctx, d.opt.Resolver)
		cancel()
		l.lock()
		defer l.unlock()
		if l.phase != phaseOut || a.abandoned {
			return
		}
		if l.cancelled != "" {
			l.over()
			return
		}
		if err == nil {
			a.flow = d.flowTo(h.transport(), addrs[0], h.Host)
		}
		if a.flow == nil {
			a.failed(err)
			return
		}
		l.dialog.flow = a.flow
		l.dialog.at = d.siteFor(a.flow, t.config().Advertise)
		l.dialog.contact = l.contactURI(a.flow)
		tag := l.dialog.localTag()
		hs := t.address(&l.dialog, h, number, from)
		l.dialog.us.Params.Add("tag", tag)
		a.send(d.within(&l.dialog, sip.INVITE, a.flow), hs...)
	})
}

// seconds writes a number of seconds.
func seconds(d time.Duration) string { return strconv.Itoa(int(d / time.Second)) }
