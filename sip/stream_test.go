package sip

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/emiago/sipgo/sip"
	"github.com/roamline/roamline"
)

func (w *world) dialTCP(from string) net.Conn {
	w.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	c, err := d.Dial("tcp", w.tcp.String())
	must(w, err)
	c.SetDeadline(time.Now().Add(5 * time.Second))
	w.Cleanup(func() { c.Close() })
	return c
}

// readCode reads the next response's code from a stream, and its head.
func readCode(w *world, r *bufio.Reader) (int, string) {
	w.Helper()
	t, flt, err := readMessage(r, func() {})
	if err != nil || flt != nil {
		w.Fatalf("%v %v", flt, err)
	}
	msg, err := t.message()
	must(w, err)
	return msg.(*sip.Response).StatusCode, msg.String()
}

const optionsTCP = "OPTIONS sip:x@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP host.invalid;branch=z9hG4bKopt%\r\nFrom: <sip:a@b>;tag=1\r\n" +
	"To: <sip:x@y>\r\nCall-ID: tcp%\r\nCSeq: 1 OPTIONS\r\n"

func optionsText(n, rest string) string { return strings.ReplaceAll(optionsTCP, "%", n) + rest }

func TestStreamFraming(t *testing.T) {
	w := open(t)
	c := w.dialTCP("127.0.0.2") // a stranger
	r := bufio.NewReader(c)
	// Keepalives, two messages in one packet, and one cut in the middle.
	first, second := optionsText("1", "Content-Length: 0\r\n\r\n"), optionsText("2", "l: 3\r\n\r\nabc")
	io.WriteString(c, "\r\n\r\n"+first+second[:50])
	if b, err := r.Peek(2); err != nil || string(b) != "\r\n" {
		t.Fatalf("pong %q, %v", b, err)
	}
	if code, _ := readCode(w, r); code != 401 {
		t.Errorf("got %d", code)
	}
	io.WriteString(c, second[50:])
	if code, _ := readCode(w, r); code != 401 {
		t.Errorf("got %d", code)
	}
	// What can be framed is refused, and the connection lives.
	io.WriteString(c, strings.Replace(optionsText("3", "Content-Length: 0\r\n\r\n"), "CSeq: 1 OPTIONS", "CSeq: 1 INVITE", 1))
	if code, _ := readCode(w, r); code != 400 {
		t.Errorf("got %d", code)
	}
	// What can't be is refused, and it is closed.
	io.WriteString(c, optionsText("4", "Content-Length: 3\r\nContent-Length: 5\r\n\r\nabcde"))
	if code, _ := readCode(w, r); code != 400 {
		t.Errorf("got %d", code)
	}
	if _, err := r.ReadByte(); err != io.EOF {
		t.Errorf("the connection lives: %v", err)
	}
}

func TestSilentConnectionIsClosed(t *testing.T) {
	w := open(t)
	c := w.dialTCP("127.0.0.2")
	io.WriteString(c, "OPTIONS sip:x")
	if _, err := io.ReadAll(c); err != nil {
		t.Errorf("not closed: %v", err)
	}
}

func TestConnectionsOfStrangersAreCounted(t *testing.T) {
	w := open(t, func(o *Options) { o.GuestsPer, o.GuestLimit = 2, 3*time.Second })
	a, b := w.dialTCP("127.0.0.2"), w.dialTCP("127.0.0.2")
	for _, c := range []net.Conn{a, b} {
		io.WriteString(c, optionsText("1", "Content-Length: 0\r\n\r\n"))
		readCode(w, bufio.NewReader(c))
	}
	c := w.dialTCP("127.0.0.2")
	if _, err := c.Read(make([]byte, 1)); err == nil {
		t.Error("a third connection is served")
	}
	other := w.dialTCP("127.0.0.3")
	io.WriteString(other, optionsText("1", "Content-Length: 0\r\n\r\n"))
	readCode(w, bufio.NewReader(other))
}

