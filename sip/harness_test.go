package sip

import (
	"bytes"
	"context"
	"fmt"
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

	"github.com/coder/websocket"
	"github.com/emiago/sipgo/sip"
	"github.com/roamline/roamline"
	"go.uber.org/goleak"
)

// T1 of the tests: everything that takes seconds takes a tenth.
const testT1 = 50 * time.Millisecond

func TestMain(m *testing.M) {
	sip.SetTimers(testT1, 8*testT1, 10*testT1)
	code := m.Run()
	if code == 0 {
		if err := goleak.Find(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

// people is an Authority of two: the browser c_web with the token "web-token",
// and the phone c_phone with the login "desk7".
type people struct{}

func (people) Bearer(_ context.Context, token string) (roamline.ClientID, time.Time, error) {
	who, ok := map[string]roamline.ClientID{"web-token": "c_web", "other-token": "c_other"}[token]
	if !ok {
		return "", time.Time{}, &roamline.Error{Op: "test", Kind: roamline.Unauthorized}
	}
	return who, time.Now().Add(10 * time.Minute), nil
}

func (people) Digest(_ context.Context, login, realm string) (roamline.ClientID, map[string]string, error) {
	if login != "desk7" {
		return "", nil, &roamline.Error{Op: "test", Kind: roamline.NotFound}
	}
	return "c_phone", map[string]string{"MD5": ha1(hashOf("MD5"), login, realm), "SHA-256": ha1(hashOf("SHA-256"), login, realm)}, nil
}

const phonePassword = "a telephone"

// A world is a door with its sink, and a carrier that it trusts.
type world struct {
	*testing.T
	door   *Door
	events chan roamline.Event
	trace  *traced
	udp    netip.AddrPort
	tcp    netip.AddrPort
	web    string // URL of the WebSocket

	carrier *ua
}

type traced struct {
	mu  sync.Mutex
	all []roamline.TraceEntry
}

func (t *traced) Trace(e roamline.TraceEntry) {
	t.mu.Lock()
	t.all = append(t.all, e)
	t.mu.Unlock()
}

func (t *traced) text() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var b strings.Builder
	for _, e := range t.all {
		fmt.Fprintf(&b, "%s %s -> %s: %s\n%s\n", e.Leg, e.From, e.To, e.Text, e.Body)
	}
	return b.String()
}

// quickly are options that let time pass fast.
func quickly() Options {
	return Options{Authority: people{}, Realm: "roamline", T1: testT1, GatewayTimeout: 300 * time.Millisecond,
		TimerC: 2 * time.Second, HealthEvery: time.Hour, FlowGrace: 400 * time.Millisecond, GuestLimit: 400 * time.Millisecond,
		OrphanWait: 2 * time.Second, PingEvery: 200 * time.Millisecond, Log: slog.New(slog.DiscardHandler)}
}

func open(t *testing.T, change ...func(*Options)) *world {
	t.Helper()
	w := &world{T: t, events: make(chan roamline.Event, 1000), trace: &traced{}}
	o := quickly()
	o.Sink = func(ev roamline.Event) { w.events <- ev }
	o.Tracer = w.trace
	for _, c := range change {
		c(&o)
	}
	door, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	w.door = door
	pc := listenUDP(t, "127.0.0.1:0")
	w.udp = addrPort(pc.LocalAddr())
	go door.ServeUDP(pc)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w.tcp = addrPort(l.Addr())
	go door.ServeTCP(l)
	server := httptest.NewServer(door)
	w.web = "ws" + strings.TrimPrefix(server.URL, "http") + WebSocketPath
	w.carrier = w.phone("carrier")
	door.SetTrunks([]roamline.Trunk{w.trunkTo(w.carrier)}, nil)
	w.settle()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := door.Close(ctx); err != nil {
			t.Errorf("closing: %v", err)
		}
		server.Close()
		if t.Failed() {
			t.Log(w.trace.text())
		}
	})
	return w
}

// settle answers the first OPTIONS to the carrier.
func (w *world) settle() {
	w.Helper()
	req := w.carrier.request(w, sip.OPTIONS)
	w.carrier.respond(req, 200, "")
}

func (w *world) trunkTo(u *ua) roamline.Trunk {
	return roamline.Trunk{ID: "t_carrier", Name: "Carrier", Enabled: true, Rev: 1,
		Gateways: []roamline.Gateway{{Host: "127.0.0.1", Port: int(u.addr.Port()), Transport: "udp"}}}
}

func listenUDP(t *testing.T, at string) net.PacketConn {
	t.Helper()
	pc, err := net.ListenPacket("udp", at)
	if err != nil {
		t.Fatal(err)
	}
	return pc
}

