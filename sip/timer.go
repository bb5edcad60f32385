package sip

import (
	"strconv"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/roamline/roamline"
)

// Session timers (RFC 4028): towards trunks and phones. None towards browsers:
// they come and go with their flow, and JsSIP would send re-INVITEs that nobody
// needs.

const (
	minSE       = 90   // seconds (RFC 4028 section 5)
	maxInterval = 7200 // seconds that we go up to when a peer wants more
)

// A session is the timer of one leg, and the description last agreed, for
// refreshing by re-INVITE.
type session struct {
	interval time.Duration // 0: no timer
	ours     bool          // we refresh
	updates  bool          // the peer takes UPDATE
	theirs   int           // seconds that their request asked for; 0: none
	refresh  string        // refresher that it named
	able     bool          // it supports timers
	wish     int           // seconds that we propose; 0: Options
	sdp      []byte
	timer    *time.Timer
}

// asked reads what a request of theirs wants. Not ok: the interval is below
// what we take; least is that (RFC 4028 section 9).
func (s *session) asked(req *sip.Request, f *flow) (least string, ok bool) {
	s.updates = hasToken(req, "Allow", "UPDATE")
	s.theirs, s.able = 0, false
	if f.web() {
		return "", true
	}
	s.able = hasToken(req, "Supported", "timer") || hasToken(req, "Require", "timer")
	want := number(req, "Session-Expires")
	if want < 0 {
		return "", true
	}
	if want < minSE {
		return strconv.Itoa(minSE), !s.able
	}
	s.theirs = want
	s.refresh = refresher(req)
	return "", true
}

func refresher(msg sip.Message) string {
	for _, p := range strings.Split(header(msg, "Session-Expires"), ";")[1:] {
		if k, v, _ := strings.Cut(strings.TrimSpace(p), "="); strings.EqualFold(k, "refresher") {
			return strings.ToLower(strings.TrimSpace(v))
		}
	}
	return ""
}

// agreed decides the timer for our 2xx to their request and returns its headers
// (RFC 4028 section 9). They are the uac of that request.
func (s *session) agreed(l *leg, req *sip.Request) []sip.Header {
	if l.dialog.flow.web() || !s.able && s.theirs == 0 {
		return nil
	}
	s.interval = l.door.opt.SessionExpires
	if t := time.Duration(s.theirs) * time.Second; t > 0 && t < s.interval {
		s.interval = t
	}
	if least := number(req, "Min-SE"); least > 0 && least <= maxInterval && s.interval < time.Duration(least)*time.Second {
		s.interval = time.Duration(least) * time.Second
	}
	who := s.refresh
	if !s.able {
		who = "uas"
	} else if who == "" {
		who = "uac"
	}
	s.ours = who == "uas"
	hs := []sip.Header{sip.NewHeader("Session-Expires", seconds(s.interval)+";refresher="+who)}
	if s.able && who == "uac" {
		hs = append(hs, sip.NewHeader("Require", "timer"))
	}
	return hs
}

// propose puts what we want into an INVITE or UPDATE of ours (RFC 4028 section
// 7.1). In a session that has a refresher the part stays (section 7.4).
func (s *session) propose(l *leg, req *sip.Request, f *flow) {
	if f.web() {
		return
	}
	req.AppendHeader(sip.NewHeader("Supported", supported))
	interval := l.door.opt.SessionExpires
	if s.interval > 0 {
		interval = s.interval
	}
	if s.wish > 0 {
		interval = time.Duration(s.wish) * time.Second
	}
	v := seconds(interval)
	if s.interval > 0 {
		if s.ours {
			v += ";refresher=uac"
		} else {
			v += ";refresher=uas"
		}
	}
	req.AppendHeader(sip.NewHeader("Session-Expires", v))
	req.AppendHeader(sip.NewHeader("Min-SE", strconv.Itoa(max(minSE, s.wish))))
}

// raise repeats a request with the interval that a 422 asks for.
func (s *session) raise(req *sip.Request, least int) {
	s.wish = least
	for req.RemoveHeader("Session-Expires") || req.RemoveHeader("Min-SE") {
	}
	req.AppendHeader(sip.NewHeader("Session-Expires", strconv.Itoa(least)))
	req.AppendHeader(sip.NewHeader("Min-SE", strconv.Itoa(least)))
}

