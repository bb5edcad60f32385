package sip

import (
	"strings"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/roamline/roamline"
)

func toCarrier(number roamline.Number) roamline.Target {
	return roamline.Target{Trunk: "t_carrier", Number: number}
}

// callOut calls through the trunk and returns the INVITE that arrives.
func (w *world) callOut(leg roamline.LegID) *sip.Request {
	w.Helper()
	must(w, w.door.Invite(leg, toCarrier("+34600000001"), roamline.Path{}, roamline.Party{Number: "+34910000001", Name: "Ana"}, roamline.Manual, []byte(crlf(offerText))))
	return w.carrier.request(w, sip.INVITE)
}

// up calls through the trunk and lets it answer.
func (w *world) up(leg roamline.LegID, extra string) (*sip.Request, *sip.Request) {
	w.Helper()
	inv := w.callOut(leg)
	w.carrier.respond(inv, 200, extra, answerText)
	event[roamline.Answered](w)
	return inv, w.carrier.request(w, sip.ACK)
}

func TestCallGoesOut(t *testing.T) {
	w := open(t)
	inv := w.callOut("k_2.2")
	if inv.Recipient.User != "+34600000001" || inv.From().Address.User != "+34910000001" || inv.MaxForwards().Val() != 70 {
		t.Errorf("INVITE %s", inv)
	}
	w.carrier.respond(inv, 183, "", answerText)
	if ev := event[roamline.Progressed](w); ev.Code != 183 || string(ev.SDP) != crlf(answerText) {
		t.Errorf("%+v", ev)
	}
	w.carrier.respond(inv, 486, "")
	w.carrier.request(w, sip.ACK)
	if ev := event[roamline.HungUp](w); ev.Cause != roamline.Busy || ev.Code != 486 {
		t.Errorf("%+v", ev)
	}
	if n := w.door.TrunkStatus()[0].Calls; n != 0 {
		t.Errorf("%d calls counted", n)
	}
}

func TestCancelAfterProvisional(t *testing.T) {
	w := open(t)
	w.carrier.every = true
	inv := w.callOut("k_3.2")
	must(w, w.door.Hangup("k_3.2", roamline.Elsewhere))
	w.carrier.request(w, sip.INVITE) // repeated; no CANCEL before it was heard of (RFC 3261 section 9.1)
	w.carrier.respond(inv, 180, "")
	cancel := w.carrier.request(w, sip.CANCEL)
	if header(cancel, "Reason") != `SIP;cause=200;text="Call completed elsewhere"` || cancel.Via().Value() != inv.Via().Value() {
		t.Errorf("CANCEL %s", cancel)
	}
	w.carrier.respond(cancel, 200, "")
	w.carrier.respond(inv, 487, "")
	w.carrier.request(w, sip.ACK)
	w.quietly()
}

func TestCancelCrossesAnswer(t *testing.T) {
	w := open(t)
	inv := w.callOut("k_4.2")
	w.carrier.respond(inv, 180, "")
	event[roamline.Progressed](w)
	must(w, w.door.Hangup("k_4.2", roamline.Elsewhere))
	cancel := w.carrier.request(w, sip.CANCEL)
	w.carrier.respond(inv, 200, "", answerText)
	ack := w.carrier.request(w, sip.ACK)
	bye := w.carrier.request(w, sip.BYE)
	if tagOf(ack.To()) != w.carrier.tag || tagOf(bye.To()) != w.carrier.tag || bye.CSeq().SeqNo <= inv.CSeq().SeqNo {
		t.Errorf("%s\n%s", ack, bye)
	}
	w.carrier.respond(cancel, 481, "")
	w.carrier.respond(bye, 200, "")
	w.quietly()
}

func TestSecondAnswerOfFork(t *testing.T) {
	w := open(t)
	inv, _ := w.up("k_5.2", "")
	w.carrier.respondAs("fork2", inv, 200, "", answerText)
	if ack := w.carrier.request(w, sip.ACK); tagOf(ack.To()) != "fork2" {
		t.Errorf("ACK %s", ack)
	}
	bye := w.carrier.request(w, sip.BYE)
	if tagOf(bye.To()) != "fork2" {
		t.Errorf("BYE %s", bye)
	}
	w.carrier.respond(bye, 200, "")
	w.quietly()
	must(w, w.door.Hangup("k_5.2", roamline.Normal))
	if bye := w.carrier.request(w, sip.BYE); tagOf(bye.To()) != w.carrier.tag {
		t.Errorf("BYE %s", bye)
	}
}

