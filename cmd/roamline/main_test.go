package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/roamline/roamline/server"
)

// A site is a pretend running server: it answers what a test tells it to, and
// remembers what was asked.
type site struct {
	t      *testing.T
	dir    string
	answer map[string]string // "GET /users": JSON
	asked  []string          // "PATCH /users/u_1 \"7\" {...}"
}

func newSite(t *testing.T, answer map[string]string) *site {
	s := &site{t: t, dir: t.TempDir(), answer: answer}
	stop, err := server.ServeLocal(s.dir, s, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(context.Background()) })
	return s
}

func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimPrefix(r.URL.Path, "/api/v1")
	body, _ := io.ReadAll(r.Body)
	if r.Method != http.MethodGet {
		s.asked = append(s.asked, strings.TrimSpace(r.Method+" "+path+" "+r.Header.Get("If-Match")+" "+string(body)))
	}
	text, ok := s.answer[r.Method+" "+path]
	switch {
	case !ok:
		w.WriteHeader(http.StatusNotFound)
		io.WriteString(w, `{"title":"There is nothing like that","status":404}`)
	case strings.HasPrefix(text, "409"):
		w.WriteHeader(http.StatusConflict)
		io.WriteString(w, text[3:])
	default:
		w.Header().Set("ETag", `"7"`)
		io.WriteString(w, text)
	}
}

// command runs one command line against the site.
func (s *site) command(stdin string, args ...string) (out, err string, code int) {
	var o, e bytes.Buffer
	w := &world{environ: []string{"ROAMLINE_DATA_DIR=" + s.dir}, in: strings.NewReader(stdin), out: &o, err: &e}
	code = w.run(s.t.Context(), args)
	return o.String(), e.String(), code
}

const ana = `{"id":"u_1","login":"ana","name":"Ana","numbers":["+34910000001"],"roles":[]}`

