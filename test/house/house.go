// Package house starts the real server inside a test, on ports that the system
// chooses, and puts people, machines and a pretend carrier around it. What it
// starts ends with the test.
package house

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/roamline/roamline/config"
	"github.com/roamline/roamline/demo/carrier"
	"github.com/roamline/roamline/demo/client"
	"github.com/roamline/roamline/server"
)

// Password is everybody's.
const Password = "correct horse 7"

// Limit bounds every wait of a test.
const Limit = 20 * time.Second

// A House is a running server with what a test needs to use it.
type House struct {
	testing.TB
	Server *server.Server // nil if it runs as a process of its own
	Config config.Config
	ctx    context.Context
	local  http.Handler // the API as administrator

	mu      sync.Mutex
	clients map[string]string // name -> identifier
}

// Start starts a server with a temporary data folder on loopback. Change, if
// not nil, changes its configuration before.
func Start(t testing.TB, change func(*config.Config)) *House {
	t.Helper()
	h := &House{TB: t, Config: Configuration(t), clients: map[string]string{}}
	if change != nil {
		change(&h.Config)
	}
	var cancel context.CancelFunc
	h.ctx, cancel = context.WithCancel(context.Background())
	h.start()
	t.Cleanup(func() {
		cancel()
		h.stop()
	})
	return h
}

// Configuration is a server's that disturbs nothing on this machine.
func Configuration(t testing.TB) config.Config {
	t.Helper()
	c, err := config.Load("", []string{
		"ROAMLINE_DATA_DIR=" + t.TempDir(), "ROAMLINE_HTTP_LISTEN=127.0.0.1:0",
		"ROAMLINE_SIP_UDP=127.0.0.1:0", "ROAMLINE_SIP_TCP=127.0.0.1:0",
		"ROAMLINE_VOICE_UDP=:0", "ROAMLINE_SITE_COUNTRY=ES", "ROAMLINE_SITE_ANNOUNCE=false",
	})
	if err != nil {
		t.Fatal(err)
	}
	c.StopWithin = 0
	return c
}

func (h *House) start() {
	h.Helper()
	level := slog.LevelWarn
	if os.Getenv("ROAMLINE_TEST_LOG") != "" {
		level = slog.LevelDebug
	}
	log := slog.New(slog.NewTextHandler(h.Output(), &slog.HandlerOptions{Level: level}))
	s, err := server.Start(h.ctx, h.Config, log)
	if err != nil {
		h.Fatal(err)
	}
	h.Server, h.local = s, s.Local()
}

func (h *House) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), Limit)
	defer cancel()
	h.Server.Stop(ctx)
}

// Restart stops the server and starts it again on the same data and ports.
func (h *House) Restart() {
	h.Helper()
	h.Config.HTTP.Listen = h.at("http.listen")
	h.Config.SIP.UDP, h.Config.SIP.TCP = h.at("sip.udp"), h.at("sip.tcp")
	h.stop()
	h.start()
}

func (h *House) at(setting string) netip.AddrPort {
	if h.Server != nil {
		return netip.MustParseAddrPort(h.Server.Addr(setting).String())
	}
	return map[string]netip.AddrPort{"http.listen": h.Config.HTTP.Listen, "sip.udp": h.Config.SIP.UDP, "sip.tcp": h.Config.SIP.TCP}[setting]
}

// SIP returns where the server takes SIP: "udp", "tcp" or "tls".
func (h *House) SIP(transport string) string { return h.at("sip." + transport).String() }

// URL returns where the server's pages are.
func (h *House) URL() string { return "http://" + h.at("http.listen").String() }

// Within returns a context that bounds a wait.
func (h *House) Within() context.Context {
	ctx, cancel := context.WithTimeout(h.ctx, Limit)
	h.Cleanup(cancel)
	return ctx
}

// Do calls the API as administrator, and reads the answer into to.
func (h *House) Do(method, path string, body, to any) {
	h.Helper()
	if status, text := h.Try(method, path, body, to); status >= 300 {
		h.Fatalf("%s %s: %d %s", method, path, status, text)
	}
}

// Try is Do for what may fail: it returns the status and the answer.
func (h *House) Try(method, path string, body, to any) (int, string) {
	h.Helper()
	var in io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			h.Fatal(err)
		}
		in = strings.NewReader(string(b))
	}
	r := httptest.NewRequest(method, "http://local/api/v1"+path, in)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("If-Match", "*")
	w := httptest.NewRecorder()
	h.local.ServeHTTP(w, r)
	if to != nil && w.Code < 300 {
		if err := json.Unmarshal(w.Body.Bytes(), to); err != nil {
			h.Fatalf("%s %s: %v in %s", method, path, err, w.Body)
		}
	}
	return w.Code, w.Body.String()
}

// AddUser makes a user with numbers. Her password is Password.
func (h *House) AddUser(login string, numbers ...string) {
	h.Helper()
	h.Do("POST", "/users", map[string]any{
		"login": login, "name": strings.ToUpper(login[:1]) + login[1:], "password": Password, "numbers": numbers,
	}, nil)
}