// event waits for the next event and wants it to be an E.
func event[E roamline.Event](w *world) E {
	w.Helper()
	select {
	case ev := <-w.events:
		e, ok := ev.(E)
		if !ok {
			w.Fatalf("got event %T %+v, want %T", ev, ev, e)
		}
		return e
	case <-time.After(5 * time.Second):
		var e E
		w.Fatalf("no event, want %T", e)
		return e
	}
}

// quietly fails if an event is there that nobody waited for.
func (w *world) quietly() {
	w.Helper()
	select {
	case ev := <-w.events:
		w.Fatalf("unwanted event %T %+v", ev, ev)
	default:
	}
}

// A ua is a user agent that speaks SIP by hand: what is sent is written out.
type ua struct {
	name string
	conn net.PacketConn
	addr netip.AddrPort
	to   netip.AddrPort
	tag  string
	seq  int

	web   *websocket.Conn
	tcp   net.Conn
	in    chan []byte
	seen  map[string]bool // requests that came before, by method and branch
	every bool            // retransmissions are what the test is about
	via   string          // of what it sends
	host  string
}

func (w *world) phone(name string) *ua { return w.phoneAt(name, "127.0.0.1:0") }

func (w *world) phoneAt(name, at string) *ua {
	w.Helper()
	pc := listenUDP(w.T, at)
	u := &ua{name: name, conn: pc, addr: addrPort(pc.LocalAddr()), to: w.udp, tag: newTag(), in: make(chan []byte, 100)}
	u.via, u.host = "SIP/2.0/UDP "+u.addr.String(), u.addr.String()
	w.Cleanup(func() { pc.Close() })
	go func() {
		buf := make([]byte, 65536)
		for {
			n, _, err := pc.ReadFrom(buf)
			if err != nil {
				return
			}
			u.in <- bytes.Clone(buf[:n])
		}
	}()
	return u
}

// browser opens a WebSocket flow.
func (w *world) browser(name string) *ua {
	w.Helper()
	conn, _, err := websocket.Dial(context.Background(), w.web, &websocket.DialOptions{Subprotocols: []string{"sip"}})
	if err != nil {
		w.Fatal(err)
	}
	u := &ua{name: name, web: conn, tag: newTag(), in: make(chan []byte, 100), via: "SIP/2.0/WS " + name + ".invalid", host: name + ".invalid;transport=ws"}
	w.Cleanup(func() { conn.CloseNow() })
	go func() {
		defer close(u.in)
		for {
			_, b, err := conn.Read(context.Background())
			if err != nil {
				return
			}
			u.in <- b
		}
	}()
	return u
}

