package sip

import (
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/roamline/roamline"
)

// request takes a request within the leg's dialog, from who may speak in it.
func (l *leg) request(s *serverTx) {
	if !l.door.wellAsked(s, false) {
		return
	}
	l.lock()
	defer l.unlock()
	req := s.req
	if req.Method != sip.BYE && l.phase == phaseOver {
		s.answer(481, "Call/Transaction Does Not Exist")
		return
	}
	// RFC 3261 section 12.2.2: a number that was passed already.
	if seq := req.CSeq().SeqNo; seq < l.dialog.remoteSeq {
		s.answer(500, "Server Internal Error", sip.NewHeader("Retry-After", "1"))
		return
	} else {
		l.dialog.remoteSeq = seq
	}
	l.follow(s.in)
	switch req.Method {
	case sip.BYE:
		l.theirBye(s)
	case sip.INVITE:
		l.theirInvite(s)
	case sip.UPDATE:
		l.theirUpdate(s)
	case sip.PRACK:
		l.prack(s)
	case sip.INFO:
		l.info(s)
	case sip.OPTIONS:
		s.answer(200, "OK", sip.NewHeader("Accept", sdpType), sip.NewHeader("Allow", allowed), sip.NewHeader("Supported", supported))
	default:
		s.answer(481, "Call/Transaction Does Not Exist")
	}
}

// follow goes along when a client speaks from another flow or address.
func (l *leg) follow(f *flow) {
	if l.peer.client == "" || l.dialog.flow.same(f) {
		return
	}
	l.dialog.flow.uncarry(l)
	l.dialog.flow = f
	f.carry(l)
	if l.lost != nil {
		l.lost.Stop()
		l.lost = nil
	}
}

// theirBye ends the leg. Before the answer it takes the INVITE back (RFC 3261
// section 15.1.2).
func (l *leg) theirBye(s *serverTx) {
	s.answer(200, "OK")
	if l.phase == phaseOver {
		return
	}
	cause := causeOfReason(s.req, roamline.Normal)
	if l.invite != nil {
		l.invite.answer(487, "Request Terminated")
		l.invite = nil
	}
	if l.phase == phaseIn && cause == roamline.Normal {
		cause = roamline.Cancelled
	}
	if l.phase == phaseOut { // the callee gave up an early dialog
		l.cancelled = cause
		if l.out != nil && l.out.req != nil {
			l.out.cancel(cause)
		}
	}
	l.end(cause, 0)
}

// theirInvite takes a re-INVITE (RFC 3261 section 14.2).
func (l *leg) theirInvite(s *serverTx) {
	switch {
	case l.phase == phaseIn || l.phase == phaseAccepted && l.repeat != nil:
		s.answer(500, "Server Internal Error", sip.NewHeader("Retry-After", strconv.Itoa(rand.IntN(11))))
		return
	case l.invite != nil:
		s.answer(500, "Server Internal Error", sip.NewHeader("Retry-After", strconv.Itoa(rand.IntN(11))))
		return
	case l.re.tx != nil || l.phase == phaseOut: // glare
		s.answer(491, "Request Pending")
		return
	}
	if least, ok := l.session.asked(s.req, s.in); !ok {
		s.answer(422, "Session Interval Too Small", sip.NewHeader("Min-SE", least))
		return
	}
	s.answer(100, "Trying")
	l.invite, l.re.theirs = s, true
	l.say(roamline.Reoffered{At: now(), Leg: l.id, SDP: sdpOf(s.req)})
}

