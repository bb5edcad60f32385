package sip

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/icholy/digest"
	"github.com/roamline/roamline"
)

// prove answers a challenge for the phone; the algorithm is chosen.
func prove(w *world, res *sip.Response, method, target, algorithm, password string, count int) string {
	w.Helper()
	for _, h := range res.GetHeaders("WWW-Authenticate") {
		ch, err := digest.ParseChallenge(h.Value())
		if err != nil || ch.Algorithm != algorithm {
			continue
		}
		cred, err := digest.Digest(ch, digest.Options{Method: method, URI: target, Username: "desk7", Password: password, Count: count})
		must(w, err)
		return "Authorization: " + cred.String() + "\n"
	}
	w.Fatalf("no challenge for %s in %s", algorithm, res)
	return ""
}

// registerPhone registers the phone c_phone and returns its challenge.
func (w *world) registerPhone(u *ua, algorithm string) *sip.Response {
	w.Helper()
	ch := u.challenge(w)
	u.askRegister("reg-"+u.name, 2, prove(w, ch, "REGISTER", "sip:roamline", algorithm, phonePassword, 1), 300)
	u.response(w, 200)
	if ev := event[roamline.Reached](w); ev.Client != "c_phone" {
		w.Fatalf("reached %q", ev.Client)
	}
	return ch
}

func (u *ua) challenge(w *world) *sip.Response {
	w.Helper()
	u.askRegister("reg-"+u.name, 1, "", 300)
	return u.response(w, 401)
}

func (u *ua) askRegister(callID string, seq int, extra string, expires int) {
	u.write(fmt.Sprintf(`REGISTER sip:roamline SIP/2.0
Via: %s;branch=%s;rport
Max-Forwards: 70
From: <sip:desk7@roamline>;tag=%s
To: <sip:desk7@roamline>
Call-ID: %s
CSeq: %d REGISTER
Contact: <sip:%s@%s>
Expires: %d
%sContent-Length: 0

`, u.via, newBranch(), u.tag, callID, seq, u.name, u.host, expires, extra))
}

func TestPhoneRegistersByDigest(t *testing.T) {
	for _, algorithm := range []string{"MD5", "SHA-256"} {
		t.Run(algorithm, func(t *testing.T) {
			w := open(t)
			u := w.phone("desk")
			ch := w.registerPhone(u, algorithm)
			p := w.door.Paths(roamline.Target{Client: "c_phone"})
			if len(p) != 1 || p[0].Transport != "udp" || p[0].Remote != u.addr || p[0].Voice != roamline.RTP || p[0].Symmetric {
				t.Errorf("paths %+v", p)
			}
			// Its INVITE proves itself too, with the next count.
			u.ask("INVITE", "sip:1001@roamline", "from-phone", 1, "", prove(w, ch, "INVITE", "sip:1001@roamline", algorithm, phonePassword, 2), offerText)
			u.response(w, 100)
			ev := event[roamline.Offered](w)
			if ev.Path.Client != "c_phone" || ev.Dialed != "1001" {
				t.Errorf("%+v", ev)
			}
			must(w, w.door.Hangup(ev.Leg, roamline.Busy))
			u.response(w, 486)
			if strings.Contains(w.trace.text(), "cnonce") {
				t.Error("the trace shows credentials")
			}
		})
	}
}

func TestDigestRefuses(t *testing.T) {
	w := open(t)
	u := w.phone("desk")
	ch := u.challenge(w)
	right := prove(w, ch, "REGISTER", "sip:roamline", "MD5", phonePassword, 1)
	u.askRegister("r", 2, prove(w, ch, "REGISTER", "sip:roamline", "MD5", "wrong", 1), 300)
	u.response(w, 401)
	u.askRegister("r", 3, prove(w, ch, "REGISTER", "sip:somewhere", "MD5", phonePassword, 1)+"", 300)
	u.response(w, 200) // the uri need not be the Request-URI
	event[roamline.Reached](w)
	u.askRegister("r", 4, right, 300) // the count was used
	if res := u.response(w, 401); !strings.Contains(header(res, "WWW-Authenticate"), "stale=true") {
		t.Errorf("%s", res)
	}
	u.askRegister("r", 5, strings.Replace(right, `username="desk7"`, `username="desk8"`, 1), 300)
	u.response(w, 401)
	u.askRegister("r", 6, "Authorization: Bearer web-token\n", 300) // not over UDP
	u.response(w, 401)
	w.quietly()
}