// write sends text in which lines end as in this file.
func (u *ua) write(text string) {
	b := []byte(strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\n", "\r\n"))
	switch {
	case u.web != nil:
		u.web.Write(context.Background(), websocket.MessageText, b)
	case u.tcp != nil:
		u.tcp.Write(b)
	default:
		u.conn.WriteTo(b, net.UDPAddrFromAddrPort(u.to))
	}
}

// ask sends a request with what is usual; extra lines come before the body.
func (u *ua) ask(method, target, callID string, seq int, toTag, extra, body string) string {
	branch := newBranch()
	u.askAs(branch, method, target, callID, seq, toTag, extra, body)
	return branch
}

func (u *ua) askAs(branch, method, target, callID string, seq int, toTag, extra, body string) {
	if toTag != "" {
		toTag = ";tag=" + toTag
	}
	if body != "" && !strings.Contains(extra, "Content-Type") {
		extra += "Content-Type: application/sdp\n"
	}
	body = strings.ReplaceAll(body, "\n", "\r\n")
	u.write(fmt.Sprintf(`%s %s SIP/2.0
Via: %s;branch=%s;rport
Max-Forwards: 70
From: "%s" <sip:%s@example.net>;tag=%s
To: <sip:someone@example.org>%s
Call-ID: %s
CSeq: %d %s
Contact: <sip:%s@%s>
%sContent-Length: %d

`, method, target, u.via, branch, u.name, u.name, u.tag, toTag, callID, seq, method, u.name, u.host, extra, len(body)) + body)
}

// message waits for the next message.
func (u *ua) message(w *world) sip.Message {
	w.Helper()
	for {
		select {
		case b, ok := <-u.in:
			if !ok {
				w.Fatalf("%s: the connection is closed", u.name)
			}
			msg, err := sip.ParseMessage(b)
			if err != nil {
				w.Fatalf("%s got %q: %v", u.name, b, err)
			}
			if !u.repeated(msg) {
				return msg
			}
		case <-time.After(5 * time.Second):
			w.Fatalf("%s: nothing came", u.name)
			return nil
		}
	}
}

// repeated reports whether msg is a request that was sent before: to an agent
// that answers late it is sent again.
func (u *ua) repeated(msg sip.Message) bool {
	req, ok := msg.(*sip.Request)
	if !ok || u.every {
		return false
	}
	if u.seen == nil {
		u.seen = make(map[string]bool)
	}
	branch, _ := req.Via().Params.Get("branch")
	id := string(req.Method) + " " + branch
	was := u.seen[id]
	u.seen[id] = true
	return was
}

// response waits for a response with that code; 100 is skipped.
func (u *ua) response(w *world, code int) *sip.Response {
	w.Helper()
	for {
		msg := u.message(w)
		res, ok := msg.(*sip.Response)
		if !ok {
			w.Fatalf("%s got %s, wants %d", u.name, msg.(*sip.Request).StartLine(), code)
		}
		if res.StatusCode == 100 && code != 100 {
			continue
		}
		if res.StatusCode != code {
			w.Fatalf("%s got %s, wants %d", u.name, res.StartLine(), code)
		}
		return res
	}
}

// request waits for a request of that method.
func (u *ua) request(w *world, method sip.RequestMethod) *sip.Request {
	w.Helper()
	msg := u.message(w)
	req, ok := msg.(*sip.Request)
	if !ok || req.Method != method {
		w.Fatalf("%s got %.80q, wants %s", u.name, msg.String(), method)
	}
	return req
}

// nothing fails if something new came within a while.
func (u *ua) nothing(w *world) {
	w.Helper()
	after := time.After(2 * testT1)
	for {
		select {
		case b, ok := <-u.in:
			if !ok {
				return
			}
			if msg, err := sip.ParseMessage(b); err != nil || !u.repeated(msg) {
				w.Fatalf("%s got %.300q, wants nothing", u.name, b)
			}
		case <-after:
			return
		}
	}
}

// respond answers a request; extra as in ask. The To tag is the agent's.
func (u *ua) respond(req *sip.Request, code int, extra string, body ...string) {
	u.respondAs(u.tag, req, code, extra, body...)
}

func (u *ua) respondAs(tag string, req *sip.Request, code int, extra string, body ...string) {
	var b strings.Builder
	fmt.Fprintf(&b, "SIP/2.0 %d Whatever\n", code)
	for _, h := range req.GetHeaders("Via") {
		b.WriteString("Via: " + h.Value() + "\n")
	}
	for _, h := range req.GetHeaders("Record-Route") {
		b.WriteString("Record-Route: " + h.Value() + "\n")
	}
	to := req.To().Value()
	if tagOf(req.To()) == "" && code > 100 {
		to += ";tag=" + tag
	}
	sdp := strings.Join(body, "")
	if sdp != "" {
		extra += "Content-Type: application/sdp\n"
		sdp = strings.ReplaceAll(sdp, "\n", "\r\n")
	}
	fmt.Fprintf(&b, "From: %s\nTo: %s\nCall-ID: %s\nCSeq: %s\nContact: <sip:%s@%s>\n%sContent-Length: %d\n\n",
		req.From().Value(), to, req.CallID().Value(), req.CSeq().Value(), u.name, u.host, extra, len(sdp))
	u.write(b.String() + sdp)
}

const (
	offerText  = "v=0\no=- 1 1 IN IP4 127.0.0.1\ns=-\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 4000 RTP/AVP 0\n"
	answerText = "v=0\no=- 2 1 IN IP4 127.0.0.1\ns=-\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 5000 RTP/AVP 0\n"
)

func crlf(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }

// registerWeb registers the browser c_web.
func (w *world) registerWeb(u *ua) {
	w.Helper()
	u.register("web-token", "c_web", 600, 1)
	u.response(w, 200)
	if ev := event[roamline.Reached](w); ev.Client != "c_web" {
		w.Fatalf("reached %q", ev.Client)
	}
}

func (u *ua) register(token, client string, expires, seq int) {
	u.write(fmt.Sprintf(`REGISTER sip:roamline SIP/2.0
Via: %s;branch=%s
Max-Forwards: 70
From: <sip:%s@roamline>;tag=%s
To: <sip:%s@roamline>
Call-ID: reg-%s
CSeq: %d REGISTER
Contact: <sip:%s@%s>;+sip.instance="<urn:uuid:%s>";reg-id=1;expires=%d
Authorization: Bearer %s
Supported: outbound, path
Content-Length: 0

`, u.via, newBranch(), client, u.tag, client, u.tag, seq, u.name, u.host, u.name, expires, token))
}

var _ http.Handler = (*Door)(nil)

func mustAddr(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }

func addrs(list ...string) (as []netip.Addr) {
	for _, s := range list {
		as = append(as, netip.MustParseAddr(s))
	}
	return as
}

func prefixes(list ...string) (ps []netip.Prefix) {
	for _, s := range list {
		ps = append(ps, netip.MustParsePrefix(s))
	}
	return ps
}