// adopt takes what a 2xx to our request says (RFC 4028 section 7.2).
func (s *session) adopt(l *leg, res *sip.Response) {
	if len(res.GetHeaders("Allow")) > 0 {
		s.updates = hasToken(res, "Allow", "UPDATE")
	}
	want := number(res, "Session-Expires")
	if want <= 0 || l.dialog.flow.web() {
		s.interval = 0
		return
	}
	s.interval = time.Duration(max(want, minSE)) * time.Second
	s.ours = refresher(res) != "uas"
}

// start sets the timer anew: we refresh at half the interval, or end the
// session when they have not in time (RFC 4028 section 10).
func (s *session) start(l *leg) {
	if s.timer != nil {
		s.timer.Stop()
		s.timer = nil
	}
	if s.interval == 0 {
		return
	}
	if s.ours {
		s.timer = time.AfterFunc(s.interval/2, func() {
			l.lock()
			defer l.unlock()
			l.refreshSession()
		})
		return
	}
	s.timer = time.AfterFunc(s.interval-min(32*time.Second, s.interval/3), func() {
		l.lock()
		defer l.unlock()
		l.expire()
	})
}

func (l *leg) expire() {
	if l.phase != phaseUp {
		return
	}
	l.bye(roamline.SessionExpired, nil)
	l.end(roamline.SessionExpired, 0)
}

// refreshSession sends an UPDATE without a description to a peer that takes
// one, else a re-INVITE with the same description as last.
func (l *leg) refreshSession() {
	if l.phase != phaseUp {
		return
	}
	if l.re.tx != nil || l.invite != nil || l.repeat != nil { // that will refresh
		l.session.timer.Reset(5 * time.Second)
		return
	}
	f := l.door.way(&l.dialog, l.peer)
	method := sip.INVITE
	if l.session.updates {
		method = sip.UPDATE
	}
	req := l.door.within(&l.dialog, method, f)
	l.session.propose(l, req, f)
	if method == sip.INVITE {
		req.AppendHeader(sip.NewHeader("Content-Type", sdpType))
		req.SetBody(l.session.sdp)
	} else {
		req.SetBody(nil)
	}
	var tx *clientTx
	tx = l.ask(req, func(res *sip.Response, err error) {
		l.lock()
		defer l.unlock()
		if l.re.tx == tx {
			l.re.tx = nil
		}
		l.refreshed(req, res, err)
	})
	if method == sip.INVITE {
		l.re.tx = tx
	}
}

// refreshed takes the response to our refresh.
func (l *leg) refreshed(req *sip.Request, res *sip.Response, err error) {
	if l.phase != phaseUp {
		return
	}
	switch {
	case err != nil || res.StatusCode == 481 || res.StatusCode == 408:
		l.expire()
	case res.IsSuccess():
		if req.Method == sip.INVITE {
			if l.ack != nil && l.answerSeq == res.CSeq().SeqNo {
				l.ackFlow.WriteMsg(l.ack)
				return
			}
			l.acknowledgeSeq(res.CSeq().SeqNo)
		}
		l.dialog.refresh(res)
		l.session.adopt(l, res)
		l.session.start(l)
		l.next()
	case res.StatusCode == 422:
		if least := number(res, "Min-SE"); least > 0 && least <= maxInterval {
			l.session.wish, l.session.interval = least, time.Duration(least)*time.Second
		}
		l.again(time.Second)
	case res.StatusCode == 491:
		l.again(glareWait(l.offerer))
	default: // it will not; try again while the session lasts
		l.again(max(time.Second, l.session.interval/8))
	}
}

// again refreshes once more after a while.
func (l *leg) again(after time.Duration) {
	if l.session.timer != nil {
		l.session.timer.Stop()
	}
	l.session.timer = time.AfterFunc(after, func() {
		l.lock()
		defer l.unlock()
		l.refreshSession()
	})
	l.next()
}

// acknowledgeSeq sends the ACK for the 2xx to an INVITE with that number.
func (l *leg) acknowledgeSeq(seq uint32) {
	f := l.door.way(&l.dialog, l.peer)
	ack := l.door.within(&l.dialog, sip.ACK, f)
	ack.CSeq().SeqNo = seq
	ack.SetBody(nil)
	ack.SetTransport(viaTransport(f.transport))
	l.ack, l.ackFlow, l.answerSeq = ack, f, seq
	f.WriteMsg(ack)
}
