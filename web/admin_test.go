package web

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/roamline/roamline"
)

func TestUsers(t *testing.T) {
	h := open(t)
	id := h.user(`{"login":"Ana","name":" Ana ","numbers":["1001"],"password":"long enough","pin":"4711","language":"es-ES"}`)
	var u userJSON
	a := h.local("GET", "/users/"+id, "").want(200).into(&u)
	if u.Login != "ana" || u.Name != "Ana" || u.Numbers[0] != "1001" || a.header.Get("ETag") != etag(roamline.Rev(u.Rev)) {
		t.Errorf("%+v %s", u, a.header.Get("ETag"))
	}
	if strings.Contains(a.text, "hash") || strings.Contains(a.text, "long enough") {
		t.Error("a secret is shown")
	}
	tag := a.header.Get("ETag")
	h.local("PATCH", "/users/"+id, `{"name":"Ana María"}`).want(428)
	a = h.local("PATCH", "/users/"+id, `{"name":"Ana María"}`, "If-Match", tag).want(200).into(&u)
	if u.Name != "Ana María" || u.Login != "ana" || u.Language != "es-ES" || len(u.Numbers) != 1 {
		t.Errorf("%+v", u)
	}
	h.local("PATCH", "/users/"+id, `{"name":"Stale"}`, "If-Match", tag).want(412)
	h.local("DELETE", "/users/"+id, "", "If-Match", tag).want(412)
	tag = a.header.Get("ETag")
	h.local("PUT", "/users/"+id, `{"login":"ana","name":"Ana","numbers":["1002","1003"]}`, "If-Match", tag).want(200).into(&u)
	if len(u.Numbers) != 2 || u.Language != "" {
		t.Errorf("%+v", u)
	}
	h.local("PUT", "/users/"+id+"/password", `{"password":"short"}`).want(422)
	h.local("PUT", "/users/"+id+"/password", `{"password":"longer than that"}`).want(204)
	h.local("PUT", "/users/"+id+"/pin", `{"pin":"815"}`).want(422)
	h.local("PUT", "/users/"+id+"/pin", `{"pin":""}`).want(204)
	if _, err := h.Store.Secret(t.Context(), roamline.PINHash, id); roamline.KindOf(err) != roamline.NotFound {
		t.Errorf("the PIN is still there: %v", err)
	}
	h.local("PUT", "/users/u_none/password", `{"password":"longer than that"}`).want(404)
	h.local("DELETE", "/users/"+id, "", "If-Match", "*").want(204)
	h.local("GET", "/numbers/1002", "").want(404)
	if _, err := h.Store.Secret(t.Context(), roamline.PasswordHash, id); roamline.KindOf(err) != roamline.NotFound {
		t.Errorf("the password is still there: %v", err)
	}
}

func TestCreatingAUserIsAllOrNothing(t *testing.T) {
	h := open(t)
	h.user(`{"login":"ana","name":"Ana","numbers":["1001"]}`)
	for _, row := range []struct {
		rule, body string
		status     int
		where      string
	}{
		{"login taken", `{"login":"ANA","name":"X"}`, 409, "body.login"},
		{"number taken", `{"login":"bo","name":"X","numbers":["1002","1001"]}`, 409, "body.numbers"},
		{"number unreadable", `{"login":"bo","name":"X","numbers":["1002","what"]}`, 422, "body.numbers[1]"},
		{"password too short", `{"login":"bo","name":"X","numbers":["1002"],"password":"short"}`, 422, "body.password"},
		{"pin too short", `{"login":"bo","name":"X","pin":"1"}`, 422, "body.pin"},
		{"no name", `{"login":"bo","name":"  "}`, 422, "body.name"},
		{"login with a space", `{"login":"b o","name":"X"}`, 422, "body.login"},
		{"unknown role", `{"login":"bo","name":"X","roles":["god"]}`, 422, "body.roles[0]"},
		{"unknown field", `{"login":"bo","name":"X","admin":true}`, 422, "body.admin"},
		{"language of no form", `{"login":"bo","name":"X","language":"!"}`, 422, "body.language"},
		{"not JSON", `{"login":`, 400, ""},
		{"not an object", `[]`, 422, ""},
	} {
		t.Run(row.rule, func(t *testing.T) {
			a := h.local("POST", "/users", row.body).want(row.status)
			if row.where != "" && !strings.Contains(a.text, `"`+row.where+`"`) {
				t.Errorf("does not say where: %s", a.text)
			}
			users, _, _ := h.Store.Users().List(t.Context(), roamline.Query{})
			numbers, _, _ := h.Store.Listings().List(t.Context(), roamline.Query{})
			if len(users) != 1 || len(numbers) != 1 {
				t.Errorf("%d users, %d numbers", len(users), len(numbers))
			}
		})
	}
}

