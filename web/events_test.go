package web

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/roamline/roamline"
)

// A listener reads a client's events from a real connection.
type listener struct {
	t     *testing.T
	lines *bufio.Scanner
	end   context.CancelFunc
}

// listen opens the events of b at a real server; the proof names its address.
func (h *house) listen(server *httptest.Server, b *browser) *listener {
	h.t.Helper()
	l, response := h.tryListen(server, b)
	if response.StatusCode != 200 {
		h.t.Fatalf("events: %d", response.StatusCode)
	}
	return l
}

func (h *house) tryListen(server *httptest.Server, b *browser) (*listener, *http.Response) {
	h.t.Helper()
	ctx, end := context.WithTimeout(h.t.Context(), 20*time.Second)
	h.t.Cleanup(end)
	at := server.URL + base + "/client/events"
	r, _ := http.NewRequestWithContext(ctx, "GET", at, nil)
	r.Header.Set("Authorization", "DPoP "+b.token)
	r.Header.Set("DPoP", b.proof(proofOf{method: "GET", url: at, token: b.token}))
	response, err := server.Client().Do(r)
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { response.Body.Close() })
	return &listener{h.t, bufio.NewScanner(response.Body), end}, response
}

// next returns the next event and its data; "" at the end of the stream.
func (l *listener) next() (event, data string) {
	for l.lines.Scan() {
		line := l.lines.Text()
		switch {
		case line == "" && event != "":
			return event, data
		case strings.HasPrefix(line, "event: "):
			event = line[7:]
		case strings.HasPrefix(line, "data: "):
			data = line[6:]
		}
	}
	return "", ""
}

// until reads to an event and returns the names of all, that one too.
func (l *listener) until(event string) (seen []string, data string) {
	l.t.Helper()
	for {
		e, d := l.next()
		if e == "" {
			l.t.Fatalf("no %s after %v", event, seen)
		}
		seen = append(seen, e)
		if e == event {
			return seen, d
		}
	}
}

func (l *listener) expect(events ...string) {
	l.t.Helper()
	for _, want := range events {
		if got, data := l.next(); got != want {
			l.t.Fatalf("got %s %s, want %s", got, data, want)
		}
	}
}

func serve(t *testing.T, h *house) *httptest.Server {
	server := httptest.NewServer(h.handler)
	t.Cleanup(server.Close)
	return server
}

func call(id roamline.CallID, state roamline.CallState, user roamline.UserID, legs ...roamline.Leg) *roamline.CallView {
	return &roamline.CallView{Call: roamline.Call{ID: id, State: state, User: user, Legs: legs}}
}