func TestCommandsSpeakTheAPI(t *testing.T) {
	answers := map[string]string{
		"GET /users": `{"items":[` + ana + `]}`, "GET /users/u_1": ana, "POST /users": ana, "PATCH /users/u_1": ana,
		"PUT /users/u_1/password": "", "PUT /users/u_1/pin": "", "DELETE /users/u_1": "", "POST /numbers": `{"number":"1001"}`,
		"GET /numbers/1001": `{"number":"1001"}`, "DELETE /numbers/1001": "",
		"GET /clients": `{"items":[{"id":"c_1","name":"Ward 3","login":"w3"}]}`, "GET /clients/c_1": `{"id":"c_1","name":"Ward 3"}`,
		"POST /clients": `{"id":"c_2","login":"d7"}`, "PATCH /clients/c_1": `{"id":"c_1","name":"Ward 4"}`, "PUT /clients/c_1/binding": `{}`,
		"POST /clients/c_1/admit": `{"id":"c_1","name":"Ward 3"}`, "DELETE /clients/c_1/binding": "", "POST /enrolment-codes": `{"code":"ABCD"}`,
		"GET /bindings": `{"items":[{"user":"u_1","client":"c_1"}]}`, "GET /places": `{"items":[{"id":"p_1","name":"North"}]}`,
		"POST /trunks": `{"id":"t_1","name":"carrier"}`, "GET /trunks": `{"items":[{"id":"t_1","name":"carrier"}]}`,
		"GET /trunks/t_1": `{"id":"t_1"}`, "PATCH /trunks/t_1": `{"id":"t_1"}`, "PUT /trunks/t_1/password": "",
		"POST /systems": `{"id":"s_1","name":"doors"}`, "GET /systems": `{"items":[{"id":"s_1","name":"doors"}]}`, "GET /systems/s_1": `{"id":"s_1","name":"doors"}`,
		"POST /systems/s_1/secret": `{"credential":"rls_s_1.x"}`, "DELETE /systems/s_1": "",
		"DELETE /calls/k_1": "", "POST /import": `{"users":2,"numbers":3}`,
	}
	for name, row := range map[string]struct {
		line  string
		stdin string
		asked []string
	}{
		"user with numbers and secrets at once": {"user add bo --name Bo --number +34910000002 --number 1002 --administrator --password-file -", "s3cret pass\nrest",
			[]string{`POST /users  {"login":"bo","name":"Bo","numbers":["+34910000002","1002"],"password":"s3cret pass","roles":["administrator"]}`}},
		"only what was given changes": {"user set ana --name Anna --no-administrator", "",
			[]string{`PATCH /users/u_1 "7" {"name":"Anna","roles":[]}`}},
		"an empty value clears": {"user set u_1 --caller-id=", "", []string{`PATCH /users/u_1 "7" {"callerId":""}`}},
		"what is done with her calls": {"user set ana --forward-busy 1002 --forward-always= --no-do-not-disturb --wait 1m", "",
			[]string{`PATCH /users/u_1 "7" {"calls":{"doNotDisturb":false,"forwardAlways":"","forwardBusy":"1002","waitMs":60000}}`}},
		"calls wait as long as the site says":   {"user set ana --wait=", "", []string{`PATCH /users/u_1 "7" {"calls":{"waitMs":null}}`}},
		"password from standard input":          {"user password ANA", "new password\n", []string{`PUT /users/u_1/password  {"password":"new password"}`}},
		"PIN removed":                           {"user pin ana --remove", "", []string{`PUT /users/u_1/pin  {"pin":""}`}},
		"removal says which version it removes": {"user remove ana", "", []string{`DELETE /users/u_1 "7"`}},
		"put at a client by its name":           {"user put ana --at Ward_3", "", []string{`PUT /clients/c_1/binding  {"user":"ana"}`}},
		"the same from the client's side":       {"client put w3 ana", "", []string{`PUT /clients/c_1/binding  {"user":"ana"}`}},
		"released wherever she is":              {"user release ana", "", []string{`DELETE /clients/c_1/binding`}},
		"number":                                {"number add 1001 ana", "", []string{`POST /numbers  {"number":"1001","to":{"id":"u_1","kind":"user"}}`}},
		"number removed":                        {"number remove 10-01", "", []string{`DELETE /numbers/1001 "7"`}},
		"phone with a password of its own": {"client add Desk_7 --login d7 --place North --password-file -", "phone secret\n",
			[]string{`POST /clients  {"kind":"phone","login":"d7","name":"Desk 7","password":"phone secret","placeId":"p_1"}`}},
		"admitted with name and place": {"client admit c_1 --name Ward_3 --place north", "", []string{`POST /clients/c_1/admit  {"name":"Ward 3","placeId":"p_1"}`}},
		"code for a wiped browser":     {"client code w3", "", []string{`POST /enrolment-codes  {"clientId":"c_1"}`}},
		"trunk": {"trunk add carrier --gateway sip.example:5080;tcp --gateway [2001:db8::1] --source 203.0.113.9 --source 192.0.2.0/24;tls --register --username u --password-file - --dials +34 --codec PCMA,opus --emergency --rewrite-in 0(\\d+)=+34$1", "pw\n",
			[]string{`POST /trunks  {"codecs":["PCMA","opus"],"dials":["+34"],"emergency":true,"enabled":true,"gateways":[{"host":"sip.example","port":5080,"priority":0,"transport":"tcp"},{"host":"2001:db8::1","port":0,"priority":1,"transport":"udp"}],"in":[{"match":"0(\\d+)","with":"+34$1"}],"name":"carrier","password":"pw","register":true,"sources":[{"port":0,"prefix":"203.0.113.9/32"},{"port":0,"prefix":"192.0.2.0/24","transport":"tls"}],"username":"u"}`}},
		"trunk changed": {"trunk set carrier --no-enabled --dials=", "", []string{`PATCH /trunks/t_1 "7" {"dials":[],"enabled":false}`}},
		"a system gets its credential": {"system add doors --place North --client Ward_3", "",
			[]string{`POST /systems  {"clients":["c_1"],"enabled":true,"name":"doors","places":["p_1"]}`, "POST /systems/s_1/secret"}},
		"a new credential":    {"system secret doors", "", []string{"POST /systems/s_1/secret"}},
		"a system is removed": {"system remove doors", "", []string{`DELETE /systems/s_1 "7"`}},
		"systems with names":  {"system list", "", nil},
		"call ended":          {"calls end k_1", "", []string{`DELETE /calls/k_1`}},
		"import":              {"import -", "login,name\nbo,Bo\n", []string{"POST /import  login,name\nbo,Bo"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, answers)
			args := strings.Fields(row.line)
			for i := range args { // a low line stands for a space inside an argument
				args[i] = strings.ReplaceAll(args[i], "_3", " 3")
				args[i] = strings.ReplaceAll(args[i], "Desk_7", "Desk 7")
			}
			out, errText, code := s.command(row.stdin, args...)
			if code != 0 || out == "" {
				t.Errorf("status %d, said %q, %q", code, out, errText)
			}
			if row.asked != nil && fmt.Sprint(s.asked) != fmt.Sprint(row.asked) {
				t.Errorf("asked\n%v\nwant\n%v", s.asked, row.asked)
			}
			if strings.Contains(out, "pw") || strings.Contains(out, "s3cret") {
				t.Errorf("a given secret is printed: %s", out)
			}
		})
	}
}