func TestRefusalsEchoNoSecret(t *testing.T) {
	h := open(t)
	id := h.user(`{"login":"ana","name":"Ana"}`)
	for _, a := range []answered{
		h.local("PUT", "/users/"+id+"/password", `{"password":"hunter2"}`),
		h.local("PUT", "/users/"+id+"/pin", `{"pin":"hunter2hunter2"}`),
		h.local("POST", "/users", `{"login":"bo","name":"X","password":"hunter2","extra":"hunter2"}`),
		h.local("POST", "/trunks", `{"name":"t","enabled":true,"gateways":[],"password":["hunter2"]}`),
	} {
		if a.want(422); strings.Contains(a.text, "hunter2") {
			t.Error(a.text)
		}
	}
}

func TestLastAdministratorStays(t *testing.T) {
	h := open(t)
	root := h.administrator()
	users, _, _ := h.Store.Users().List(t.Context(), roamline.Query{})
	id := string(users[0].ID)
	root.do("PATCH", "/users/"+id, `{"roles":[]}`, "If-Match", "*").want(409)
	root.do("PATCH", "/users/"+id, `{"disabled":true}`, "If-Match", "*").want(409)
	root.do("DELETE", "/users/"+id, "", "If-Match", "*").want(409)
	h.user(`{"login":"second","name":"Second","roles":["administrator"]}`)
	root.do("PATCH", "/users/"+id, `{"roles":[]}`, "If-Match", "*").want(200)
}

func TestPages(t *testing.T) {
	h := open(t)
	for i := range 5 {
		h.user(fmt.Sprintf(`{"login":"user%d","name":"User %d"}`, i, i))
	}
	var seen []string
	next := ""
	for range 4 {
		var l listJSON[userJSON]
		h.local("GET", "/users?limit=2&after="+url.QueryEscape(next), "").want(200).into(&l)
		for _, u := range l.Items {
			seen = append(seen, u.Login)
		}
		if next = l.Next; next == "" {
			break
		}
	}
	if len(seen) != 5 || next != "" {
		t.Errorf("%v, then %q", seen, next)
	}
	h.local("GET", "/users?limit=0", "").want(422)
	h.local("GET", "/users?limit=1001", "").want(422)
	h.local("GET", "/users?limite=2", "").want(422)
}

func TestNumbers(t *testing.T) {
	h := open(t)
	ana := h.user(`{"login":"ana","name":"Ana"}`)
	bo := h.user(`{"login":"bo","name":"Bo"}`)
	to := func(id string) string {
		return fmt.Sprintf(`{"number":"+34 910 000 001","to":{"kind":"user","id":%q}}`, id)
	}
	var n numberJSON
	h.local("POST", "/numbers", to(ana)).want(201).into(&n)
	if n.Number != "+34910000001" || n.ToName != "Ana" {
		t.Errorf("%+v", n)
	}
	h.local("POST", "/numbers", to(bo)).want(409)
	h.local("POST", "/numbers", to("u_none")).want(422)
	path := "/numbers/" + url.PathEscape(n.Number)
	tag := h.local("GET", path, "").want(200).header.Get("ETag")
	anas := h.local("GET", "/users/"+ana, "").want(200).header.Get("ETag")
	h.local("PUT", path, fmt.Sprintf(`{"to":{"kind":"user","id":%q}}`, bo), "If-Match", tag).want(200).into(&n)
	if n.ToName != "Bo" {
		t.Errorf("%+v", n)
	}
	h.local("PATCH", "/users/"+ana, `{"name":"A"}`, "If-Match", anas).want(412) // her numbers changed
	h.local("DELETE", path, "", "If-Match", "*").want(204)
	h.local("GET", path, "").want(404)
}