func TestClientSeesItselfAndItsPersonsCalls(t *testing.T) {
	h := open(t)
	server := serve(t, h)
	ana := roamline.UserID(h.user(`{"login":"ana","name":"Ana"}`))
	bo := roamline.UserID(h.user(`{"login":"bo","name":"Bo"}`))
	desk, lab := h.admitted(), h.admitted()
	h.board.bind(bo, lab.id, roamline.Identification{})
	h.board.calls = []roamline.CallView{*call("k_bo", roamline.Talking, bo), *call("k_ana", roamline.Ringing, ana)}

	l := h.listen(server, desk)
	l.expect("client", "ready") // nobody is here: neither Bo nor anybody's calls
	h.board.tell(roamline.News{Kind: roamline.NewsCall, Call: call("k_ana", roamline.Ringing, ana)})
	h.board.tell(roamline.News{Kind: roamline.NewsReach, Client: lab.id, Reached: true})
	h.board.tell(roamline.News{Kind: roamline.NewsTrunk, Trunk: &roamline.TrunkStatus{}})
	h.board.tell(roamline.News{Kind: roamline.NewsReach, Client: desk.id, Reached: true})
	l.expect("reach")

	h.board.bind(ana, desk.id, roamline.Identification{})
	seen, _ := l.until("ready") // the state is told again, as Ana sees it
	if got := strings.Join(seen, " "); got != "bound client bound call ready" {
		t.Errorf("after signing in: %s", got)
	}
	h.board.tell(roamline.News{Kind: roamline.NewsCall, Call: call("k_bo", roamline.Talking, bo)})
	h.board.tell(roamline.News{Kind: roamline.NewsCall, Call: &roamline.CallView{
		Call: roamline.Call{ID: "k_ana", State: roamline.Talking, User: ana, Legs: []roamline.Leg{
			{ID: "k_ana.1", At: roamline.Target{Trunk: "t_1"}}, {ID: "k_ana.2", At: roamline.Target{Client: desk.id}, User: ana}}},
		Figures: map[roamline.LegID]roamline.Figures{"k_ana.2": {Codec: "PCMU", Received: 50, Jitter: 1500 * time.Microsecond}}}})
	_, data := l.until("call")
	var j callJSON
	if err := json.Unmarshal([]byte(data), &j); err != nil {
		t.Fatal(err)
	}
	if j.ID != "k_ana" || j.Legs[0].Trunk != "" || j.Legs[1].Client == "" || j.Legs[1].Figures.JitterMs != 1.5 || j.Legs[1].Codec != "PCMU" {
		t.Errorf("%s", data)
	}

	h.board.Release(t.Context(), desk.id, roamline.SignedOut)
	seen, _ = l.until("ready")
	if got := strings.Join(seen, " "); got != "released client ready" {
		t.Errorf("after signing out: %s", got)
	}
	h.board.tell(roamline.News{Kind: roamline.NewsCall, Call: call("k_ana", roamline.Over, ana)})
	h.board.tell(roamline.News{Kind: roamline.NewsReach, Client: desk.id})
	l.expect("reach") // and nothing of Ana's
}

func TestNextPersonSeesNothingOfTheOneBefore(t *testing.T) {
	h := open(t)
	server := serve(t, h)
	ana := roamline.UserID(h.user(`{"login":"ana","name":"Ana"}`))
	bo := roamline.UserID(h.user(`{"login":"bo","name":"Bo"}`))
	desk := h.admitted()
	left := roamline.Leg{ID: "k_1.2", At: roamline.Target{Client: desk.id}, User: ana}
	h.board.calls = []roamline.CallView{*call("k_1", roamline.Talking, ana, left)}
	h.board.bind(bo, desk.id, roamline.Identification{})
	l := h.listen(server, desk)
	l.expect("client", "bound", "ready")
}

func TestEmergencyCallIsSeenWithNobodyThere(t *testing.T) {
	h := open(t)
	server := serve(t, h)
	desk := h.admitted()
	h.board.calls = []roamline.CallView{*call("k_1", roamline.Talking, "", roamline.Leg{ID: "k_1.1", At: roamline.Target{Client: desk.id}, Inward: true})}
	l := h.listen(server, desk)
	l.expect("client", "call", "ready")
}

func TestAdministratorSeesAll(t *testing.T) {
	h := open(t)
	server := serve(t, h)
	root := h.administrator()
	bo := roamline.UserID(h.user(`{"login":"bo","name":"Bo"}`))
	lab := h.admitted()
	h.board.bind(bo, lab.id, roamline.Identification{})
	h.board.calls = []roamline.CallView{*call("k_bo", roamline.Talking, bo)}
	l := h.listen(server, root)
	l.expect("client", "bound", "bound", "call", "ready")
	h.board.tell(roamline.News{Kind: roamline.NewsTrunk, Trunk: &roamline.TrunkStatus{Trunk: "t_1"}})
	l.expect("trunk")

	users, _, _ := h.Store.Users().List(t.Context(), roamline.Query{Match: "root"})
	h.user(`{"login":"second","name":"Second","roles":["administrator"]}`)
	h.local("PATCH", "/users/"+string(users[0].ID), `{"roles":[]}`, "If-Match", "*").want(200)
	h.live.tell(root.id) // or at the next heartbeat
	l.expect("client", "bound", "ready")
}

