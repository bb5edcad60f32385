package client_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/emiago/sipgo/sip"
	"go.uber.org/goleak"

	"github.com/roamline/roamline/demo/client"
	"github.com/roamline/roamline/demo/media"
	"github.com/roamline/roamline/demo/phone"
	"github.com/roamline/roamline/demo/ua"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A server is as much of one as a client meets: tokens, identification, news,
// and the SIP WebSocket.
type server struct {
	t      *testing.T
	url    string
	agents chan *ua.Agent
	calls  chan *phone.Call
}

func start(t *testing.T) *server {
	s := &server{t: t, agents: make(chan *ua.Agent, 4), calls: make(chan *phone.Call, 4)}
	m := http.NewServeMux()
	m.HandleFunc("POST /api/v1/token", s.token)
	m.HandleFunc("GET /api/v1/client", func(w http.ResponseWriter, r *http.Request) {
		if s.proved(w, r, "t0ken") {
			fmt.Fprint(w, `{"client":{"id":"c_1","name":"desk1","state":"admitted"},"site":{"sip":{"path":"/sip","realm":"example.test"}}}`)
		}
	})
	m.HandleFunc("POST /api/v1/client/identifications", func(w http.ResponseWriter, r *http.Request) {
		var in map[string]string
		json.NewDecoder(r.Body).Decode(&in)
		switch {
		case !s.proved(w, r, "t0ken"):
		case in["secret"] != "right":
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprint(w, `{"title":"This is not your password"}`)
		default:
			fmt.Fprintf(w, `{"user":{"login":%q,"name":"Ana"}}`, in["login"])
		}
	})
	m.HandleFunc("GET /api/v1/client/events", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, ": hello\n\nevent: bound\ndata: {\"a\":\ndata: 1}\n\nevent: ready\ndata: {}\n\n")
	})
	m.HandleFunc("GET /sip", s.sip)
	h := httptest.NewServer(m)
	t.Cleanup(h.Close)
	s.url = h.URL
	return s
}

func (s *server) token(w http.ResponseWriter, r *http.Request) {
	if s.proved(w, r, "") {
		fmt.Fprint(w, `{"accessToken":"t0ken","expiresInMs":600000,"client":{"id":"c_1","name":"desk1","state":"waiting"}}`)
	}
}

// proved checks a DPoP proof by its own reading of RFC 9449 section 4.3.
func (s *server) proved(w http.ResponseWriter, r *http.Request, token string) bool {
	part := strings.Split(r.Header.Get("DPoP"), ".")
	if len(part) != 3 {
		s.t.Error("no proof")
		return false
	}
	var header struct {
		Typ, Alg string
		JWK      struct{ Kty, Crv, X, Y string }
	}
	var claims struct {
		Htm, Htu, Jti, Ath string
		Iat                int64
	}
	decode := func(text string) []byte {
		b, err := base64.RawURLEncoding.DecodeString(text)
		if err != nil {
			s.t.Error(err)
		}
		return b
	}
	json.Unmarshal(decode(part[0]), &header)
	json.Unmarshal(decode(part[1]), &claims)
	point := append(append([]byte{4}, decode(header.JWK.X)...), decode(header.JWK.Y)...)
	public, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
	if err != nil {
		s.t.Error(err)
		return false
	}
	sig := decode(part[2])
	sum := sha256.Sum256([]byte(part[0] + "." + part[1]))
	good := ecdsa.Verify(public, sum[:], new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:]))
	ath := ""
	if token != "" {
		sum := sha256.Sum256([]byte(token))
		ath = base64.RawURLEncoding.EncodeToString(sum[:])
		good = good && r.Header.Get("Authorization") == "DPoP "+token
	}
	if !good || header.Typ != "dpop+jwt" || header.Alg != "ES256" || claims.Htm != r.Method || claims.Htu != s.url+r.URL.Path ||
		claims.Jti == "" || claims.Ath != ath || time.Since(time.Unix(claims.Iat, 0)) > time.Minute {
		s.t.Errorf("bad proof: %+v %+v", header, claims)
		w.WriteHeader(http.StatusUnauthorized)
		return false
	}
	return true
}

