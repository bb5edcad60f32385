package sip

import (
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/roamline/roamline"
)

// Reliable provisional responses (RFC 3262). We send them to who requires them,
// and acknowledge those that arrive.

// reliableOut is what we know of ours to one INVITE.
type reliableOut struct {
	wanted  bool // the INVITE requires 100rel
	rseq    uint32
	pending *sip.Response
	queue   []func() // responses that wait for the PRACK of the one before
	timer   *time.Timer
	every   time.Duration
	spent   time.Duration
}

// maxQueued bounds the provisional responses that wait.
const maxQueued = 8

func (r *reliableOut) unacknowledged() bool { return r.pending != nil }

// send sends a provisional response, repeating it until its PRACK comes; 64*T1
// without one refuse the call (RFC 3262 section 3).
func (r *reliableOut) send(l *leg, code int, reason string, sdp []byte) {
	if r.pending != nil {
		if len(r.queue) < maxQueued {
			r.queue = append(r.queue, func() { r.send(l, code, reason, sdp) })
		}
		return
	}
	if r.rseq == 0 {
		r.rseq = 1 + rand.Uint32N(1<<30)
	} else {
		r.rseq++
	}
	s := l.invite
	res := l.reply(s, code, reason, sdp, sip.NewHeader("Require", "100rel"),
		sip.NewHeader("RSeq", strconv.FormatUint(uint64(r.rseq), 10)))
	r.pending, r.every, r.spent = res, l.door.opt.T1, 0
	s.respond(res)
	r.timer = time.AfterFunc(r.every, func() {
		l.lock()
		defer l.unlock()
		if r.pending != res || l.phase != phaseIn {
			return
		}
		if r.spent += r.every; r.spent >= l.door.late() {
			r.pending = nil
			s.answer(504, "Server Time-out")
			l.invite = nil
			l.end(roamline.NotAcknowledged, 0)
			return
		}
		s.respond(res)
		r.every *= 2
		r.timer.Reset(r.every)
	})
}

func (r *reliableOut) stop() {
	if r.timer != nil {
		r.timer.Stop()
	}
	r.pending, r.queue = nil, nil
}

// prack takes a PRACK (RFC 3262 section 3).
func (l *leg) prack(s *serverTx) {
	r := &l.reliable
	words := strings.Fields(header(s.req, "RAck"))
	if r.pending == nil || l.invite == nil || len(words) != 3 || words[0] != strconv.FormatUint(uint64(r.rseq), 10) ||
		words[1] != strconv.FormatUint(uint64(l.invite.req.CSeq().SeqNo), 10) || words[2] != string(sip.INVITE) {
		s.answer(481, "Call/Transaction Does Not Exist")
		return
	}
	r.timer.Stop()
	r.pending = nil
	s.answer(200, "OK")
	if len(r.queue) > 0 {
		next := r.queue[0]
		r.queue = r.queue[1:]
		next()
		return
	}
	if l.accept != nil {
		l.acceptNow(l.accept.sdp)
	}
}

// acknowledge sends the PRACK for a reliable provisional response that arrived;
// false if it came out of order or for the second time (RFC 3262 section 4).
func (a *attempt) acknowledge(res *sip.Response) bool {
	if res.StatusCode <= 100 || !hasToken(res, "Require", "100rel") {
		return true
	}
	rseq := number(res, "RSeq")
	if rseq <= 0 {
		return true
	}
	l, tag := a.leg, tagOf(res.To())
	last, seen := a.rseq[tag]
	if seen && rseq != last+1 {
		return false
	}
	if !seen && len(a.rseq) >= maxForks {
		return false
	}
	a.rseq[tag] = rseq
	g := l.dialog // of this fork only; the number goes on for all
	g.answered(res)
	g.flow = a.flow
	req := l.door.within(&g, sip.PRACK, l.door.way(&g, l.peer))
	l.dialog.localSeq = g.localSeq
	req.AppendHeader(sip.NewHeader("RAck", strconv.Itoa(rseq)+" "+strconv.FormatUint(uint64(a.req.CSeq().SeqNo), 10)+" INVITE"))
	req.SetBody(nil)
	l.ask(req, nil)
	return true
}