func TestAnswerRepeatsThenEnds(t *testing.T) {
	w := open(t)
	ev := w.callIn("noack", "", offerText)
	must(w, w.door.Accept(ev.Leg, []byte(crlf(answerText))))
	sent := 0
	for {
		msg := w.carrier.message(w)
		if _, ok := msg.(*sip.Request); ok {
			break // BYE
		}
		sent++
	}
	// Doubling to T2 = 8*T1, 64*T1 have room for eleven; at one pace for sixty-four.
	if sent < 8 || sent > 13 {
		t.Errorf("the 200 was sent %d times", sent)
	}
	if ev := event[roamline.HungUp](w); ev.Cause != roamline.NotAcknowledged {
		t.Errorf("cause %q", ev.Cause)
	}
}

func TestHangupBeforeACK(t *testing.T) {
	w := open(t)
	ev := w.callIn("early-bye", "", offerText)
	must(w, w.door.Accept(ev.Leg, []byte(crlf(answerText))))
	tag := tagOf(w.carrier.response(w, 200).To())
	must(w, w.door.Hangup(ev.Leg, roamline.Normal))
	w.carrier.ask("ACK", "sip:roamline@127.0.0.1", "early-bye", 1, tag, "", "")
	for { // repeated answers may come before
		if req, ok := w.carrier.message(w).(*sip.Request); ok {
			if req.Method != sip.BYE {
				t.Errorf("%s, not BYE", req.Method)
			}
			break
		}
	}
	w.quietly()
}

func TestByeBeforeAnswer(t *testing.T) {
	w := open(t)
	ev := w.callIn("bye-early", "", offerText)
	must(w, w.door.Alert(ev.Leg, nil))
	tag := tagOf(w.carrier.response(w, 180).To())
	w.carrier.ask("BYE", "sip:roamline@127.0.0.1", "bye-early", 2, tag, "", "")
	seen := map[int]bool{}
	for range 2 {
		seen[w.carrier.message(w).(*sip.Response).StatusCode] = true
	}
	if !seen[200] || !seen[487] {
		t.Errorf("answers %v", seen)
	}
	if ev := event[roamline.HungUp](w); ev.Cause != roamline.Cancelled {
		t.Errorf("cause %q", ev.Cause)
	}
}

func TestLateOffer(t *testing.T) {
	w := open(t)
	ev := w.callIn("late-offer", "", "")
	if ev.SDP != nil {
		t.Fatal("an offer where there is none")
	}
	must(w, w.door.Accept(ev.Leg, []byte(crlf(offerText))))
	tag := tagOf(w.carrier.response(w, 200).To())
	w.carrier.ask("ACK", "sip:roamline@127.0.0.1", "late-offer", 1, tag, "", answerText)
	if ev := event[roamline.Confirmed](w); string(ev.SDP) != crlf(answerText) {
		t.Errorf("answer %q", ev.SDP)
	}
}

func TestTheirReinvite(t *testing.T) {
	w := open(t)
	ev, tag := w.answered("re-in", "")
	w.carrier.ask("INVITE", "sip:roamline@127.0.0.1", "re-in", 2, tag, "", offerText)
	re := event[roamline.Reoffered](w)
	if re.Leg != ev.Leg || string(re.SDP) != crlf(offerText) {
		t.Fatalf("%+v", re)
	}
	// A second one meanwhile (RFC 3261 section 14.2).
	w.carrier.ask("INVITE", "sip:roamline@127.0.0.1", "re-in", 3, tag, "", offerText)
	if res := w.carrier.response(w, 500); header(res, "Retry-After") == "" {
		t.Error("no Retry-After")
	}
	w.carrier.ask("ACK", "sip:roamline@127.0.0.1", "re-in", 3, tag, "", "")
	must(w, w.door.Reanswer(ev.Leg, []byte(crlf(answerText)), ""))
	w.carrier.response(w, 200)
	w.carrier.ask("ACK", "sip:roamline@127.0.0.1", "re-in", 2, tag, "", "")
	// A refusal leaves the session as it was.
	w.carrier.ask("INVITE", "sip:roamline@127.0.0.1", "re-in", 4, tag, "", offerText)
	event[roamline.Reoffered](w)
	must(w, w.door.Reanswer(ev.Leg, nil, roamline.Incompatible))
	w.carrier.response(w, 488)
	w.carrier.ask("UPDATE", "sip:roamline@127.0.0.1", "re-in", 5, tag, "", offerText)
	event[roamline.Reoffered](w)
	must(w, w.door.Reanswer(ev.Leg, []byte(crlf(answerText)), ""))
	if res := w.carrier.response(w, 200); string(res.Body()) != crlf(answerText) {
		t.Error("no answer to UPDATE")
	}
}