func TestPlaces(t *testing.T) {
	h := open(t)
	var house, ward placeJSON
	h.local("POST", "/places", `{"name":"House"}`).want(201).into(&house)
	h.local("POST", "/places", fmt.Sprintf(`{"name":"Ward 3","within":%q}`, house.ID)).want(201).into(&ward)
	h.local("PUT", "/places/"+house.ID, fmt.Sprintf(`{"name":"House","within":%q}`, ward.ID), "If-Match", "*").want(422)
	h.local("POST", "/places", `{"name":"X","within":"p_none"}`).want(422)
	h.local("DELETE", "/places/"+house.ID, "", "If-Match", "*").want(409)
	h.local("DELETE", "/places/"+ward.ID, "", "If-Match", "*").want(204)
	h.local("DELETE", "/places/"+house.ID, "", "If-Match", "*").want(204)
}

func TestPhones(t *testing.T) {
	h := open(t)
	h.user(`{"login":"ana","name":"Ana"}`)
	var c clientJSON
	h.local("POST", "/clients", `{"name":"Desk 7","kind":"phone","login":"desk7","password":"Circle of Life"}`).want(201).into(&c)
	if c.State != "admitted" || c.Kind != "phone" {
		t.Errorf("%+v", c)
	}
	kept, err := h.Store.Secret(t.Context(), roamline.DigestHash, c.ID)
	// printf 'desk7:phone.example:Circle of Life' | md5sum; the same with sha256sum
	const want = "MD5:d8a77831b73665206dd17a300fed9007 SHA-256:fb18167a2b49eddaf620906f8278b140e5fb4e27918838f01de18a403cc08df3"

	if err != nil || kept.Reveal() != want {
		t.Errorf("%q %v", kept.Reveal(), err)
	}
	h.local("POST", "/clients", `{"name":"Desk 8","kind":"phone","login":"desk7","password":"Circle of Life"}`).want(409)
	h.local("POST", "/clients", `{"name":"Desk 8","kind":"phone","login":"desk:8","password":"Circle of Life"}`).want(422)
	h.local("PUT", "/clients/"+c.ID+"/digest", `{"login":"desk77","password":"another one"}`).want(204)
	after, _ := h.Store.Secret(t.Context(), roamline.DigestHash, c.ID)
	if after == kept {
		t.Error("nothing changed")
	}
	b := h.browser()
	h.local("PUT", "/clients/"+string(b.id)+"/digest", `{"password":"another one"}`).want(409)
	h.local("PUT", "/clients/"+string(b.id)+"/binding", `{"user":"ana"}`).want(409)
	h.local("PUT", "/clients/"+c.ID+"/binding", `{"user":"nobody"}`).want(422)
	h.local("PUT", "/clients/"+c.ID+"/binding", `{"user":"ANA"}`).want(200)
	h.local("GET", "/clients/"+c.ID, "").want(200).into(&c)
	if c.Binding == nil || c.Binding.UserName != "Ana" || c.Binding.Method != "administrator" {
		t.Errorf("%+v", c.Binding)
	}
	h.local("DELETE", "/clients/"+c.ID+"/binding", "").want(204)
	h.local("DELETE", "/clients/"+c.ID+"/binding", "").want(404)
	h.local("DELETE", "/clients/"+c.ID, "", "If-Match", "*").want(204)
	if _, err := h.Store.Secret(t.Context(), roamline.DigestHash, c.ID); roamline.KindOf(err) != roamline.NotFound {
		t.Errorf("its password is still there: %v", err)
	}
}

