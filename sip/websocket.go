package sip

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/coder/websocket"
)

// WebSocketPath is where browsers open their flow.
const WebSocketPath = "/sip"

var errNoPong = errors.New("no answer to a ping")

// ServeHTTP upgrades a request for WebSocketPath to SIP over WebSocket (RFC
// 7118) and carries it until the flow closes. It refuses a subprotocol other
// than sip, a page of another origin, and strangers beyond the bounds of
// Options; a flow that has not registered in time is closed. The server in front
// must limit the time for the header (http.Server.ReadHeaderTimeout).
func (d *Door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != WebSocketPath {
		http.NotFound(w, r)
		return
	}
	if !offersSIP(r) {
		http.Error(w, "the WebSocket subprotocol must be sip", http.StatusBadRequest)
		return
	}
	if !d.allowedOrigin(r) {
		http.Error(w, "this page may not open a SIP connection", http.StatusForbidden)
		return
	}
	transport := "ws"
	if r.TLS != nil {
		transport = "wss"
	}
	remote, _ := netip.ParseAddrPort(r.RemoteAddr)
	remote = netip.AddrPortFrom(remote.Addr().Unmap(), remote.Port())
	var local netip.AddrPort
	if a, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok {
		local = addrPort(a)
	}
	ctx, cancel := context.WithCancel(d.ctx)
	defer cancel()
	f := newStream(d, transport, local, remote, true, nil)
	if !d.guests.enter(f, d.opt.GuestLimit) {
		w.Header().Set("Retry-After", "5")
		http.Error(w, "too many connections that have not registered", http.StatusServiceUnavailable)
		return
	}
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{
		Subprotocols:       []string{"sip"},
		InsecureSkipVerify: true, // allowedOrigin has looked
	})
	if err != nil {
		f.shut(err)
		return
	}
	defer conn.CloseNow()
	conn.SetReadLimit(maxMessage)
	if !d.flows.add(f) {
		f.shut(errFlowClosed)
		return
	}
	d.start()
	d.spawn(func() { f.writeWeb(ctx, conn) })
	f.readWeb(ctx, conn)
}

// offersSIP looks for the subprotocol among those of the handshake (RFC 7118
// section 4.1).
func offersSIP(r *http.Request) bool {
	for _, v := range r.Header.Values("Sec-WebSocket-Protocol") {
		for _, p := range strings.Split(v, ",") {
			if strings.TrimSpace(p) == "sip" {
				return true
			}
		}
	}
	return false
}

// allowedOrigin accepts the page of the same host, those of Options.Origins, and
// programs that are no browser and send no Origin.
func (d *Door) allowedOrigin(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" {
		return true
	}
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" {
		return false
	}
	if strings.EqualFold(u.Host, r.Host) {
		return true
	}
	for _, o := range d.opt.Origins {
		if strings.EqualFold(o, origin) {
			return true
		}
	}
	return false
}

// readWeb takes messages until the connection ends; each WebSocket message is
// one SIP message (RFC 7118 section 5.1). Pings are answered meanwhile.
func (f *flow) readWeb(ctx context.Context, conn *websocket.Conn) {
	for {
		_, b, err := conn.Read(ctx)
		if err != nil {
			f.shut(err)
			return
		}
		if keepalive(b) {
			f.send([]byte("\r\n"))
			continue
		}
		f.door.datagram(f, b)
	}
}

// keepalive reports whether b is the CRLF pair that some phones send.
func keepalive(b []byte) bool { return len(b) <= 4 && strings.Trim(string(b), "\r\n") == "" }

// writeWeb sends what is queued, and a ping after each quiet period; a peer
// that answers none is gone.
func (f *flow) writeWeb(ctx context.Context, conn *websocket.Conn) {
	tick := time.NewTicker(f.door.opt.PingEvery)
	defer tick.Stop()
	var unanswered chan struct{}
	for {
		select {
		case <-f.done:
			f.flushWeb(conn)
			return
		case b := <-f.out:
			limit, cancel := context.WithTimeout(ctx, writeLimit)
			err := conn.Write(limit, websocket.MessageText, b)
			cancel()
			if err != nil {
				f.shut(err)
				return
			}
		case <-tick.C:
			if unanswered != nil {
				select {
				case <-unanswered:
				default:
					f.shut(errNoPong)
					continue
				}
			}
			answered := make(chan struct{})
			unanswered = answered
			f.door.spawn(func() {
				limit, cancel := context.WithTimeout(ctx, f.door.opt.PingEvery)
				defer cancel()
				if conn.Ping(limit) == nil {
					close(answered)
				}
			})
		}
	}
}

// flushWeb writes what was queued before the flow was closed and says goodbye.
func (f *flow) flushWeb(conn *websocket.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	for {
		select {
		case b := <-f.out:
			if conn.Write(ctx, websocket.MessageText, b) != nil {
				return
			}
			continue
		default:
		}
		conn.Close(websocket.StatusNormalClosure, "")
		return
	}
}
