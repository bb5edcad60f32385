package web

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/roamline/roamline"
)

func TestNewKeyWaits(t *testing.T) {
	h := open(t)
	b := h.browser()
	var here hereJSON
	b.do("GET", "/client", "").want(200).into(&here)
	if here.Client.State != "waiting" || here.Client.Kind != "browser" || here.User != nil || here.Binding != nil {
		t.Errorf("%+v", here)
	}
	if here.Site.SIP.Realm != "phone.example" || here.Site.Emergency[0] != "112" || len(here.Site.Methods) != 2 {
		t.Errorf("%+v", here.Site)
	}
	first := b.id
	b.renew().want(200)
	if b.id != first {
		t.Error("the same key became another client")
	}
}

func TestWaitingClientMayDoNothing(t *testing.T) {
	h := open(t)
	b := h.browser()
	for _, row := range []struct{ method, path, body string }{
		{"POST", "/client/identifications", `{"method":"pin","login":"ana","secret":"1234"}`},
		{"DELETE", "/client/binding", ""},
		{"GET", "/client/calls", ""},
		{"GET", "/client/contacts", ""},
		{"GET", "/users", ""},
		{"POST", "/users", `{"login":"x","name":"X"}`},
		{"GET", "/clients", ""},
		{"POST", "/clients/" + string(b.id) + "/admit", "{}"},
		{"POST", "/import", "login,name\nx,X"},
		{"GET", "/calls", ""},
	} {
		if a := b.do(row.method, row.path, row.body).want(403); a.kind() != typeWaiting {
			t.Errorf("%s %s: type %q", row.method, row.path, a.kind())
		}
	}
}

func TestWhoMayAdminister(t *testing.T) {
	h := open(t)
	h.user(`{"login":"ana","name":"Ana","password":"long enough"}`)
	b := h.admitted()
	if a := b.do("GET", "/users", "").want(403); a.kind() != typeNobody {
		t.Errorf("nobody there: %q", a.kind())
	}
	b.do("POST", "/client/identifications", `{"method":"password","login":"ana","secret":"long enough"}`).want(200)
	b.do("GET", "/users", "").want(403)
	root := h.administrator()
	root.do("GET", "/users", "").want(200)
	h.board.bind("u_gone", root.id, roamline.Identification{})
	root.do("GET", "/users", "").want(403)
}

func TestDisabledAdministratorIsNone(t *testing.T) {
	h := open(t)
	root := h.administrator()
	u, _, _ := h.Store.Users().List(t.Context(), roamline.Query{})
	h.local("PATCH", "/users/"+string(u[0].ID), `{"disabled":true}`, "If-Match", "*").want(200)
	root.do("GET", "/users", "").want(403)
	if len(h.board.freed) != 1 || h.board.freed[0] != roamline.UserDisabled {
		t.Errorf("released: %v", h.board.freed)
	}
}

func TestIdentify(t *testing.T) {
	h := open(t)
	ana := h.user(`{"login":"ana","name":"Ana","numbers":["+34 910 000 001"],"password":"long enough","pin":"4711"}`)
	b := h.admitted()
	a := b.do("POST", "/client/identifications", `{"method":"password","login":"ana","secret":"wrong"}`).want(401)
	if a.kind() != typeWrong || strings.HasPrefix(a.header.Get("WWW-Authenticate"), "DPoP") {
		t.Errorf("a wrong secret looks like a wrong token: %q %q", a.kind(), a.header.Get("WWW-Authenticate"))
	}
	var done identifiedJSON
	b.do("POST", "/client/identifications", `{"method":"pin","login":"ana","secret":"4711"}`).want(200).into(&done)
	if done.User.ID != ana || done.User.Numbers[0] != "+34910000001" || done.Binding.Method != "pin" {
		t.Errorf("%+v", done)
	}
	if got := h.board.last; got.Client != b.id || got.From != "192.0.2.7" || !got.At.Equal(h.clock()) {
		t.Errorf("claim %+v", got)
	}
	b.do("DELETE", "/client/binding", "").want(204)
	b.do("DELETE", "/client/binding", "").want(204)
	b.do("POST", "/client/identifications", `{"method":"badge","login":"ana","secret":"x"}`).want(422)
}

type later struct{ error }

func (later) RetryAfter() time.Duration { return 90 * time.Second }

func TestTooManyTriesSayForHowLong(t *testing.T) {
	h := open(t)
	b := h.admitted()
	h.board.busy = &roamline.Error{Op: "test", Kind: roamline.Exhausted, Err: later{http.ErrBodyNotAllowed}}
	a := b.do("POST", "/client/identifications", `{"method":"pin","login":"ana","secret":"4711"}`).want(429)
	if a.header.Get("Retry-After") != "90" {
		t.Errorf("Retry-After %q", a.header.Get("Retry-After"))
	}
}

