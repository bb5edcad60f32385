package sip

import (
	"strings"
	"testing"

	"github.com/emiago/sipgo/sip"
	"github.com/roamline/roamline"
)

// callIn lets the carrier call; the caller must end the leg.
func (w *world) callIn(callID string, extra string, body string) roamline.Offered {
	w.Helper()
	w.carrier.ask("INVITE", "sip:+34910000001@127.0.0.1", callID, 1, "", extra, body)
	w.carrier.response(w, 100)
	return event[roamline.Offered](w)
}

// answered lets the carrier call and accepts it; it returns our tag.
func (w *world) answered(callID, extra string) (roamline.Offered, string) {
	w.Helper()
	ev := w.callIn(callID, extra, offerText)
	must(w, w.door.Accept(ev.Leg, []byte(crlf(answerText))))
	tag := tagOf(w.carrier.response(w, 200).To())
	w.carrier.ask("ACK", "sip:roamline@"+w.udp.String(), callID, 1, tag, "", "")
	event[roamline.Confirmed](w)
	return ev, tag
}

func must(w *world, err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func TestCallComesIn(t *testing.T) {
	w := open(t)
	ev := w.callIn("in-1", "", offerText)
	if ev.Dialed != "+34910000001" || ev.From.Number != "carrier" || ev.Path.Trunk != "t_carrier" || ev.Path.Transport != "udp" ||
		string(ev.SDP) != crlf(offerText) || ev.Path.Voice != roamline.RTP {
		t.Fatalf("offered %+v", ev)
	}
	must(w, w.door.Alert(ev.Leg, nil))
	ringing := w.carrier.response(w, 180)
	must(w, w.door.Accept(ev.Leg, []byte(crlf(answerText))))
	ok := w.carrier.response(w, 200)
	if tagOf(ringing.To()) != tagOf(ok.To()) || tagOf(ok.To()) == "" {
		t.Errorf("To tags %q and %q differ", tagOf(ringing.To()), tagOf(ok.To()))
	}
	if string(ok.Body()) != crlf(answerText) {
		t.Errorf("answer %q", ok.Body())
	}
	if w.door.CallID(ev.Leg) != "in-1" {
		t.Errorf("Call-ID %q", w.door.CallID(ev.Leg))
	}
	w.carrier.ask("ACK", ok.Contact().Address.String(), "in-1", 1, tagOf(ok.To()), "", "")
	event[roamline.Confirmed](w)
	w.carrier.ask("BYE", ok.Contact().Address.String(), "in-1", 2, tagOf(ok.To()), "", "")
	w.carrier.response(w, 200)
	if ev := event[roamline.HungUp](w); ev.Cause != roamline.Normal {
		t.Errorf("cause %q", ev.Cause)
	}
	if err := w.door.Hangup(ev.Leg, roamline.Normal); roamline.KindOf(err) != roamline.NotFound {
		t.Errorf("hanging up again: %v", err)
	}
}

func TestCallGoesToBrowser(t *testing.T) {
	w := open(t)
	b := w.browser("tab1")
	w.registerWeb(b)
	paths := w.door.Paths(roamline.Target{Client: "c_web"})
	if len(paths) != 1 || paths[0].Voice != roamline.DTLS || paths[0].Transport != "ws" {
		t.Fatalf("paths %+v", paths)
	}
	must(w, w.door.Invite("k_1.2", roamline.Target{Client: "c_web"}, paths[0], roamline.Party{Number: "+34600000001", Name: `Ana "A"`}, roamline.Manual, []byte(crlf(offerText))))
	inv := b.request(w, sip.INVITE)
	if inv.Recipient.Host != "tab1.invalid" || inv.From().Address.User != "+34600000001" || string(inv.Body()) != crlf(offerText) ||
		len(inv.GetHeaders("Session-Expires")) != 0 {
		t.Errorf("INVITE %s", inv)
	}
	b.respond(inv, 180, "")
	if ev := event[roamline.Progressed](w); ev.Code != 180 || ev.Leg != "k_1.2" {
		t.Errorf("%+v", ev)
	}
	b.respond(inv, 200, "", answerText)
	if ev := event[roamline.Answered](w); string(ev.SDP) != crlf(answerText) {
		t.Errorf("%+v", ev)
	}
	ack := b.request(w, sip.ACK)
	if tagOf(ack.To()) != b.tag || ack.CSeq().SeqNo != inv.CSeq().SeqNo {
		t.Errorf("ACK %s", ack)
	}
	b.every = true
	b.respond(inv, 200, "", answerText) // repeated: acknowledged again
	b.request(w, sip.ACK)
	must(w, w.door.Hangup("k_1.2", roamline.Elsewhere))
	bye := b.request(w, sip.BYE)
	if header(bye, "Reason") != `SIP;cause=200;text="Call completed elsewhere"` || bye.CSeq().SeqNo <= inv.CSeq().SeqNo {
		t.Errorf("BYE %s", bye)
	}
	b.respond(bye, 200, "")
	w.quietly()
	if strings.Contains(w.trace.text(), "web-token") {
		t.Error("the trace shows a token")
	}
}

func TestRefusals(t *testing.T) {
	for _, row := range []struct {
		cause roamline.Cause
		code  int
	}{
		{roamline.Busy, 486}, {roamline.NoAnswer, 480}, {roamline.UnknownNumber, 404}, {roamline.Declined, 603},
		{roamline.NotThere, 480}, {roamline.Incompatible, 488}, {roamline.Broken, 500},
	} {
		t.Run(string(row.cause), func(t *testing.T) {
			w := open(t)
			ev := w.callIn("refused", "", offerText)
			must(w, w.door.Alert(ev.Leg, nil))
			tag := tagOf(w.carrier.response(w, 180).To())
			must(w, w.door.Hangup(ev.Leg, row.cause))
			res := w.carrier.response(w, row.code)
			if tagOf(res.To()) != tag {
				t.Error("another To tag")
			}
			w.quietly()
		})
	}
}

func TestCallerGivesUp(t *testing.T) {
	w := open(t)
	branch := newBranch()
	w.carrier.askAs(branch, "INVITE", "sip:1001@127.0.0.1", "cancelled", 1, "", "", offerText)
	w.carrier.response(w, 100)
	ev := event[roamline.Offered](w)
	must(w, w.door.Alert(ev.Leg, nil))
	tag := tagOf(w.carrier.response(w, 180).To())
	w.carrier.askAs(branch, "CANCEL", "sip:1001@127.0.0.1", "cancelled", 1, "", "", "")
	for range 2 { // the 200 to CANCEL and the 487, in this order or the other
		msg := w.carrier.message(w).(*sip.Response)
		if tagOf(msg.To()) != tag {
			t.Errorf("%s has the tag %q, the 180 had %q", msg.StartLine(), tagOf(msg.To()), tag)
		}
	}
	w.carrier.askAs(branch, "ACK", "sip:1001@127.0.0.1", "cancelled", 1, tag, "", "")
	if ev := event[roamline.HungUp](w); ev.Cause != roamline.Cancelled {
		t.Errorf("cause %q", ev.Cause)
	}
	w.carrier.nothing(w)
}