func TestWhatGoesWrongSaysWhatToDo(t *testing.T) {
	s := newSite(t, map[string]string{
		"GET /users":  `{"items":[]}`,
		"POST /users": `409{"title":"Somebody has that login already","status":409,"errors":[{"location":"body.login","message":"is taken"}]}`,
	})
	for name, row := range map[string]struct {
		line string
		want string
	}{
		"an unknown person":    {"user show eve", "roamline: user show: there is no user called eve. See: roamline user list\n"},
		"the API's own words":  {"user add ana", "roamline: user add: Somebody has that login already\n  login: is taken\n"},
		"a misspelt command":   {"user ad ana", "roamline: unexpected argument ad, did you mean \"add\"?. Try: roamline user --help\n"},
		"a gateway":            {"trunk add x --gateway a:b:c;udp", "roamline: trunk add: --gateway \"a:b:c;udp\" can't be understood. Such as: sip.example.com:5060;udp\n"},
		"no secret was given":  {"client add x --login x --password-file -", "roamline: client add: no password was given. Write it as the first line of standard input or of the file\n"},
		"a system for nothing": {"system add x", "roamline: system add: a system needs clients that it may speak for. Give --place PLACE or --client CLIENT\n"},
		"a trunk to nowhere":   {"trunk add x", "roamline: trunk add: a trunk needs a place where it is. Give --gateway HOST, or --source PREFIX if it only calls us\n"},
		"two secrets, one way": {"user add x --password-file - --pin-file -", "roamline: user add: password and PIN can't both come from standard input. Set one of them afterwards: roamline user pin x\n"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err, code := s.command("", strings.Fields(row.line)...)
			if err != row.want || code != 1 {
				t.Errorf("status %d, said\n%q\nwant\n%q", code, err, row.want)
			}
		})
	}
}

func TestConfigurationErrorsAreWhole(t *testing.T) {
	var out, errs bytes.Buffer
	w := &world{environ: []string{"ROAMLINE_HTTP_LISTEN=nowhere", "ROAMLINE_DATA_DIRECTORY=/x"}, out: &out, err: &errs}
	if code := w.run(t.Context(), []string{"user", "list"}); code != 1 {
		t.Errorf("status %d", code)
	}
	for _, want := range []string{"roamline: configuration: ", "Did you mean ROAMLINE_DATA_DIR?", `Example: ROAMLINE_HTTP_LISTEN=0.0.0.0:8443`} {
		if !strings.Contains(errs.String(), want) {
			t.Errorf("said\n%s\nlacks %q", errs.String(), want)
		}
	}
}