func TestMethodTheSiteDoesNotAllow(t *testing.T) {
	h := open(t, func(o *Options) { o.Methods = []roamline.Method{roamline.ByPassword} })
	b := h.admitted()
	b.do("POST", "/client/identifications", `{"method":"pin","login":"ana","secret":"4711"}`).want(403)
}

func TestSetUp(t *testing.T) {
	h := open(t)
	code, err := h.SetupCode(t.Context())
	if err != nil || len(code) != setupLength {
		t.Fatal(code, err)
	}
	b := h.browser()
	ask := func(code string) answered {
		return b.do("POST", "/setup", fmt.Sprintf(`{"code":%q,"login":"Root","name":"Root","password":"long enough","number":"1001"}`, code))
	}
	if a := ask("wrong").want(403); a.kind() != typeCode {
		t.Errorf("type %q", a.kind())
	}
	b.do("POST", "/client/enrol", `{"code":"`+code+`"}`).want(403) // one kind is not spent as another
	var done identifiedJSON
	ask(code).want(200).into(&done)
	if done.User.Login != "root" || done.User.Roles[0] != "administrator" || done.User.Numbers[0] != "1001" {
		t.Errorf("%+v", done.User)
	}
	b.do("GET", "/users", "").want(200)
	ask(code).want(403)
	if again, err := h.SetupCode(t.Context()); again != "" || err != nil {
		t.Errorf("a code although there is an administrator: %v %v", again, err)
	}
}

func TestSetUpFailedLeavesTheCode(t *testing.T) {
	h := open(t)
	code, _ := h.SetupCode(t.Context())
	h.user(`{"login":"root","name":"Root"}`)
	b := h.browser()
	b.do("POST", "/setup", fmt.Sprintf(`{"code":%q,"login":"root","name":"R","password":"long enough"}`, code)).want(409)
	b.do("POST", "/setup", fmt.Sprintf(`{"code":%q,"login":"boss","name":"R","password":"long enough"}`, code)).want(200)
}

func TestOneAdministratorOnlyBySetUp(t *testing.T) {
	h := open(t)
	one, _ := h.SetupCode(t.Context())
	two, _ := h.SetupCode(t.Context())
	b, c := h.browser(), h.browser()
	b.do("POST", "/setup", fmt.Sprintf(`{"code":%q,"login":"root","name":"R","password":"long enough"}`, one)).want(200)
	c.do("POST", "/setup", fmt.Sprintf(`{"code":%q,"login":"evil","name":"R","password":"long enough"}`, two)).want(409)
}

func TestEnrol(t *testing.T) {
	h := open(t)
	var code codeJSON
	h.local("POST", "/enrolment-codes", `{"name":"Ward 3, desk 2"}`).want(201).into(&code)
	if len(code.Code) != codeLength || !code.Expires.Equal(h.clock().Add(time.Hour)) {
		t.Errorf("%+v", code)
	}
	b, late := h.browser(), h.browser()
	typed := strings.ToLower(code.Code[:4]) + "-" + code.Code[4:] + " "
	var client thisClientJSON
	b.do("POST", "/client/enrol", fmt.Sprintf(`{"code":%q}`, typed)).want(200).into(&client)
	if client.State != "admitted" || client.Name != "Ward 3, desk 2" || client.ID != string(b.id) {
		t.Errorf("%+v", client)
	}
	late.do("POST", "/client/enrol", fmt.Sprintf(`{"code":%q}`, code.Code)).want(403)

	h.local("POST", "/enrolment-codes", `{}`).want(201).into(&code)
	h.pass(61 * time.Minute)
	late.renew().want(200)
	late.do("POST", "/client/enrol", fmt.Sprintf(`{"code":%q}`, code.Code)).want(403)
}

func TestWipedBrowserIsTheSameClientAgain(t *testing.T) {
	h := open(t)
	h.user(`{"login":"ana","name":"Ana"}`)
	old := h.admitted()
	h.local("PUT", "/clients/"+string(old.id)+"/binding", `{"user":"ana"}`).want(200)
	var code codeJSON
	h.local("POST", "/enrolment-codes", fmt.Sprintf(`{"clientId":%q}`, old.id)).want(201).into(&code)
	wiped := h.browser()
	waiting := wiped.id
	h.changed = nil
	var client thisClientJSON
	wiped.do("POST", "/client/enrol", fmt.Sprintf(`{"code":%q}`, code.Code)).want(200).into(&client)
	if client.ID != string(old.id) {
		t.Fatalf("became %s, not %s", client.ID, old.id)
	}
	if a := wiped.do("GET", "/client", "").want(401); a.kind() != typeToken {
		t.Errorf("the old token: %q", a.kind())
	}
	wiped.renew().want(200)
	if wiped.id != old.id {
		t.Error("the token is for another client")
	}
	if a := old.do("GET", "/client", "").want(401); a.kind() != typeToken {
		t.Errorf("the old key: %q", a.kind())
	}
	h.local("GET", "/clients/"+string(waiting), "").want(404)
	if _, bound := h.board.At(old.id); bound {
		t.Error("whoever was at the old key is still bound")
	}
	if !strings.Contains(strings.Join(h.changed, ";"), "credentials "+string(old.id)) {
		t.Errorf("nobody was told to cut the old flows: %v", h.changed)
	}
}