func TestStrangersLearnNothing(t *testing.T) {
	w := open(t)
	var first string
	for i, target := range []string{"sip:1001@roamline", "sip:nobody@roamline", "sip:+34910000001@roamline"} {
		for j, method := range []string{"INVITE", "OPTIONS", "BYE", "MESSAGE", "SUBSCRIBE", "JUMP", "CANCEL"} {
			u := w.phoneAt("stranger", fmt.Sprintf("127.0.2.%d:0", 1+10*i+j))
			u.ask(method, target, "x", 1, "", "", "")
			res := u.response(w, 401)
			var shape []string
			for _, h := range res.Headers() {
				shape = append(shape, h.Name())
			}
			if s := strings.Join(shape, " "); first == "" {
				first = s
			} else if s != first {
				t.Errorf("%s %s differs: %s, not %s", method, target, s, first)
			}
		}
	}
	u := w.phone("stranger")
	u.ask("ACK", "sip:1001@roamline", "x", 1, "", "", "")
	u.nothing(w)
	for range 3 * strangerBurst {
		u.ask("OPTIONS", "sip:1001@roamline", "x", 1, "", "", "")
	}
	got := 0
	for {
		select {
		case <-u.in:
			got++
			continue
		case <-time.After(3 * testT1):
		}
		break
	}
	if got > strangerBurst+5 {
		t.Errorf("%d answers to %d requests of one address", got, 3*strangerBurst)
	}
	w.quietly()
}

func TestRegistrationRules(t *testing.T) {
	w := open(t)
	b := w.browser("tab")
	w.registerWeb(b)
	b.register("web-token", "c_web", 30, 2)
	if res := b.response(w, 423); header(res, "Min-Expires") != "60" {
		t.Errorf("%s", res)
	}
	b.register("web-token", "c_other", 600, 3) // not her address
	b.response(w, 403)
	b.register("other-token", "c_other", 600, 4) // another client at the same connection
	b.response(w, 403)
	b.register("no-token", "c_web", 600, 5)
	b.response(w, 401)
	b.register("web-token", "c_web", 7200, 6)
	res := b.response(w, 200)
	if v := res.Contact().Value(); !strings.Contains(v, "expires=600") && !strings.Contains(v, "expires=599") || !strings.Contains(v, "reg-id=1") {
		t.Errorf("a contact outlives its token: %s", v)
	}
	w.quietly()
	// The same instance and reg-id by another flow replaces the first (RFC 5626).
	again := w.browser("tab")
	again.register("web-token", "c_web", 600, 1)
	again.response(w, 200)
	if p := w.door.Paths(roamline.Target{Client: "c_web"}); len(p) != 1 {
		t.Errorf("paths %+v", p)
	}
	again.register("web-token", "c_web", 0, 2)
	again.response(w, 200)
	if ev := event[roamline.Lost](w); ev.Client != "c_web" || w.door.Reached("c_web") {
		t.Errorf("lost %q", ev.Client)
	}
}

func TestClosedFlowIsLost(t *testing.T) {
	w := open(t)
	b := w.browser("tab")
	w.registerWeb(b)
	path := w.door.Paths(roamline.Target{Client: "c_web"})[0]
	must(w, w.door.Invite("k_1.2", roamline.Target{Client: "c_web"}, path, roamline.Party{Number: "1001"}, roamline.Manual, []byte(crlf(offerText))))
	b.request(w, sip.INVITE)
	b.web.CloseNow()
	var lost, hung bool
	for range 2 {
		select {
		case ev := <-w.events:
			switch ev := ev.(type) {
			case roamline.Lost:
				lost = true
			case roamline.HungUp:
				hung = ev.Leg == "k_1.2" && ev.Cause == roamline.Unreachable
			}
		case <-time.After(5 * time.Second):
		}
	}
	if !lost || !hung {
		t.Errorf("lost %v, hung up %v", lost, hung)
	}
	err := w.door.Invite("k_1.3", roamline.Target{Client: "c_web"}, path, roamline.Party{}, roamline.Manual, nil)
	if roamline.KindOf(err) != roamline.Unavailable {
		t.Errorf("inviting a gone client: %v", err)
	}
}

