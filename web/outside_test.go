package web

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/roamline/roamline"
)

// A doors is a system outside with its credential.
type doors struct {
	h          *house
	id         string
	credential string
	sent       int
}

// doors is a system that may speak for what scope says.
func (h *house) doors(scope string) *doors {
	h.t.Helper()
	var y systemJSON
	h.local("POST", "/systems", `{"name":"Badge doors","enabled":true,`+scope+`}`).want(201).into(&y)
	o := &doors{h: h, id: y.ID}
	o.rotate("")
	return o
}

func (o *doors) rotate(query string) (s systemSecretJSON) {
	o.h.t.Helper()
	o.h.local("POST", "/systems/"+o.id+"/secret"+query, "").want(200).into(&s)
	o.credential = s.Credential
	return s
}

// say posts an event; what is said of it last counts.
func (o *doors) say(what, event string) answered {
	o.h.t.Helper()
	o.sent++
	body := fmt.Sprintf(`{"at":%q,"nonce":"nonce-%04d"`, o.h.clock().Format(time.RFC3339Nano), o.sent)
	if strings.Contains(event, `"at"`) || strings.Contains(event, `"nonce"`) {
		body = "{"
	} else {
		body += ","
	}
	return o.send(what, body+event+"}")
}

func (o *doors) send(what, body string) answered {
	o.h.t.Helper()
	r := httptest.NewRequest("POST", origin+base+"/outside/"+what, strings.NewReader(body))
	r.RemoteAddr = "192.0.2.50:4711"
	set(r, []string{"Authorization", "Bearer " + o.credential})
	return o.h.serve(o.h.handler, r)
}

func TestASystemSaysWhoIsWhere(t *testing.T) {
	h := open(t)
	ana := h.user(`{"login":"ana","name":"Ana"}`)
	h.user(`{"login":"bo","name":"Bo"}`)
	b := h.admitted()
	o := h.doors(`"clients":["` + string(b.id) + `"]`)
	event := fmt.Sprintf(`"client":%q,"user":"ana"`, b.id)
	var done bindingJSON
	o.say("identifications", event).want(200).into(&done)
	if done.User != ana || done.Method != "outside" || done.By != "Badge doors" {
		t.Errorf("%+v", done)
	}
	o.say("releases", fmt.Sprintf(`"client":%q,"user":"bo"`, b.id)).want(409)
	o.say("releases", event).want(204)
	o.say("releases", fmt.Sprintf(`"client":%q`, b.id)).want(409)
	if len(h.board.freed) != 1 || h.board.freed[0] != "outside: Badge doors" {
		t.Errorf("released: %q", h.board.freed)
	}
}

func TestAnEventIsTakenOnceAndInTime(t *testing.T) {
	h := open(t)
	h.user(`{"login":"ana","name":"Ana"}`)
	b := h.admitted()
	o := h.doors(`"clients":["` + string(b.id) + `"]`)
	h.pass(time.Hour)
	event := func(ago time.Duration, nonce string) string {
		return fmt.Sprintf(`"client":%q,"user":"ana","at":%q,"nonce":%q`, b.id, h.clock().Add(-ago).Format(time.RFC3339Nano), nonce)
	}
	for _, row := range []struct {
		rule   string
		ago    time.Duration
		nonce  string
		status int
		kind   string
	}{
		{"a minute ago is in time", time.Minute, "nonce-a1", 200, ""},
		{"the same nonce again is not", 0, "nonce-a1", 409, typeSeen},
		{"a minute ahead is in time", -time.Minute, "nonce-a2", 200, ""},
		{"more than a minute ago is not", time.Minute + 1, "nonce-a3", 422, typeClock},
		{"nor more than a minute ahead", -time.Minute - 1, "nonce-a3", 422, typeClock},
		{"what was refused did not use its nonce", 0, "nonce-a3", 200, ""},
		{"a nonce must be long enough", 0, "short", 422, ""},
	} {
		t.Run(row.rule, func(t *testing.T) {
			if a := o.say("identifications", event(row.ago, row.nonce)).want(row.status); row.kind != "" && a.kind() != row.kind {
				t.Errorf("type %q", a.kind())
			}
		})
	}
	kept := event(-time.Minute, "nonce-a4")
	o.say("identifications", kept).want(200)
	h.pass(2 * time.Minute)
	if a := o.say("identifications", kept).want(409); a.kind() != typeSeen {
		t.Error("an event was forgotten while it was still in time")
	}
	o.say("releases", `"client":"x","at":"noon","nonce":"nonce-a5"`).want(422)
	again, err := New(h.Options)
	if err != nil {
		t.Fatal(err)
	}
	h.handler = again.Handler()
	if a := o.say("identifications", event(time.Second, "nonce-a6")).want(409); a.kind() != typeSeen {
		t.Error("an event from before the start was taken")
	}
}