func TestWaitingClientHearsThatItIsAdmitted(t *testing.T) {
	h := open(t)
	server := serve(t, h)
	b := h.browser()
	l := h.listen(server, b)
	l.expect("client", "ready")
	h.local("POST", "/clients/"+string(b.id)+"/admit", `{"name":"Desk"}`).want(200)
	_, data := l.until("client")
	if !strings.Contains(data, `"admitted"`) {
		t.Error(data)
	}
}

func TestRevokedClientIsCut(t *testing.T) {
	h := open(t)
	server := serve(t, h)
	b := h.admitted()
	l := h.listen(server, b)
	l.expect("client", "ready")
	h.local("POST", "/clients/"+string(b.id)+"/revoke", "").want(200)
	if e, _ := l.next(); e != "" {
		t.Errorf("still hears %s", e)
	}
}

func TestSlowReaderIsCut(t *testing.T) {
	h := open(t)
	server := serve(t, h)
	b := h.admitted()
	l := h.listen(server, b)
	l.expect("client", "ready")
	h.board.mu.Lock()
	ch := h.board.watch[0]
	h.board.mu.Unlock()
	h.board.unwatch(ch) // as the switchboard does to whoever is too slow
	if e, _ := l.next(); e != "" {
		t.Errorf("still hears %s", e)
	}
}

func TestStreamsAreBounded(t *testing.T) {
	h := open(t)
	server := serve(t, h)
	b := h.browser()
	var first *listener
	for range maxClientStreams {
		l := h.listen(server, b)
		l.expect("client", "ready")
		if first == nil {
			first = l
		}
	}
	if _, response := h.tryListen(server, b); response.StatusCode != 429 {
		t.Errorf("one too many: %d", response.StatusCode)
	}
	first.end()
	for first.lines.Scan() {
	}
	for { // the server notices when the connection is gone
		if _, response := h.tryListen(server, b); response.StatusCode == 200 {
			break
		}
	}
}

// A pipe is a ResponseWriter whose reader is the test.
type pipe struct {
	header http.Header
	wrote  chan string
}

func (p *pipe) Header() http.Header { return p.header }
func (p *pipe) WriteHeader(int)     {}
func (p *pipe) Flush()              {}
func (p *pipe) Write(b []byte) (int, error) {
	p.wrote <- string(b)
	return len(b), nil
}

func TestHeartbeat(t *testing.T) {
	h := open(t)
	b := h.admitted()
	client, err := h.Store.Clients().Get(t.Context(), string(b.id))
	if err != nil {
		t.Fatal(err)
	}
	// The store is used outside of the bubble only: what the viewer looks up it
	// gets from a door on a copy in memory.
	d := &Door{Options: h.Options}
	d.Store = still{h.Store, client}
	synctest.Test(t, func(t *testing.T) {
		ctx, end := context.WithCancel(t.Context())
		w := &pipe{header: http.Header{}, wrote: make(chan string)}
		d.Exchange = &board{at: map[roamline.ClientID]roamline.Binding{}}
		v := &viewer{door: d, client: client, out: w, ctl: http.NewResponseController(w), nudge: make(chan struct{})}
		done := make(chan error)
		go func() { done <- v.watch(ctx) }()
		began := time.Now()
		<-w.wrote // client
		<-w.wrote // ready
		for i := 1; i <= 3; i++ {
			if text := <-w.wrote; text != ": still here\n\n" || time.Since(began) != time.Duration(i)*heartbeat {
				t.Errorf("%q after %v", text, time.Since(began))
			}
		}
		end()
		<-done
	})
}

// A still store knows one client and nothing else.
type still struct {
	roamline.Store
	client roamline.Client
}

func (s still) Clients() roamline.Table[roamline.Client] { return stillClients{client: s.client} }

type stillClients struct {
	roamline.Table[roamline.Client]
	client roamline.Client
}

func (s stillClients) Get(context.Context, string) (roamline.Client, error) { return s.client, nil }