// theirUpdate takes an UPDATE (RFC 3311 section 5.2). Without a description it
// keeps the session alive, or changes the target.
func (l *leg) theirUpdate(s *serverTx) {
	if least, ok := l.session.asked(s.req, s.in); !ok {
		s.answer(422, "Session Interval Too Small", sip.NewHeader("Min-SE", least))
		return
	}
	sdp := sdpOf(s.req)
	switch {
	case sdp == nil:
		l.dialog.refresh(s.req)
		s.respond(l.reply(s, 200, "OK", nil, l.session.agreed(l, s.req)...))
		if l.phase == phaseUp {
			l.session.start(l)
		}
	case l.re.tx != nil || l.phase == phaseOut: // glare
		s.answer(491, "Request Pending")
	case l.invite != nil || l.phase != phaseUp:
		s.answer(500, "Server Internal Error", sip.NewHeader("Retry-After", strconv.Itoa(rand.IntN(11))))
	default:
		l.invite, l.re.theirs = s, true
		l.say(roamline.Reoffered{At: now(), Leg: l.id, SDP: sdp})
	}
}

// Reanswer is the switchboard's Signals.
func (d *Door) Reanswer(id roamline.LegID, sdp []byte, cause roamline.Cause) error {
	l, err := d.find("sip.Reanswer", id)
	if err != nil {
		return err
	}
	defer l.unlock()
	s := l.invite
	if s == nil || !l.re.theirs || l.phase != phaseUp && l.phase != phaseAccepted {
		return wrongState("sip.Reanswer", id)
	}
	l.invite, l.re.theirs = nil, false
	if cause != "" {
		v := verdictOf(cause)
		s.answer(v.code, v.text)
		l.next()
		return nil
	}
	l.dialog.refresh(s.req)
	l.session.sdp = sdp
	res := l.reply(s, 200, "OK", sdp, l.session.agreed(l, s.req)...)
	res.AppendHeader(sip.NewHeader("Supported", supported))
	if s.req.Method == sip.INVITE {
		l.repeatUntilACK(s, res)
	}
	s.respond(res)
	l.session.start(l)
	if s.req.Method != sip.INVITE {
		l.next()
	}
	return nil
}

// info takes digits that come by signalling (RFC 6086; the bodies are what
// phones send, and were never standardised).
func (l *leg) info(s *serverTx) {
	kind, _, _ := strings.Cut(strings.ToLower(header(s.req, "Content-Type")), ";")
	switch strings.TrimSpace(kind) {
	case "application/dtmf-relay", "application/dtmf":
		digit, ok := parseDigit(string(s.req.Body()))
		if !ok {
			s.answer(400, "Not a digit")
			return
		}
		s.answer(200, "OK")
		if l.phase == phaseUp || l.phase == phaseAccepted {
			l.say(roamline.Pressed{At: now(), Leg: l.id, Digit: digit})
		}
	default:
		if len(s.req.Body()) == 0 { // a keepalive
			s.answer(200, "OK")
			return
		}
		s.answer(415, "Unsupported Media Type", sip.NewHeader("Accept", accepted(sip.INFO)))
	}
}

// parseDigit reads "Signal=5\r\nDuration=160" or a bare digit.
func parseDigit(body string) (roamline.Digit, bool) {
	d := roamline.Digit{Duration: 160 * time.Millisecond}
	signal := strings.TrimSpace(body)
	for _, line := range strings.FieldsFunc(body, func(r rune) bool { return r == '\r' || r == '\n' }) {
		name, value, ok := strings.Cut(line, "=")
		if !ok {
			continue
		}
		switch value = strings.TrimSpace(value); strings.ToLower(strings.TrimSpace(name)) {
		case "signal":
			signal = value
		case "duration":
			if ms, err := strconv.ParseUint(value, 10, 16); err == nil && ms > 0 && ms <= 10000 {
				d.Duration = time.Duration(ms) * time.Millisecond
			}
		}
	}
	switch signal {
	case "10":
		signal = "*"
	case "11":
		signal = "#"
	case "12", "13", "14", "15":
		signal = string('A' + signal[1] - '2')
	}
	if len(signal) != 1 {
		return d, false
	}
	d.Key = strings.ToUpper(signal)[0]
	return d, strings.IndexByte("0123456789*#ABCD", d.Key) >= 0
}