func TestASystemSpeaksOnlyForItsOwn(t *testing.T) {
	h := open(t)
	h.user(`{"login":"ana","name":"Ana"}`)
	h.user(`{"login":"off","name":"Off","disabled":true}`)
	var floor, ward placeJSON
	h.local("POST", "/places", `{"name":"Floor 2"}`).want(201).into(&floor)
	h.local("POST", "/places", `{"name":"Ward 3","within":"`+floor.ID+`"}`).want(201).into(&ward)
	inside, outside, waiting := h.admitted(), h.admitted(), h.browser()
	h.local("PATCH", "/clients/"+string(inside.id), `{"name":"Desk 1","placeId":"`+ward.ID+`"}`, "If-Match", "*").want(200)
	h.local("PATCH", "/clients/"+string(waiting.id), `{"placeId":"`+ward.ID+`"}`, "If-Match", "*").want(200)
	o := h.doors(`"places":["` + floor.ID + `"]`)
	for _, row := range []struct {
		rule, client, user string
		status             int
	}{
		{"a client at a place within", string(inside.id), "ana", 200},
		{"by its name", "Desk 1", "ana", 200},
		{"not one elsewhere", string(outside.id), "ana", 403},
		{"not one that is not there", "c_none", "ana", 403},
		{"not one that waits to be admitted", string(waiting.id), "ana", 409},
		{"not somebody who is not there", "Desk 1", "eve", 422},
		{"not somebody who is switched off", "Desk 1", "off", 403},
	} {
		t.Run(row.rule, func(t *testing.T) {
			o.say("identifications", fmt.Sprintf(`"client":%q,"user":%q`, row.client, row.user)).want(row.status)
		})
	}
	o.say("releases", fmt.Sprintf(`"client":%q`, outside.id)).want(403)
	h.local("PATCH", "/systems/"+o.id, `{"places":[]}`, "If-Match", "*").want(200)
	o.say("identifications", `"client":"Desk 1","user":"ana"`).want(403)
}

func TestASecretIsReplacedWithinADay(t *testing.T) {
	h := open(t)
	b := h.admitted()
	h.user(`{"login":"ana","name":"Ana"}`)
	o := h.doors(`"clients":["` + string(b.id) + `"]`)
	event := fmt.Sprintf(`"client":%q,"user":"ana"`, b.id)
	first := o.credential
	if s := o.rotate(""); s.FormerUntil == nil || !s.FormerUntil.Equal(h.clock().Add(24*time.Hour)) {
		t.Errorf("%+v", s)
	}
	second := o.credential
	with := func(credential string, status int) {
		t.Helper()
		o.credential = credential
		if a := o.say("identifications", event).want(status); status == 401 && a.header.Get("WWW-Authenticate") != "Bearer" {
			t.Errorf("challenge %q", a.header.Get("WWW-Authenticate"))
		}
	}
	with(first, 200)
	with(second, 200)
	h.pass(24 * time.Hour)
	with(first, 401)
	with(second, 200)
	o.rotate("?atOnce=true")
	third := o.credential
	with(second, 401)
	with(third, 200)
	with("", 401)
	with("rls_"+o.id+".", 401)
	with("rls_s_none.AAAA", 401)
	with(third[:len(third)-1], 401)
	h.local("PATCH", "/systems/"+o.id, `{"enabled":false}`, "If-Match", "*").want(200)
	with(third, 403)
	h.local("DELETE", "/systems/"+o.id, "", "If-Match", "*").want(204)
	with(third, 401)
}