// sip takes the WebSocket; the agent comes out once the client registered.
func (s *server) sip(w http.ResponseWriter, r *http.Request) {
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"sip"}})
	if err != nil {
		s.t.Error(err)
		return
	}
	registered := make(chan struct{}, 4)
	a := ua.New(ua.WebSocket(conn, "server.test"), ua.Options{User: "server", Other: func(req *sip.Request) int {
		if req.Method != sip.REGISTER || req.GetHeader("Authorization").Value() != "Bearer t0ken" || req.To().Address.User != "c_1" {
			return 403
		}
		registered <- struct{}{}
		return 200
	}, Invited: func(d *ua.Dialog) ua.Session {
		call := phone.Take(d, secure())
		call.Ring()
		s.calls <- call
		return call.Signals()
	}})
	defer a.Close()
	select {
	case <-registered:
		s.agents <- a
	case <-a.Done():
	}
	<-a.Done()
}

func secure() phone.Options {
	return phone.Options{Media: media.Options{Secure: true, Codecs: []string{"PCMU", "opus"}, Host: netip.MustParseAddr("127.0.0.1")}}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func registered(t *testing.T) (*server, *client.Client, *ua.Agent, context.Context) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
	s := start(t)
	c, err := client.New(ctx, client.Options{Server: s.url, Name: "desk1"})
	must(t, err)
	t.Cleanup(func() { c.Close(); cancel() })
	must(t, c.WaitAdmitted(ctx))
	must(t, c.Register(ctx))
	return s, c, <-s.agents, ctx
}

func TestIdentify(t *testing.T) {
	_, c, _, ctx := registered(t)
	if _, err := c.Identify(ctx, "ana", "wrong"); err == nil || !strings.Contains(err.Error(), "401 This is not your password") {
		t.Error(err)
	}
	u, err := c.Identify(ctx, "ana", "right")
	if err != nil || u.Name != "Ana" {
		t.Error(u, err)
	}
	events, err := c.Events(ctx)
	must(t, err)
	if e := <-events; e.Name != "bound" || string(e.Data) != `{"a":1}` {
		t.Errorf("%s %s", e.Name, e.Data)
	}
	if e := <-events; e.Name != "ready" {
		t.Error(e.Name)
	}
	if _, open := <-events; open {
		t.Error("the stream did not end")
	}
}

func TestARingIsAnswered(t *testing.T) {
	_, c, agent, ctx := registered(t)
	there, err := phone.Place(agent, ua.Invitation{To: sip.Uri{Scheme: "sip", User: "c_1", Host: "x.invalid"},
		From: sip.Uri{Scheme: "sip", User: "+34600000001", Host: "example.test"}, FromName: "Pharmacy"}, secure())
	must(t, err)
	ring, err := c.WaitRing(ctx)
	must(t, err)
	if ring.From != (phone.Party{Number: "+34600000001", Name: "Pharmacy"}) {
		t.Errorf("%+v", ring.From)
	}
	call, err := ring.Answer(ctx)
	must(t, err)
	must(t, there.WaitAnswered(ctx))
	call.PlayTone(440)
	there.PlayTone(1000)
	must(t, there.WaitTone(ctx, 440))
	must(t, call.WaitTone(ctx, 1000))
	must(t, call.Hold(ctx, false))
	must(t, there.Wait(ctx, "the hold", there.Held))
	must(t, call.Resume(ctx))
	if !call.SendDigit("7") {
		t.Fatal("no digits agreed")
	}
	must(t, there.Voice().WaitDigits(ctx, "7"))
	there.Hangup()
	must(t, call.WaitEnded(ctx))
}

func TestARingIsDeclined(t *testing.T) {
	_, c, agent, ctx := registered(t)
	there, err := phone.Place(agent, ua.Invitation{To: sip.Uri{Scheme: "sip", User: "c_1", Host: "x.invalid"},
		From: sip.Uri{Scheme: "sip", User: "1", Host: "example.test"}}, secure())
	must(t, err)
	ring, err := c.WaitRing(ctx)
	must(t, err)
	ring.Decline()
	must(t, there.WaitEnded(ctx))
	if status, _ := there.Status(); status != 603 {
		t.Error(status)
	}
}

func TestACallIsPlaced(t *testing.T) {
	s, c, _, ctx := registered(t)
	call, err := c.Call(ctx, "911000001")
	must(t, err)
	there := <-s.calls
	if there.To.Number != "911000001" || there.From.Number != "c_1" {
		t.Errorf("%v -> %v", there.From, there.To)
	}
	must(t, there.Answer())
	must(t, call.WaitAnswered(ctx))
	there.PlayTone(700)
	must(t, call.WaitTone(ctx, 700))
	c.Drop() // as a lost network does
	must(t, call.WaitEnded(ctx))
	must(t, there.WaitEnded(ctx))
}