func TestCallSurvivesReconnect(t *testing.T) {
	w := open(t)
	b := w.browser("tab")
	w.registerWeb(b)
	path := w.door.Paths(roamline.Target{Client: "c_web"})[0]
	must(w, w.door.Invite("k_1.2", roamline.Target{Client: "c_web"}, path, roamline.Party{Number: "1001"}, roamline.Manual, []byte(crlf(offerText))))
	inv := b.request(w, sip.INVITE)
	b.respond(inv, 200, "", answerText)
	event[roamline.Answered](w)
	b.request(w, sip.ACK)
	b.web.CloseNow()
	event[roamline.Lost](w)
	again := w.browser("tab")
	w.registerWeb(again)
	must(w, w.door.Hangup("k_1.2", roamline.Normal))
	if bye := again.request(w, sip.BYE); tagOf(bye.To()) != b.tag {
		t.Errorf("%s", bye)
	}
	w.quietly()
}

func TestCallOfAClientThatStaysAway(t *testing.T) {
	w := open(t)
	b := w.browser("tab")
	w.registerWeb(b)
	path := w.door.Paths(roamline.Target{Client: "c_web"})[0]
	must(w, w.door.Invite("k_1.2", roamline.Target{Client: "c_web"}, path, roamline.Party{Number: "1001"}, roamline.Manual, []byte(crlf(offerText))))
	inv := b.request(w, sip.INVITE)
	b.respond(inv, 200, "", answerText)
	event[roamline.Answered](w)
	w.door.Drop("c_web")
	event[roamline.Lost](w)
	if ev := event[roamline.HungUp](w); ev.Cause != roamline.Unreachable {
		t.Errorf("%+v", ev)
	}
}

// shelf is Registrations in memory.
type shelf struct {
	mu  sync.Mutex
	all map[roamline.ClientID][]roamline.Contact
}

func (s *shelf) PutContacts(_ context.Context, c roamline.ClientID, list []roamline.Contact) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(list) == 0 {
		delete(s.all, c)
	} else {
		s.all[c] = list
	}
	return nil
}

func (s *shelf) Contacts(context.Context) (map[roamline.ClientID][]roamline.Contact, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make(map[roamline.ClientID][]roamline.Contact)
	for c, list := range s.all {
		all[c] = append([]roamline.Contact(nil), list...)
	}
	return all, nil
}

func TestPhoneSurvivesRestart(t *testing.T) {
	kept := &shelf{all: map[roamline.ClientID][]roamline.Contact{}}
	w := open(t, func(o *Options) { o.Registrations = kept })
	u := w.phone("desk")
	w.registerPhone(u, "MD5")
	b := w.browser("tab")
	w.registerWeb(b)
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	must(w, w.door.Close(ctx))
	if got, _ := kept.Contacts(ctx); len(got) != 1 || len(got["c_phone"]) != 1 {
		t.Fatalf("kept %+v", got)
	}
	w = open(t, func(o *Options) { o.Registrations = kept })
	if ev := event[roamline.Reached](w); ev.Client != "c_phone" {
		t.Errorf("%+v", ev)
	}
	path := w.door.Paths(roamline.Target{Client: "c_phone"})
	if len(path) != 1 || path[0].Remote != u.addr {
		t.Fatalf("paths %+v", path)
	}
	must(w, w.door.Invite("k_1.2", roamline.Target{Client: "c_phone"}, path[0], roamline.Party{Number: "1001"}, roamline.Manual, []byte(crlf(offerText))))
	u.to = w.udp
	u.respond(u.request(w, sip.INVITE), 603, "")
	if ev := event[roamline.HungUp](w); ev.Cause != roamline.Declined {
		t.Errorf("%+v", ev)
	}
}