func TestTrunks(t *testing.T) {
	h := open(t)
	body := `{"name":"Carrier","enabled":true,"gateways":[{"host":"sip.carrier.example","transport":"udp"}],
		"sources":[{"prefix":"192.0.2.77"},{"prefix":"198.51.100.7/24","port":5060,"transport":"udp"}],
		"in":[{"match":"0034(\\d+)","with":"+34$1"}],"dials":["+34"],"codecs":["PCMA"],"password":"hush hush"}`
	var tr trunkJSON
	a := h.local("POST", "/trunks", body).want(201).into(&tr)
	if strings.Contains(a.text, "hush") || !tr.PasswordSet || tr.Sources[0].Prefix != "192.0.2.77/32" || tr.Sources[1].Prefix != "198.51.100.0/24" {
		t.Errorf("%s", a.text)
	}
	if kept, err := h.Store.Secret(t.Context(), roamline.TrunkSecret, tr.ID); err != nil || kept.Reveal() != "hush hush" {
		t.Errorf("%v", err)
	}
	h.local("POST", "/trunks", body).want(409)
	for where, bad := range map[string]string{
		"body.in[0].match":       `{"in":[{"match":"(","with":""}]}`,
		"body.sources[0].prefix": `{"sources":[{"prefix":"nowhere"}]}`,
		"body.gateways[0].host":  `{"gateways":[{"host":"a b","transport":"udp"}]}`,
		"body.register":          `{"register":true}`,
		"body.advertise":         `{"advertise":"here"}`,
		"body.dials[0]":          `{"dials":["x"]}`,
		"body.codecs[0]":         `{"codecs":["MP3"]}`,
		"body.username":          `{"username":"a\r\nb"}`,
	} {
		if a := h.local("PATCH", "/trunks/"+tr.ID, bad, "If-Match", "*").want(422); !strings.Contains(a.text, `"`+where+`"`) {
			t.Errorf("does not say %s: %s", where, a.text)
		}
	}
	h.local("PATCH", "/trunks/"+tr.ID, `{"enabled":false}`, "If-Match", etag(roamline.Rev(tr.Rev))).want(200).into(&tr)
	if tr.Enabled || len(tr.In) != 1 || !tr.PasswordSet {
		t.Errorf("%+v", tr)
	}
	h.local("PUT", "/trunks/"+tr.ID+"/password", `{"password":""}`).want(204)
	h.local("GET", "/trunks/"+tr.ID, "").want(200).into(&tr)
	if tr.PasswordSet {
		t.Error("the password is still there")
	}
	h.local("GET", "/trunks/status", "").want(200)
	h.local("DELETE", "/trunks/"+tr.ID, "", "If-Match", "*").want(204)
	if len(h.changed) != 4 {
		t.Errorf("told of %v", h.changed)
	}
}

func TestStory(t *testing.T) {
	h := open(t, func(o *Options) {
		o.Story = func(id roamline.CallID) []roamline.TraceEntry {
			if id != "k_1" {
				return nil
			}
			return []roamline.TraceEntry{{Kind: roamline.TraceSIP, Text: "INVITE"}, {Kind: roamline.TraceRoute, Text: "ring"}}
		}
	})
	for path, want := range map[string]int{"k_1/story": 1, "k_1/story?sip=true": 2, "k_2/story": 0} {
		var s storyJSON
		h.local("GET", "/calls/"+path, "").want(200).into(&s)
		if len(s.Items) != want {
			t.Errorf("%s: %+v", path, s)
		}
	}
	h.local("DELETE", "/calls/k_1", "").want(204)
	if len(h.board.ended) != 1 {
		t.Error("not ended")
	}
}

