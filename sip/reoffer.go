package sip

import (
	"math/rand/v2"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/roamline/roamline"
)

// A reoffer is what changes the session of a leg that is up: one offer at a
// time, ours or theirs (RFC 3264 section 4).
type reoffer struct {
	wanted [][]byte  // ours, not sent yet; the newest replaces one that waits
	tx     *clientTx // ours, on its way
	theirs bool      // leg.invite is a re-INVITE or UPDATE that waits for Reanswer
	timer  *time.Timer
	tries  int
}

// maxTries bounds how often an offer is repeated after glare.
const maxTries = 8

// Reoffer is the switchboard's Signals.
func (d *Door) Reoffer(id roamline.LegID, sdp []byte) error {
	l, err := d.find("sip.Reoffer", id)
	if err != nil {
		return err
	}
	defer l.unlock()
	if l.phase == phaseIn || l.phase == phaseOut {
		return wrongState("sip.Reoffer", id)
	}
	l.re.wanted = [][]byte{sdp}
	l.re.tries = 0
	l.next()
	return nil
}

// next sends an offer that waits, if nothing is in its way.
func (l *leg) next() {
	if len(l.re.wanted) == 0 || l.re.tx != nil || l.invite != nil || l.repeat != nil || l.phase != phaseUp {
		return
	}
	if l.re.timer != nil {
		l.re.timer.Stop()
		l.re.timer = nil
	}
	sdp := l.re.wanted[0]
	l.re.wanted = nil
	f := l.door.way(&l.dialog, l.peer)
	req := l.door.within(&l.dialog, sip.INVITE, f)
	l.session.propose(l, req, f)
	req.AppendHeader(sip.NewHeader("Content-Type", sdpType))
	req.SetBody(sdp)
	l.transmit(req, f, sdp, 0)
}

// transmit sends a re-INVITE.
func (l *leg) transmit(req *sip.Request, f *flow, sdp []byte, logins int) {
	var tx *clientTx
	tx = l.door.begin(req, f, func(res *sip.Response, err error) {
		l.lock()
		defer l.unlock()
		l.reanswered(tx, req, f, sdp, logins, res, err)
	})
	l.re.tx = tx
}

// reanswered takes the response to our re-INVITE (RFC 3261 section 14.1).
func (l *leg) reanswered(tx *clientTx, req *sip.Request, f *flow, sdp []byte, logins int, res *sip.Response, err error) {
	if err == nil && res.IsProvisional() {
		return
	}
	if err == nil && res.IsSuccess() && l.ack != nil && l.answerSeq == req.CSeq().SeqNo {
		l.ackFlow.WriteMsg(l.ack)
		return
	}
	if l.re.tx != tx || l.phase == phaseOver {
		if err == nil && res.IsSuccess() { // it crossed our BYE
			l.acknowledge(req, nil)
		}
		return
	}
	l.re.tx = nil
	switch {
	case err != nil:
		l.broken(408)
	case res.IsSuccess():
		l.dialog.refresh(res)
		l.acknowledge(req, nil)
		l.session.sdp = sdp
		l.session.adopt(l, res)
		l.session.start(l)
		l.say(roamline.Reanswered{At: now(), Leg: l.id, SDP: sdpOf(res)})
		l.next()
	case res.StatusCode == 491 && l.re.tries < maxTries:
		l.re.tries++
		l.retry(sdp, glareWait(l.offerer))
	case (res.StatusCode == 401 || res.StatusCode == 407) && l.peer.trunk != nil && logins < 2:
		l.dialog.localSeq++
		next, failed := l.peer.trunk.login().authorize(req, res, l.dialog.localSeq)
		if failed != nil {
			l.refused(res.StatusCode)
			return
		}
		l.transmit(next, f, sdp, logins+1)
	case res.StatusCode == 481 || res.StatusCode == 408: // RFC 3261 section 12.2.1.2
		l.broken(res.StatusCode)
	case res.StatusCode == 500 && number(res, "Retry-After") >= 0 && l.re.tries < maxTries:
		l.re.tries++
		l.retry(sdp, time.Duration(min(10, number(res, "Retry-After")))*time.Second)
	default:
		l.refused(res.StatusCode)
	}
}

// refused: the session stays as it was.
func (l *leg) refused(code int) {
	l.say(roamline.Reanswered{At: now(), Leg: l.id, Cause: causeOf(code)})
	l.next()
}

// broken: the far end knows the dialog no more, or does not answer.
func (l *leg) broken(code int) {
	l.bye(roamline.Unreachable, nil)
	l.end(roamline.Unreachable, code)
}

// retry sends the offer again after a while, unless a newer one waits.
func (l *leg) retry(sdp []byte, after time.Duration) {
	if len(l.re.wanted) == 0 {
		l.re.wanted = [][]byte{sdp}
	}
	l.re.timer = time.AfterFunc(after, func() {
		l.lock()
		defer l.unlock()
		l.re.timer = nil
		l.next()
	})
}

// glareWait is how long to wait after a 491: the owner of the Call-ID 2.1 to 4 s,
// the other up to 2 s, in units of 10 ms (RFC 3261 section 14.1).
func glareWait(owner bool) time.Duration {
	if owner {
		return time.Duration(210+rand.IntN(191)) * 10 * time.Millisecond
	}
	return time.Duration(rand.IntN(201)) * 10 * time.Millisecond
}