func TestWaitingRoomIsBounded(t *testing.T) {
	h := open(t, func(o *Options) {})
	h.tokens, h.novel = newLimiter(1e6, 1e6), newLimiter(1e6, 1e6)
	first := h.browser()
	for range maxWaiting - 1 {
		h.pass(time.Millisecond)
		h.browser()
	}
	first.do("GET", "/client", "").want(200)
	h.pass(time.Millisecond)
	h.browser()
	first.do("GET", "/client", "").want(401)
	waiting, _, err := h.Store.Clients().List(t.Context(), roamline.Query{Limit: 1000})
	if err != nil || len(waiting) != maxWaiting {
		t.Errorf("%d wait: %v", len(waiting), err)
	}
}

func TestNewKeysOfOneNetworkAreLimited(t *testing.T) {
	h := open(t)
	for range 20 {
		h.browser()
	}
	b := h.stranger()
	a := b.renew().want(429)
	if a.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	b.from = "198.51.100.1:1"
	b.renew().want(200)
	again := h.stranger()
	h.pass(5 * time.Second)
	again.renew().want(200)
}

func TestTokensOfOneNetworkAreLimited(t *testing.T) {
	h := open(t)
	b := h.browser()
	for range 59 {
		b.renew().want(200)
	}
	b.renew().want(429)
}

func TestCodesCanNotBeGuessedQuickly(t *testing.T) {
	h := open(t)
	b := h.browser()
	for range 60 {
		b.do("POST", "/client/enrol", `{"code":"AAAAAAAA"}`).want(403)
	}
	b.do("POST", "/client/enrol", `{"code":"AAAAAAAA"}`).want(429)
}

func TestDemonstrationAdmitsByItself(t *testing.T) {
	h := open(t, func(o *Options) { o.AdmitAll = true })
	b := h.browser()
	if _, _, err := h.Bearer(t.Context(), b.token); err != nil {
		t.Error(err)
	}
}

func TestRecentCallsAndContacts(t *testing.T) {
	h := open(t)
	ana := h.user(`{"login":"ana","name":"Ana","numbers":["1001"],"password":"long enough"}`)
	bo := h.user(`{"login":"bo","name":"Bo Diddley","numbers":["1002","1003"]}`)
	b := h.admitted()
	b.do("POST", "/client/identifications", `{"method":"password","login":"ana","secret":"long enough"}`).want(200)
	at := h.clock()
	for _, r := range []roamline.Record{
		{Call: "k_1", From: roamline.Party{Number: "+34600000001", Name: "Mum"}, To: "1001", User: roamline.UserID(ana),
			Direction: roamline.Inbound, Offered: at, Ended: at.Add(20 * time.Second), Cause: roamline.NoAnswer, EndedBy: "server"},
		{Call: "k_2", From: roamline.Party{Number: "1001", Name: "Ana"}, To: "1002", User: roamline.UserID(bo), CallerBy: roamline.UserID(ana),
			Direction: roamline.Within, Offered: at.Add(time.Minute), Answered: at.Add(61 * time.Second), Ended: at.Add(91 * time.Second),
			Cause: roamline.Normal, EndedBy: "caller"},
	} {
		if err := h.Store.AddRecord(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	var recent recentsJSON
	b.do("GET", "/client/calls?limit=10", "").want(200).into(&recent)
	if len(recent.Items) != 2 {
		t.Fatalf("%+v", recent)
	}
	if r := recent.Items[0]; r.Direction != "out" || r.Party.Number != "1002" || r.Party.Name != "Bo Diddley" || r.DurationMs != 30_000 || !r.Answered {
		t.Errorf("%+v", r)
	}
	if r := recent.Items[1]; r.Direction != "in" || r.Party.Name != "Mum" || r.Answered || r.DurationMs != 0 {
		t.Errorf("%+v", r)
	}
	for match, want := range map[string]int{"": 2, "diddley": 2, "1003": 2, "ana": 0, "nobody": 0} {
		var found contactsJSON
		b.do("GET", "/client/contacts?match="+match, "").want(200).into(&found)
		if len(found.Items) != want {
			t.Errorf("%q finds %+v", match, found.Items)
		}
	}
	var records recordsJSON
	h.local("GET", "/records?user="+bo, "").want(200).into(&records)
	if len(records.Items) != 1 || records.Items[0].CallerByName != "Ana" {
		t.Errorf("%+v", records)
	}
	h.local("GET", "/records/k_1", "").want(200)
	h.local("GET", "/records/k_9", "").want(404)
}