func TestImport(t *testing.T) {
	h := open(t)
	h.user(`{"login":"ana","name":"Ana","numbers":["1001"]}`)
	for _, row := range []struct {
		rule, text string
		status     int
		says       string
	}{
		{"an unknown column", "login,name,shoe\nbo,Bo,43", 422, `no column \"shoe\"`},
		{"a column twice", "login,name,login\nbo,Bo,bo", 422, "twice"},
		{"no name column", "login\nbo", 422, `\"name\" is missing`},
		{"nobody", "login,name\n", 422, "nobody"},
		{"nothing", "", 400, "required"},
		{"an empty line", "\n", 422, "first line"},
		{"a short line", "login,name\nbo,Bo\ncy", 422, `"line 3"`},
		{"an open quote", "login,name\nbo,\"Bo", 422, "line 2"},
		{"a login that is there", "login,name\nbo,Bo\nana,Ana", 422, `"line 3, login"`},
		{"a login twice", "login,name\nbo,Bo\nBO,Bo", 422, "same as in line 2"},
		{"a number that is there", "login,name,number\nbo,Bo,1002\ncy,Cy,1001", 422, `"line 3, numbers"`},
		{"a number twice", "login,name,number\nbo,Bo,1002\ncy,Cy,1002", 422, `"line 3, numbers"`},
		{"every bad line is told", "login,name,password\nbo,Bo,short\ncy,,long enough", 422, `"line 2, password"`},
	} {
		t.Run(row.rule, func(t *testing.T) {
			a := h.local("POST", "/import", row.text, "Content-Type", "text/csv").want(row.status)
			if !strings.Contains(a.text, row.says) {
				t.Errorf("does not say %q: %s", row.says, a.text)
			}
			if users, _, _ := h.Store.Users().List(t.Context(), roamline.Query{}); len(users) != 1 {
				t.Errorf("%d users", len(users))
			}
		})
	}
	var done importJSON
	h.local("POST", "/import", "\xef\xbb\xbfname;login;number;pin\r\nBo;bo;1002;4711\r\nCy;cy;;\r\n", "Content-Type", "text/csv").want(200).into(&done)
	if done.Users != 2 || done.Numbers != 1 {
		t.Errorf("%+v", done)
	}
	h.local("POST", "/import", "login,name,number\ndi,Di,1003;1004\n", "Content-Type", "text/csv").want(200).into(&done)
	if done.Numbers != 2 {
		t.Errorf("%+v", done)
	}
	h.local("POST", "/import", "login,name\n"+strings.Repeat("x", maxImport), "Content-Type", "text/csv").want(413)
}

func FuzzImport(f *testing.F) {
	f.Add([]byte("login,name,number,password,pin\nana,Ana,1001,long enough,4711\n"))
	f.Add([]byte("\xef\xbb\xbflogin;name\n\"a\"\"\";b\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		rows, err := readCSV(text)
		if err != nil {
			return
		}
		if len(rows) == 0 || len(rows) > maxRows {
			t.Errorf("%d rows", len(rows))
		}
		for i, r := range rows {
			if i > 0 && r.line <= rows[i-1].line {
				t.Errorf("line %d after line %d", r.line, rows[i-1].line)
			}
		}
	})
}

func TestStoppedServer(t *testing.T) {
	h := open(t, func(o *Options) { o.Exchange = nil })
	h.user(`{"login":"ana","name":"Ana"}`)
	h.local("GET", "/bindings", "").want(200)
	h.local("GET", "/calls", "").want(200)
	h.local("DELETE", "/calls/k_1", "").want(503)
	b := h.admitted()
	a := h.local("PUT", "/clients/"+string(b.id)+"/binding", `{"user":"ana"}`).want(503)
	if !strings.Contains(a.text, "not running") {
		t.Error(a.text)
	}
}

func TestStays(t *testing.T) {
	h := open(t)
	ana := h.user(`{"login":"ana","name":"Ana"}`)
	b := h.admitted()
	open := roamline.Binding{User: roamline.UserID(ana), Client: b.id, Since: h.clock(),
		Proof: roamline.Identification{ID: "i_1", User: roamline.UserID(ana), Client: b.id, Method: roamline.ByPIN, At: h.clock()}}
	if err := h.Store.Project(t.Context(), roamline.BindingRecord{Seq: 1, At: h.clock(), Open: &open}); err != nil {
		t.Fatal(err)
	}
	var s staysJSON
	h.local("GET", "/stays?user="+ana, "").want(200).into(&s)
	if len(s.Items) != 1 || s.Items[0].Binding.UserName != "Ana" || s.Items[0].Until != nil {
		t.Errorf("%+v", s)
	}
}