func TestListsAreTablesOrJSON(t *testing.T) {
	s := newSite(t, map[string]string{"GET /users": `{"items":[{"id":"u_1","login":"ana","name":"A\u001b[31mna","numbers":["1","2"],"roles":[],"disabled":false}]}`})
	out, _, _ := s.command("", "user", "list")
	if want := "LOGIN  NAME      NUMBERS  ROLES  DISABLED  ID\nana    A?[31mna  1, 2     -      no        u_1\n"; out != want {
		t.Errorf("table\n%q\nwant\n%q", out, want)
	}
	out, _, _ = s.command("", "user", "list", "--json")
	var users []record
	if err := json.Unmarshal([]byte(out), &users); err != nil || len(users) != 1 || str(users[0], "login") != "ana" {
		t.Errorf("%v in %s", err, out)
	}
}

func TestAPersonIsShownWithWhatIsDoneWithHerCalls(t *testing.T) {
	s := newSite(t, map[string]string{"GET /bindings": `{"items":[]}`, "GET /users/u_1": `{"id":"u_1","login":"ana",
		"calls":{"forwardAlways":"1002","doNotDisturb":true,"waitMs":90000}}`})
	out, _, _ := s.command("", "user", "show", "u_1")
	for _, want := range []string{"Forwards all calls to  1002\n", "Not to be disturbed    yes\n", "Calls wait for her     1m30s\n"} {
		if !strings.Contains(out, want) {
			t.Errorf("%s\nlacks %q", out, want)
		}
	}
	if strings.Contains(out, "Busy") {
		t.Errorf("shows what is not set:\n%s", out)
	}
}

func TestAPhonesPasswordIsMadeAndShownOnce(t *testing.T) {
	s := newSite(t, map[string]string{"POST /clients": `{"id":"c_2","login":"d7"}`})
	out, _, _ := s.command("", "client", "add", "Desk 7", "--login", "d7")
	_, sent, _ := strings.Cut(s.asked[0], `"password":"`)
	sent, _, _ = strings.Cut(sent, `"`)
	if len(sent) < 20 || !strings.Contains(out, sent) {
		t.Errorf("sent %q, said %s", sent, out)
	}
}

func TestStoryIsALadder(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	var out strings.Builder
	tell(&out, []entry{
		{At: at, Kind: "sip", From: "carrier", To: "server", Text: "INVITE", Body: "INVITE sip:1 SIP/2.0\r\n"},
		{At: at.Add(time.Millisecond), Kind: "route", Text: "ana is at Ward 3"},
		{At: at.Add(2 * time.Millisecond), Kind: "sip", From: "server", To: "Ward 3", Text: "INVITE"},
		{At: at.Add(900 * time.Millisecond), Kind: "sip", From: "Ward 3", To: "server", Text: "180 Ringing"},
	}, true, false)
	want := `                          carrier                           server                            Ward 3
   +0.000s                   |------------- INVITE ----------->|                                 |
   +0.001s                   |                                 |                                 |                 route  ana is at Ward 3
   +0.002s                   |                                 |------------- INVITE ----------->|
   +0.900s                   |                                 |<--------- 180 Ringing ----------|
`
	got := out.String()
	_, got, _ = strings.Cut(strings.TrimPrefix(got, "\n"), "\n")
	if got != want {
		t.Errorf("drew\n%s\nwant\n%s", got, want)
	}
}

func TestCompletion(t *testing.T) {
	s := newSite(t, nil)
	for _, row := range []struct{ line, want string }{
		{"complete-words -- us", "user\n"},
		{"complete-words -- user pa", "password\n"},
		{"complete-words -- trunk add --gat", "--gateway\n"},
		{"complete-words -- completion z", "zsh\n"},
	} {
		if out, _, _ := s.command("", strings.Fields(row.line)...); out != row.want {
			t.Errorf("%s: %q, want %q", row.line, out, row.want)
		}
	}
	for _, shell := range []string{"bash", "zsh", "fish"} {
		if out, _, code := s.command("", "completion", shell); code != 0 || !strings.Contains(out, "complete-words") {
			t.Errorf("%s: %d %s", shell, code, out)
		}
	}
}

func TestPrintedConfigurationIsRight(t *testing.T) {
	s := newSite(t, nil)
	text, _, _ := s.command("", "serve", "--print-config")
	file := filepath.Join(s.dir, "r.toml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err, code := s.command("", "serve", "--check", "--config", file); code != 0 {
		t.Errorf("%s%s", out, err)
	}
}