func TestTrunkOverTCP(t *testing.T) {
	w := open(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(w, err)
	defer l.Close()
	w.door.SetTrunks([]roamline.Trunk{{ID: "t_tcp", Name: "tcp", Enabled: true, Gateways: []roamline.Gateway{
		{Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port, Transport: "tcp"}}}}, nil)
	conn, err := l.Accept()
	must(w, err)
	u := w.overTCP("gateway", conn)
	u.respond(u.request(w, sip.OPTIONS), 200, "")
	must(w, w.door.Invite("k_1.2", roamline.Target{Trunk: "t_tcp", Number: "1"}, roamline.Path{}, roamline.Party{Number: "2"}, roamline.Manual, []byte(crlf(offerText))))
	inv := u.request(w, sip.INVITE)
	if inv.Via().Transport != "TCP" {
		t.Errorf("%s", inv)
	}
	u.respond(inv, 200, "", answerText)
	event[roamline.Answered](w)
	u.request(w, sip.ACK)
	// In the dialog, by the same connection.
	u.ask("BYE", "sip:roamline@127.0.0.1", inv.CallID().Value(), 1, tagOf(inv.From()), "", "")
	u.response(w, 200)
	event[roamline.HungUp](w)
}

func TestTrunkThatRefusesConnections(t *testing.T) {
	w := open(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(w, err)
	port := l.Addr().(*net.TCPAddr).Port
	l.Close()
	w.door.SetTrunks([]roamline.Trunk{{ID: "t_tcp", Name: "tcp", Enabled: true, Gateways: []roamline.Gateway{
		{Host: "127.0.0.1", Port: port, Transport: "tcp"}}}}, nil)
	must(w, w.door.Invite("k_1.2", roamline.Target{Trunk: "t_tcp", Number: "1"}, roamline.Path{}, roamline.Party{Number: "2"}, roamline.Manual, []byte(crlf(offerText))))
	if ev := event[roamline.HungUp](w); ev.Cause != roamline.Unreachable {
		t.Errorf("%+v", ev)
	}
	w.until("a state", func() bool { return w.door.TrunkStatus()[0].Error != "" })
}

// overTCP makes a user agent of a connection.
func (w *world) overTCP(name string, c net.Conn) *ua {
	addr := addrPort(c.LocalAddr())
	u := &ua{name: name, tcp: c, addr: addr, tag: newTag(), in: make(chan []byte, 100), via: "SIP/2.0/TCP " + addr.String(), host: addr.String() + ";transport=tcp"}
	w.Cleanup(func() { c.Close() })
	go func() {
		defer close(u.in)
		r := bufio.NewReader(c)
		for {
			t, flt, err := readMessage(r, func() {})
			if flt != nil || err != nil {
				return
			}
			msg, err := t.message()
			if err != nil {
				return
			}
			u.in <- []byte(msg.String())
		}
	}()
	return u
}

func TestPhoneOverTLS(t *testing.T) {
	w := open(t)
	certs := httptest.NewUnstartedServer(nil)
	certs.StartTLS() // for its certificate
	defer certs.Close()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(w, err)
	go w.door.ServeTLS(tls.NewListener(l, &tls.Config{Certificates: certs.TLS.Certificates}))
	c, err := tls.Dial("tcp", l.Addr().String(), &tls.Config{InsecureSkipVerify: true})
	must(w, err)
	u := w.overTCP("desk", c)
	u.via = strings.Replace(u.via, "TCP", "TLS", 1)
	ch := w.registerPhone(u, "MD5")
	// From now on the connection is hers: no credentials.
	_ = ch
	u.ask("INVITE", "sip:1001@roamline", "over-tls", 1, "", "", offerText)
	u.response(w, 100)
	ev := event[roamline.Offered](w)
	if ev.Path.Client != "c_phone" || ev.Path.Voice != roamline.SDES || ev.Path.Transport != "tls" {
		t.Errorf("%+v", ev)
	}
	must(w, w.door.Accept(ev.Leg, []byte(crlf(answerText))))
	u.response(w, 200)
	u.ask("ACK", "sip:roamline@127.0.0.1", "over-tls", 1, tagOfLeg(w, ev.Leg), "", "")
	event[roamline.Confirmed](w)
	must(w, w.door.Hangup(ev.Leg, roamline.Normal))
	u.respond(u.request(w, sip.BYE), 200, "")
}

func tagOfLeg(w *world, id roamline.LegID) string {
	l, err := w.door.find("test", id)
	must(w, err)
	defer l.unlock()
	return l.dialog.localTag()
}

func TestUpgradeRules(t *testing.T) {
	w := open(t, func(o *Options) { o.Origins = []string{"https://phone.example"} })
	host := strings.TrimSuffix(strings.TrimPrefix(w.web, "ws://"), WebSocketPath)
	for _, row := range []struct {
		rule, path, protocol, origin string
		code                         int
	}{
		{"our own page", "/sip", "sip", "http://" + host, 101},
		{"a page that is named", "/sip", "sip", "https://phone.example", 101},
		{"no page at all", "/sip", "sip", "", 101},
		{"several subprotocols", "/sip", "chat, sip", "", 101},
		{"a foreign page", "/sip", "sip", "https://evil.example", 403},
		{"an origin that is none", "/sip", "sip", "null", 403},
		{"another subprotocol", "/sip", "chat", "", 400},
		{"no subprotocol", "/sip", "", "", 400},
		{"another path", "/other", "sip", "", 404},
	} {
		req, _ := http.NewRequest("GET", "http://"+host+row.path, nil)
		for k, v := range map[string]string{"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
			"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Protocol": row.protocol, "Origin": row.origin} {
			if v != "" {
				req.Header.Set(k, v)
			}
		}
		res, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
		must(w, err)
		if res.StatusCode != row.code {
			t.Errorf("%s: %d, want %d", row.rule, res.StatusCode, row.code)
		}
		res.Body.Close()
	}
}

func TestUnregisteredBrowserIsClosed(t *testing.T) {
	w := open(t)
	b := w.browser("tab")
	b.ask("OPTIONS", "sip:x@roamline", "x", 1, "", "", "")
	b.response(w, 401)
	select {
	case _, more := <-b.in:
		if more {
			t.Error("a message")
		}
	case <-time.After(5 * time.Second):
		t.Error("not closed")
	}
}

func TestBrowserThatAnswersNoPing(t *testing.T) {
	w := open(t)
	conn, _, err := websocket.Dial(context.Background(), w.web, &websocket.DialOptions{Subprotocols: []string{"sip"},
		OnPingReceived: func(context.Context, []byte) bool { return false }})
	must(w, err)
	b := &ua{name: "tab", web: conn, tag: newTag(), in: make(chan []byte, 100), via: "SIP/2.0/WS tab.invalid", host: "tab.invalid;transport=ws"}
	defer conn.CloseNow()
	go func() {
		for {
			_, m, err := conn.Read(context.Background())
			if err != nil {
				return
			}
			b.in <- m
		}
	}()
	w.registerWeb(b)
	event[roamline.Lost](w)
}

func TestBrowserPingsAndStays(t *testing.T) {
	w := open(t)
	b := w.browser("tab")
	w.registerWeb(b)
	for range 3 {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		must(w, b.web.Ping(ctx)) // answered by the door
		cancel()
	}
	b.web.Write(context.Background(), websocket.MessageText, []byte("nonsense\r\n\r\n")) // does not close it
	b.write("\n\n")
	select {
	case m := <-b.in:
		if string(m) != "\r\n" {
			t.Errorf("pong %q", m)
		}
	case <-time.After(5 * time.Second):
		t.Error("no pong")
	}
	w.quietly()
}

func TestBrowserCalls(t *testing.T) {
	w := open(t)
	b := w.browser("tab")
	w.registerWeb(b)
	b.ask("INVITE", "sip:%2B34600000001@roamline", "from-web", 1, "", "", offerText)
	b.response(w, 100)
	ev := event[roamline.Offered](w)
	if ev.Path.Client != "c_web" || ev.Dialed != "+34600000001" || ev.Path.Voice != roamline.DTLS {
		t.Errorf("%+v", ev)
	}
	must(w, w.door.Alert(ev.Leg, []byte(crlf(answerText))))
	if res := b.response(w, 183); string(res.Body()) != crlf(answerText) {
		t.Errorf("%s", res)
	}
	must(w, w.door.Accept(ev.Leg, []byte(crlf(answerText))))
	res := b.response(w, 200)
	if len(res.GetHeaders("Session-Expires")) != 0 {
		t.Error("a session timer towards a browser")
	}
	b.ask("ACK", res.Contact().Address.String(), "from-web", 1, tagOf(res.To()), "", "")
	event[roamline.Confirmed](w)
	b.ask("BYE", res.Contact().Address.String(), "from-web", 2, tagOf(res.To()), "", "")
	b.response(w, 200)
	event[roamline.HungUp](w)
}