// Put binds a user to a client, as an administrator.
func (h *House) Put(login, clientName string) {
	h.Helper()
	h.Do("PUT", "/clients/"+h.ClientID(clientName)+"/binding", map[string]any{"user": login}, nil)
}

// AddPhone makes a client for a standard SIP phone with a digest credential.
func (h *House) AddPhone(name, login, password string) {
	h.Helper()
	var made struct{ ID string }
	h.Do("POST", "/clients", map[string]any{"kind": "phone", "name": name, "login": login, "password": password}, &made)
	h.remember(name, made.ID)
}

// AddTrunk makes a trunk to a gateway on loopback; change may be nil.
func (h *House) AddTrunk(name, gateway, transport string, change map[string]any) {
	h.Helper()
	at := netip.MustParseAddrPort(gateway)
	source := map[string]any{"prefix": netip.PrefixFrom(at.Addr(), at.Addr().BitLen()).String(), "transport": transport}
	if transport == "udp" { // else it calls from any port
		source["port"] = at.Port()
	}
	trunk := map[string]any{
		"name": name, "enabled": true, "emergency": true,
		"gateways": []any{map[string]any{"host": at.Addr().String(), "port": at.Port(), "transport": transport}},
		"sources":  []any{source},
	}
	for k, v := range change {
		trunk[k] = v
	}
	h.Do("POST", "/trunks", trunk, nil)
}

// Carrier starts a pretend carrier and a trunk to it.
func (h *House) Carrier(transport string, codecs ...string) *carrier.Carrier {
	h.Helper()
	c, err := carrier.Start(h.ctx, carrier.Options{Server: h.SIP(transport), Transport: transport, Codecs: codecs, RingFor: 50 * time.Millisecond})
	if err != nil {
		h.Fatal(err)
	}
	h.Cleanup(c.Close)
	h.AddTrunk("carrier-"+transport+strings.Join(codecs, ""), c.Addr(), transport, nil)
	return c
}

// Browser starts a pretend browser, admits it under the name, and registers.
func (h *House) Browser(name string, codecs ...string) *client.Client {
	h.Helper()
	c, err := client.New(h.Within(), client.Options{Server: h.URL(), Name: name, Codecs: codecs})
	if err != nil {
		h.Fatal(err)
	}
	h.Cleanup(c.Close)
	id := c.Self().ID
	h.Do("POST", "/clients/"+id+"/admit", map[string]any{"name": name}, nil)
	h.remember(name, id)
	if err := c.Register(h.Within()); err != nil {
		h.Fatal(err)
	}
	return c
}

// AdmitNext waits for a browser that waits to be admitted, and admits it under
// a name.
func (h *House) AdmitNext(name string) {
	h.Helper()
	var page struct{ Items []struct{ ID, State string } }
	h.Until("a browser that waits", func() bool {
		h.Do("GET", "/clients", nil, &page)
		for _, c := range page.Items {
			if c.State == "waiting" {
				h.Do("POST", "/clients/"+c.ID+"/admit", map[string]any{"name": name}, nil)
				h.remember(name, c.ID)
				return true
			}
		}
		return false
	})
}

func (h *House) remember(name, id string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.clients[name] = id
}

// ClientID returns the identifier of the client with a name.
func (h *House) ClientID(name string) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.clients[name]
}

// Until waits until ok holds. It asks again and again: what is waited for is
// seen from outside the server, where nothing announces it.
func (h *House) Until(what string, ok func() bool) {
	h.Helper()
	for end := time.Now().Add(Limit); !ok(); {
		if time.Now().After(end) {
			h.Fatalf("not within %v: %s", Limit, what)
		}
		<-time.After(10 * time.Millisecond)
	}
}

// A Record is a call's, as the API shows it.
type Record struct {
	ID        string
	From      struct{ Number string }
	To        string
	Cause     string
	EndedBy   string
	Direction string
	Answered  *time.Time
	Legs      []struct {
		Codec string
		Voice struct {
			Codec          string
			Received, Sent uint64
			Lost           uint64
		}
	}
}

// Records returns the records of finished calls, the newest first.
func (h *House) Records() []Record {
	h.Helper()
	var page struct{ Items []Record }
	h.Do("GET", "/records", nil, &page)
	return page.Items
}

// Last waits for n records and returns the newest.
func (h *House) Last(n int) Record {
	h.Helper()
	h.Until(fmt.Sprintf("%d records", n), func() bool { return len(h.Records()) >= n })
	return h.Records()[0]
}

// NothingLeft waits until no call is left, and checks that its ports are free.
func (h *House) NothingLeft() {
	h.Helper()
	h.Until("no call left", func() bool {
		var page struct{ Items []any }
		h.Do("GET", "/calls", nil, &page)
		return len(page.Items) == 0
	})
}

// FreePort returns a UDP address on loopback that was free a moment ago.
func FreePort(t testing.TB) string {
	t.Helper()
	return FreePortAt(t, "127.0.0.1")
}

// FreePortAt is FreePort on another address of this machine.
func FreePortAt(t testing.TB, address string) string {
	t.Helper()
	c, err := net.ListenPacket("udp", net.JoinHostPort(address, "0"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return c.LocalAddr().String()
}