func TestOurReinviteMeetsGlare(t *testing.T) {
	w := open(t)
	_, _ = w.up("k_6.2", "")
	must(w, w.door.Reoffer("k_6.2", []byte(crlf(offerText))))
	inv := w.carrier.request(w, sip.INVITE)
	// Theirs crosses ours.
	branch := w.carrier.ask("INVITE", "sip:roamline@127.0.0.1", inv.CallID().Value(), 1, tagOf(inv.From()), "", offerText)
	w.carrier.response(w, 491)
	w.carrier.askAs(branch, "ACK", "sip:roamline@127.0.0.1", inv.CallID().Value(), 1, tagOf(inv.From()), "", "")
	began := time.Now()
	w.carrier.respond(inv, 491, "")
	w.carrier.request(w, sip.ACK)
	again := w.carrier.request(w, sip.INVITE)
	if wait := time.Since(began); wait < 2*time.Second {
		t.Errorf("tried again after %v; who made the Call-ID waits 2.1 to 4 s", wait)
	}
	if again.CSeq().SeqNo <= inv.CSeq().SeqNo {
		t.Error("CSeq does not grow")
	}
	w.carrier.respond(again, 200, "", answerText)
	if ev := event[roamline.Reanswered](w); ev.Cause != "" || string(ev.SDP) != crlf(answerText) {
		t.Errorf("%+v", ev)
	}
	if ack := w.carrier.request(w, sip.ACK); ack.CSeq().SeqNo != again.CSeq().SeqNo {
		t.Error("ACK with another number")
	}
}

func TestTargetRefresh(t *testing.T) {
	w := open(t)
	ev, tag := w.answered("refresh", "")
	w.carrier.name = "elsewhere"
	w.carrier.ask("UPDATE", "sip:roamline@127.0.0.1", "refresh", 2, tag, "", "")
	w.carrier.response(w, 200)
	must(w, w.door.Hangup(ev.Leg, roamline.Normal))
	if bye := w.carrier.request(w, sip.BYE); bye.Recipient.User != "elsewhere" {
		t.Errorf("BYE to %s", bye.Recipient.String())
	}
}

func TestInDialogRequests(t *testing.T) {
	w := open(t)
	ev, tag := w.answered("within", "")
	stranger := w.phone("stranger")
	stranger.tag = w.carrier.tag
	stranger.ask("BYE", "sip:roamline@127.0.0.1", "within", 9, tag, "", "")
	stranger.response(w, 401)
	w.quietly()
	for _, row := range []struct {
		rule, method, extra, body string
		tag                       string
		code                      int
	}{
		{"a digit by INFO", "INFO", "Content-Type: application/dtmf-relay\n", "Signal=5\nDuration=200\n", tag, 200},
		{"an INFO of another kind", "INFO", "Content-Type: text/plain\n", "hello\n", tag, 415},
		{"another tag", "BYE", "", "", "nobody", 481},
		{"an unknown method", "JUMP", "", "", tag, 501},
		{"REFER is not for everybody", "REFER", "", "", tag, 405},
		{"an extension that we do not know", "OPTIONS", "Require: magic\n", "", tag, 420},
		{"a number that was passed", "OPTIONS", "", "", tag, 500},
		{"OPTIONS", "OPTIONS", "", "", tag, 200},
	} {
		w.carrier.seq++
		seq := 1 + w.carrier.seq
		if row.code == 500 {
			seq = 1
		}
		w.carrier.ask(row.method, "sip:roamline@127.0.0.1", "within", seq, row.tag, row.extra, row.body)
		if res := w.carrier.message(w).(*sip.Response); res.StatusCode != row.code {
			t.Errorf("%s: %s, want %d", row.rule, res.StartLine(), row.code)
		}
	}
	if p := event[roamline.Pressed](w); p.Leg != ev.Leg || p.Digit.Key != '5' || p.Digit.Duration != 200*time.Millisecond {
		t.Errorf("%+v", p)
	}
	if strings.Contains(w.trace.text(), "Signal=5") {
		t.Error("the trace shows a digit")
	}
}

func TestReliableProvisional(t *testing.T) {
	w := open(t)
	ev := w.callIn("prack", "Require: 100rel\n", offerText)
	must(w, w.door.Alert(ev.Leg, []byte(crlf(answerText))))
	res := w.carrier.response(w, 183)
	rseq := header(res, "RSeq")
	if rseq == "" || !hasToken(res, "Require", "100rel") {
		t.Fatalf("%s", res)
	}
	if again := w.carrier.response(w, 183); header(again, "RSeq") != rseq {
		t.Error("another RSeq")
	}
	must(w, w.door.Accept(ev.Leg, []byte(crlf(answerText)))) // waits for the PRACK
	w.carrier.ask("PRACK", "sip:roamline@127.0.0.1", "prack", 2, tagOf(res.To()), "RAck: "+rseq+" 1 INVITE\n", "")
	var codes []int
	for len(codes) < 2 {
		r := w.carrier.message(w).(*sip.Response)
		if r.StatusCode != 183 {
			codes = append(codes, r.StatusCode)
			if want := []sip.RequestMethod{sip.PRACK, sip.INVITE}[len(codes)-1]; r.CSeq().MethodName != want || r.StatusCode != 200 {
				t.Errorf("%s %s, want 200 for %s", r.StartLine(), r.CSeq().MethodName, want)
			}
		}
	}
}

