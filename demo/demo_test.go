package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/roamline/roamline/demo/carrier"
	"github.com/roamline/roamline/demo/site"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// An admin is the administrator's API as far as a demonstration uses it.
type admin struct {
	mu       sync.Mutex
	users    map[string]bool
	trunks   []map[string]any
	clients  map[string]string // name by id of those that wait
	admitted map[string]string
	changed  chan struct{}
}

func newAdmin() *admin {
	return &admin{users: map[string]bool{}, clients: map[string]string{}, admitted: map[string]string{}, changed: make(chan struct{}, 16)}
}

// RoundTrip implements http.RoundTripper.
func (a *admin) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	a.mu.Lock()
	defer a.mu.Unlock()
	var in map[string]any
	if r.Body != nil {
		json.NewDecoder(r.Body).Decode(&in)
	}
	path := strings.TrimPrefix(r.URL.Path, "/api/v1")
	switch {
	case r.Method == "POST" && path == "/users":
		if login := in["login"].(string); a.users[login] {
			w.WriteHeader(http.StatusConflict)
			fmt.Fprint(w, `{"title":"This login is taken"}`)
		} else {
			a.users[login] = true
		}
	case r.Method == "GET" && path == "/trunks":
		items := []map[string]any{}
		for i, t := range a.trunks {
			items = append(items, map[string]any{"id": fmt.Sprint(i), "name": t["name"]})
		}
		json.NewEncoder(w).Encode(map[string]any{"items": items})
	case r.Method == "POST" && path == "/trunks":
		a.trunks = append(a.trunks, in)
	case r.Method == "PUT" && path == "/trunks/0" && r.Header.Get("If-Match") == "*":
		a.trunks[0] = in
	case r.Method == "GET" && path == "/clients":
		items := []map[string]any{}
		for id, name := range a.clients {
			items = append(items, map[string]any{"id": id, "name": name, "kind": "browser", "state": "waiting"})
		}
		json.NewEncoder(w).Encode(map[string]any{"items": items})
	case r.Method == "POST" && strings.HasSuffix(path, "/admit"):
		id := strings.Split(path, "/")[2]
		name, _ := in["name"].(string)
		for _, taken := range a.admitted {
			if name == taken {
				w.WriteHeader(http.StatusConflict)
				return w.Result(), nil
			}
		}
		if name == "" {
			name = a.clients[id]
		}
		a.admitted[id] = name
		delete(a.clients, id)
		a.changed <- struct{}{}
	default:
		w.WriteHeader(http.StatusTeapot)
	}
	return w.Result(), nil
}

func TestTheSiteIsMadeOnceAndTheTrunkIsPointedAnew(t *testing.T) {
	a := newAdmin()
	s := site.Of(a)
	for _, addr := range []string{"127.0.0.1:5080", "127.0.0.1:5090"} {
		if err := s.SetUp(t.Context(), addr, "udp"); err != nil {
			t.Fatal(err)
		}
	}
	if len(a.users) != len(site.People) || len(a.trunks) != 1 {
		t.Fatalf("users %v, trunks %v", a.users, a.trunks)
	}
	if g := fmt.Sprint(a.trunks[0]["gateways"]); g != "[map[host:127.0.0.1 port:5090 transport:udp]]" {
		t.Error(g)
	}
}

func TestClientsAreAdmittedAsTheyAppear(t *testing.T) {
	a := newAdmin()
	a.clients["c_1"], a.clients["c_2"] = "desk1 (Abcdefgh)", "Browser (Ijklmnop)"
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	done := make(chan struct{})
	go func() {
		defer close(done)
		site.Of(a).Admit(ctx, slog.New(slog.DiscardHandler))
	}()
	<-a.changed
	<-a.changed
	a.mu.Lock()
	a.clients["c_3"] = "desk1 (Zzzzzzzz)" // the same desk's profile, wiped
	a.mu.Unlock()
	<-a.changed
	cancel()
	<-done
	want := map[string]string{"c_1": "Desk 1", "c_2": "Browser (Ijklmnop)", "c_3": "desk1 (Zzzzzzzz)"}
	if fmt.Sprint(a.admitted) != fmt.Sprint(want) {
		t.Errorf("%v", a.admitted)
	}
}