func TestTheStoreKeepsNoSecret(t *testing.T) {
	h := open(t)
	o := h.doors(`"clients":[]`)
	_, secret, _ := readCredential(o.credential)
	kept, err := h.Store.Secret(t.Context(), roamline.SystemHash, o.id)
	if err != nil || kept.Reveal() != hashOf(secret) {
		t.Errorf("%v", err)
	}
	if a := h.local("GET", "/systems", ""); strings.Contains(a.text, secret) || strings.Contains(a.text, kept.Reveal()) {
		t.Error("the list tells a secret")
	}
}

func TestSystems(t *testing.T) {
	h := open(t)
	o := h.doors(`"clients":[]`)
	h.local("POST", "/systems", `{"name":"Badge doors","enabled":true}`).want(409)
	h.local("POST", "/systems", `{"name":" ","enabled":true}`).want(422)
	h.local("POST", "/systems", `{"name":"a\nb","enabled":true}`).want(422)
	h.local("POST", "/systems", `{"name":"x","enabled":true,"places":["p_none"]}`).want(422)
	h.local("POST", "/systems", `{"name":"x","enabled":true,"clients":["c_none"]}`).want(422)
	h.local("POST", "/systems/s_none/secret", "").want(404)
	tag := h.local("GET", "/systems/"+o.id, "").want(200).header.Get("ETag")
	h.local("PUT", "/systems/"+o.id, `{"name":"Doors","enabled":true}`).want(428)
	h.local("PUT", "/systems/"+o.id, `{"name":"Doors","enabled":true}`, "If-Match", tag).want(200)
	h.local("PUT", "/systems/"+o.id, `{"name":"Doors","enabled":true}`, "If-Match", tag).want(412)
	h.local("DELETE", "/systems/"+o.id, "", "If-Match", tag).want(412)
	b := h.admitted()
	b.do("GET", "/systems", "").want(403)
	b.do("POST", "/outside/identifications", `{}`).want(401)
	h.local("POST", "/outside/identifications", `{}`).want(403)
}

func TestASystemMaySayOnlySoMuch(t *testing.T) {
	h := open(t)
	o := h.doors(`"clients":[]`)
	for range 100 {
		o.say("releases", `"client":"x"`).want(403)
	}
	a := o.say("releases", `"client":"x"`).want(429)
	if a.header.Get("Retry-After") != "1" {
		t.Errorf("Retry-After %q", a.header.Get("Retry-After"))
	}
	o.credential = "rls_s_x.guess"
	for range 99 {
		o.say("releases", `"client":"x"`).want(401)
	}
	o.say("releases", `"client":"x"`).want(429)
}

func FuzzCredential(f *testing.F) {
	f.Add("rls_s_abc.SECRET")
	f.Add("rls_.")
	f.Add("rls_a.b.c")
	f.Fuzz(func(t *testing.T, text string) {
		id, secret, ok := readCredential(text)
		if ok && credential(id, secret) != text {
			t.Errorf("%q became %q and %q", text, id, secret)
		}
	})
}

func FuzzSecrets(f *testing.F) {
	f.Add("aa")
	f.Add("aa bb 1800000000")
	f.Fuzz(func(t *testing.T, text string) {
		s, ok := readSecrets(text)
		if !ok {
			return
		}
		if again, ok := readSecrets(s.String()); !ok || again != s {
			t.Errorf("%+v became %+v", s, again)
		}
	})
}