func TestReliableProvisionalOfTheirs(t *testing.T) {
	w := open(t)
	inv := w.callOut("k_7.2")
	w.carrier.respond(inv, 183, "Require: 100rel\nRSeq: 17\n", answerText)
	prack := w.carrier.request(w, sip.PRACK)
	if header(prack, "RAck") != "17 1 INVITE" || tagOf(prack.To()) != w.carrier.tag {
		t.Errorf("PRACK %s", prack)
	}
	w.carrier.respond(prack, 200, "")
	event[roamline.Progressed](w)
	w.carrier.respond(inv, 183, "Require: 100rel\nRSeq: 17\n", answerText) // repeated
	w.carrier.respond(inv, 200, "")
	if ev := event[roamline.Answered](w); string(ev.SDP) != crlf(answerText) {
		t.Errorf("the answer of the 183 is lost: %+v", ev)
	}
	if ack := w.carrier.request(w, sip.ACK); ack.CSeq().SeqNo != 1 {
		t.Errorf("ACK %s", ack)
	}
	w.quietly()
}

func TestSessionTimers(t *testing.T) {
	t.Run("their refresh keeps it, its absence ends it", func(t *testing.T) {
		w := open(t)
		ev := w.callIn("se", "Supported: timer\nSession-Expires: 90;refresher=uac\n", offerText)
		must(w, w.door.Accept(ev.Leg, []byte(crlf(answerText))))
		if res := w.carrier.response(w, 200); header(res, "Session-Expires") != "90;refresher=uac" || !hasToken(res, "Require", "timer") {
			t.Errorf("%s", res)
		}
	})
	t.Run("too short an interval", func(t *testing.T) {
		w := open(t)
		w.carrier.ask("INVITE", "sip:1001@127.0.0.1", "short", 1, "", "Supported: timer\nSession-Expires: 10\n", offerText)
		if res := w.carrier.response(w, 422); header(res, "Min-SE") != "90" {
			t.Errorf("%s", res)
		}
	})
	t.Run("we refresh by UPDATE, and end what is gone", func(t *testing.T) {
		w := open(t)
		w.up("k_8.2", "Supported: timer\nAllow: INVITE, UPDATE\nSession-Expires: 90;refresher=uac\n")
		w.hurry("k_8.2")
		up := w.carrier.request(w, sip.UPDATE)
		if header(up, "Session-Expires") != "90;refresher=uac" || len(up.Body()) != 0 {
			t.Errorf("%s", up)
		}
		w.carrier.respond(up, 481, "")
		w.carrier.request(w, sip.BYE)
		if ev := event[roamline.HungUp](w); ev.Cause != roamline.SessionExpired {
			t.Errorf("cause %q", ev.Cause)
		}
	})
	t.Run("we refresh by re-INVITE where UPDATE is not taken", func(t *testing.T) {
		w := open(t)
		w.up("k_9.2", "Supported: timer\nAllow: INVITE\nSession-Expires: 90;refresher=uac\n")
		w.hurry("k_9.2")
		re := w.carrier.request(w, sip.INVITE)
		if string(re.Body()) != crlf(offerText) {
			t.Errorf("%s", re)
		}
		w.carrier.respond(re, 200, "Session-Expires: 90;refresher=uac\n", answerText)
		if ack := w.carrier.request(w, sip.ACK); ack.CSeq().SeqNo != re.CSeq().SeqNo {
			t.Errorf("%s", ack)
		}
		w.quietly()
	})
	t.Run("422 is answered with what it asks for", func(t *testing.T) {
		w := open(t)
		inv := w.callOut("k_10.2")
		w.carrier.respond(inv, 422, "Min-SE: 3600\n")
		w.carrier.request(w, sip.ACK)
		if again := w.carrier.request(w, sip.INVITE); header(again, "Session-Expires") != "3600" || header(again, "Min-SE") != "3600" {
			t.Errorf("%s", again)
		}
	})
}

// hurry lets a leg's session timer run out now.
func (w *world) hurry(id roamline.LegID) {
	w.Helper()
	l, err := w.door.find("test", id)
	must(w, err)
	defer l.unlock()
	if l.session.timer == nil {
		w.Fatal("no session timer runs")
	}
	l.session.timer.Reset(0)
}