// running starts a demonstration whose server is only a telephone that answers.
func running(t *testing.T) (page string, ctx context.Context) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	far, err := carrier.Start(ctx, carrier.Options{Unknown: func(c *carrier.Call) {
		c.Ring()
		if c.Answer() == nil {
			c.Play(carrier.Voice("answer-en"))
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	page = l.Addr().String()
	l.Close()
	out, told := io.Pipe()
	done := make(chan error, 1)
	go func() {
		done <- Run(ctx, Options{Server: "http://127.0.0.1:8080", SIP: far.Addr(), Admin: newAdmin(), Page: page, Out: told})
	}()
	buf := make([]byte, 4096)
	n, _ := out.Read(buf) // the page is served once it tells
	if text := string(buf[:n]); !strings.Contains(text, "http://desk1.localhost:8080/") || !strings.Contains(text, page) {
		t.Errorf("it says:\n%s", text)
	}
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		far.Close()
		http.DefaultClient.CloseIdleConnections()
	})
	return page, ctx
}

func TestACallIsAskedForByPage(t *testing.T) {
	page, ctx := running(t)
	var made struct{ ID string }
	if err := ask(ctx, "POST", "http://"+page+"/api/call", map[string]string{"to": "+34910000001"}, &made); err != nil {
		t.Fatal(err)
	}
	var v carrier.View
	var err error
	for v.State != "talking" || v.Voice.Received < 10 {
		if v, err = find(ctx, "http://"+page, made.ID); err != nil {
			t.Fatal(err)
		}
	}
	if v.From.Name != "Farmacia Central" || v.To.Number != "+34910000001" || v.Voice.Codec != "PCMA" {
		t.Errorf("%+v", v)
	}
	if err := ask(ctx, "DELETE", "http://"+page+"/api/calls/"+made.ID, nil, nil); err != nil {
		t.Fatal(err)
	}
	if v, err = find(ctx, "http://"+page, made.ID); err != nil || v.State != "ended" {
		t.Errorf("%+v %v", v, err)
	}
}

func TestACallIsAskedForByCommand(t *testing.T) {
	page, ctx := running(t)
	ctx, cancel := context.WithCancel(ctx)
	out, told := io.Pipe()
	done := make(chan error, 1)
	go func() { done <- CallNumber(ctx, page, "+34910000001", told); told.Close() }()
	buf := make([]byte, 4096)
	for text := ""; !strings.Contains(text, "Answered after"); {
		n, err := out.Read(buf)
		if err != nil {
			t.Fatal(err, text)
		}
		text += string(buf[:n])
	}
	cancel() // as Ctrl+C does: the call is hung up
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestThePageIsForThisMachineOnly(t *testing.T) {
	page, ctx := running(t)
	for _, row := range []struct {
		name, method, path, host, origin, body string
		status                                 int
	}{
		{"the page", "GET", "/", page, "", "", 200},
		{"the state", "GET", "/api/state", page, "", "", 200},
		{"a name that only resolves here", "GET", "/api/state", "evil.example", "", "", 403},
		{"a post of another page", "POST", "/api/call", page, "http://evil.example", `{"to":"+34910000001"}`, 403},
		{"a number that is none", "POST", "/api/call", page, "", `{"to":"sip:x@y"}`, 400},
		{"a call that is none", "DELETE", "/api/calls/99", page, "", "", 404},
	} {
		req, err := http.NewRequestWithContext(ctx, row.method, "http://"+page+row.path, strings.NewReader(row.body))
		if err != nil {
			t.Fatal(err)
		}
		req.Host = row.host
		if row.origin != "" {
			req.Header.Set("Origin", row.origin)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != row.status {
			t.Errorf("%s: %d", row.name, res.StatusCode)
		}
	}
}

func TestLadder(t *testing.T) {
	at := time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)
	got := string(ladder([]entry{
		{At: at, Kind: "sip", From: "carrier", To: "server", Text: "INVITE", Body: "INVITE sip:x SIP/2.0\r\n"},
		{At: at.Add(time.Millisecond), Kind: "route", Text: "ring Desk 1"},
		{At: at.Add(2 * time.Millisecond), Kind: "sip", From: "server", To: "Desk 1", Text: "INVITE"},
		{At: at.Add(9 * time.Millisecond), Kind: "sip", From: "Desk 1", To: "server", Text: "180 Ringing"},
	}))
	want := `        ms  carrier                       server                        Desk 1
       0.0  │────────── INVITE ──────────▶│                             │
       1.0  │                             │                             │  · ring Desk 1
       2.0  │                             │────────── INVITE ──────────▶│
       9.0  │                             │◀─────── 180 Ringing ────────│

--- 0.0 ms  carrier -> server
INVITE sip:x SIP/2.0
`
	if got != want {
		t.Errorf("\n%s", got)
	}
}
