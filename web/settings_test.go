package web

import (
	"strings"
	"testing"
	"time"

	"github.com/roamline/roamline"
)

const anaSignsIn = `{"method":"password","login":"ana","secret":"long enough"}`

// anaAt is a house where Ana, whose number is 1001, is signed in at a client;
// Bo has 1002.
func anaAt(t *testing.T) (*house, *browser, string) {
	h := open(t, func(o *Options) { o.Site.WaitFor, o.Site.RingFor = 20*time.Second, 30*time.Second })
	id := h.user(`{"login":"ana","name":"Ana","numbers":["1001","+34 910 000 001"],"password":"long enough"}`)
	h.user(`{"login":"bo","name":"Bo","numbers":["1002"]}`)
	b := h.admitted()
	b.do("POST", "/client/identifications", anaSignsIn).want(200)
	return h, b, id
}

func (h *house) callsOf(id string) roamline.CallSettings {
	h.t.Helper()
	u, err := h.Store.Users().Get(h.t.Context(), id)
	if err != nil {
		h.t.Fatal(err)
	}
	return u.Calls
}

func TestSheSettlesWhatIsDoneWithHerCalls(t *testing.T) {
	h, b, id := anaAt(t)
	var s settingsJSON
	a := b.do("GET", "/client/settings", "").want(200).into(&s)
	if s.Calls != (callSettingsJSON{}) || s.RingMs != 30_000 || s.SiteWait != 20_000 || s.Emergency[0] != "112" {
		t.Errorf("at first: %+v", s)
	}
	b.do("PUT", "/client/settings", `{"doNotDisturb":true}`).want(428)
	tag := a.header.Get("ETag")
	a = b.do("PUT", "/client/settings", `{"forwardAlways":"1002","forwardBusy":"+34 600 000 001","forwardNoAnswer":"1002","forwardNotSignedIn":"1002","doNotDisturb":true,"waitMs":60000}`, "If-Match", tag).want(200).into(&s)
	want := roamline.CallSettings{Always: "1002", Busy: "+34600000001", NoAnswer: "1002", NotSignedIn: "1002", DoNotDisturb: true, Wait: time.Minute}
	if got := h.callsOf(id); got != want || s.Calls.Busy != "+34600000001" || *s.Calls.WaitMs != 60_000 {
		t.Errorf("kept %+v, shown %+v", got, s.Calls)
	}
	b.do("PUT", "/client/settings", `{}`, "If-Match", tag).want(412)
	b.do("PUT", "/client/settings", `{"waitMs":0}`, "If-Match", a.header.Get("ETag")).want(200)
	if got := h.callsOf(id); got != (roamline.CallSettings{Wait: roamline.NoWait}) {
		t.Errorf("all off, no waiting: %+v", got)
	}
	b.do("PUT", "/client/settings", `{}`, "If-Match", "*").want(200)
	if got := h.callsOf(id); got != (roamline.CallSettings{}) {
		t.Errorf("all off: %+v", got)
	}
	if u, _ := h.Store.Users().Get(t.Context(), id); u.Name != "Ana" || u.Disabled {
		t.Errorf("something else changed: %+v", u)
	}
}

func TestForwardsThatAreRefused(t *testing.T) {
	h, b, id := anaAt(t)
	for _, row := range []struct{ rule, number, says string }{
		{"an emergency number", "112", "emergency"},
		{"her own extension", "1001", "her own"},
		{"her own number", "+34 910 000 001", "her own"},
		{"an extension of nobody", "1999", "leads to nobody"},
		{"a word", "bo", ""},
	} {
		t.Run(row.rule, func(t *testing.T) {
			for _, field := range []string{"forwardAlways", "forwardBusy", "forwardNoAnswer", "forwardNotSignedIn"} {
				asked := `{"` + field + `":"` + row.number + `"}`
				a := b.do("PUT", "/client/settings", asked, "If-Match", "*").want(422)
				if !strings.Contains(a.text, `"body.`+field+`"`) || !strings.Contains(a.text, row.says) {
					t.Errorf("does not say where or why: %s", a.text)
				}
				a = h.local("PATCH", "/users/"+id, `{"calls":`+asked+`}`, "If-Match", "*").want(422)
				if !strings.Contains(a.text, `"body.calls.`+field+`"`) || !strings.Contains(a.text, row.says) {
					t.Errorf("does not say where or why: %s", a.text)
				}
			}
		})
	}
	b.do("PUT", "/client/settings", `{"waitMs":-1}`, "If-Match", "*").want(422)
	b.do("PUT", "/client/settings", `{"waitMs":600001}`, "If-Match", "*").want(422)
	if got := h.callsOf(id); got != (roamline.CallSettings{}) {
		t.Errorf("kept: %+v", got)
	}
}

func TestOnlyThePersonWhoIsThereSettles(t *testing.T) {
	h, b, id := anaAt(t)
	b.do("DELETE", "/client/binding", "").want(204)
	b.do("GET", "/client/settings", "").want(403)
	b.do("PUT", "/client/settings", `{"doNotDisturb":true}`, "If-Match", "*").want(403)
	if h.callsOf(id).DoNotDisturb {
		t.Error("changed by nobody")
	}
}

func TestAdministratorSettlesCalls(t *testing.T) {
	h, _, id := anaAt(t)
	path := "/users/" + id
	var u userJSON
	h.local("PATCH", path, `{"calls":{"forwardBusy":"1002","waitMs":5000}}`, "If-Match", "*").want(200).into(&u)
	if u.Calls.Busy != "1002" || *u.Calls.WaitMs != 5000 {
		t.Errorf("%+v", u.Calls)
	}
	h.local("PATCH", path, `{"calls":{"doNotDisturb":true}}`, "If-Match", "*").want(200)
	if got, want := h.callsOf(id), (roamline.CallSettings{Busy: "1002", DoNotDisturb: true, Wait: 5 * time.Second}); got != want {
		t.Errorf("only what is named: %+v, want %+v", got, want)
	}
	h.local("PATCH", path, `{"calls":{"forwardBusy":"","doNotDisturb":null,"waitMs":null}}`, "If-Match", "*").want(200)
	if got := h.callsOf(id); got != (roamline.CallSettings{}) {
		t.Errorf("taken back: %+v", got)
	}
	h.local("PATCH", path, `{"calls":{"forwardNoAnswer":"1002"}}`, "If-Match", "*").want(200)
	h.local("PUT", path, `{"login":"ana","name":"Ana"}`, "If-Match", "*").want(200)
	h.local("DELETE", "/numbers/1002", "", "If-Match", "*").want(204)
	h.local("PATCH", path, `{"name":"Ana María"}`, "If-Match", "*").want(200)
	if got := h.callsOf(id); got != (roamline.CallSettings{NoAnswer: "1002"}) {
		t.Errorf("a change of something else: %+v", got)
	}
}
