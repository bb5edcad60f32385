package ua

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"

	"github.com/coder/websocket"
)

// maxMessage is the longest SIP message that a wire takes, in bytes.
const maxMessage = 64 << 10

// maxConns bounds the connections of a TCP wire.
const maxConns = 64

// A Wire carries whole SIP messages. Its methods may be called at any time
// from any goroutine; Serve is called once.
type Wire interface {
	Transport() string // "UDP", "TCP" or "WS", as in a Via
	Addr() string      // "host:port" for our Via and Contact
	Send(to string, message []byte) error
	// Serve gives each message that arrives, one at a time, with the address to
	// send to for an answer, and returns after Close or when the wire broke.
	Serve(take func(message []byte, from string)) error
	Close() error
}

type udp struct{ conn net.PacketConn }

// UDP returns a wire over conn, which it owns.
func UDP(conn net.PacketConn) Wire { return udp{conn} }

func (w udp) Transport() string { return "UDP" }
func (w udp) Addr() string      { return w.conn.LocalAddr().String() }
func (w udp) Close() error      { return w.conn.Close() }

func (w udp) Send(to string, message []byte) error {
	addr, err := net.ResolveUDPAddr("udp", to)
	if err != nil {
		return err
	}
	_, err = w.conn.WriteTo(message, addr)
	return err
}

func (w udp) Serve(take func([]byte, string)) error {
	buf := make([]byte, maxMessage)
	for {
		n, from, err := w.conn.ReadFrom(buf)
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			continue // a port unreachable from an earlier send
		}
		take(bytes.Clone(buf[:n]), from.String())
	}
}

type tcp struct {
	listener net.Listener
	mu       sync.Mutex
	conns    map[string]net.Conn // by the far end's address
	closed   bool
	in       chan arrived
	done     chan struct{}
	readers  sync.WaitGroup
}

type arrived struct {
	message []byte
	from    string
}

// TCP returns a wire that accepts from listener, which it owns, and dials what
// it is not yet connected to.
func TCP(listener net.Listener) Wire {
	return &tcp{listener: listener, conns: map[string]net.Conn{}, in: make(chan arrived), done: make(chan struct{})}
}

func (w *tcp) Transport() string { return "TCP" }
func (w *tcp) Addr() string      { return w.listener.Addr().String() }

func (w *tcp) Send(to string, message []byte) error {
	w.mu.Lock()
	conn := w.conns[to]
	w.mu.Unlock()
	if conn == nil {
		var err error
		if conn, err = net.Dial("tcp", to); err != nil {
			return err
		}
		if !w.keep(conn) {
			return net.ErrClosed
		}
	}
	_, err := conn.Write(message)
	return err
}

// keep reads from conn until it breaks; false if there is no room.
func (w *tcp) keep(conn net.Conn) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed || len(w.conns) >= maxConns {
		conn.Close()
		return false
	}
	from := conn.RemoteAddr().String()
	w.conns[from] = conn
	w.readers.Go(func() {
		r := bufio.NewReader(conn)
		for {
			message, err := readMessage(r)
			if err != nil {
				break
			}
			select {
			case w.in <- arrived{message, from}:
			case <-w.done:
			}
		}
		conn.Close()
		w.mu.Lock()
		delete(w.conns, from)
		w.mu.Unlock()
	})
	return true
}

func (w *tcp) Serve(take func([]byte, string)) error {
	w.readers.Go(func() {
		for {
			conn, err := w.listener.Accept()
			if err != nil {
				return
			}
			w.keep(conn)
		}
	})
	for {
		select {
		case m := <-w.in:
			take(m.message, m.from)
		case <-w.done:
			w.readers.Wait()
			return nil
		}
	}
}

func (w *tcp) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return nil
	}
	w.closed = true
	close(w.done)
	for _, c := range w.conns {
		c.Close()
	}
	return w.listener.Close()
}

// readMessage reads one message framed by its Content-Length (RFC 3261 section
// 18.3); empty lines before it are pings (RFC 5626 section 3.5.1).
func readMessage(r *bufio.Reader) ([]byte, error) {
	var m []byte
	length := 0
	for {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return nil, err
		}
		empty := len(bytes.TrimRight(line, "\r\n")) == 0
		if empty && len(m) == 0 {
			continue
		}
		m = append(m, line...)
		if empty {
			break
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		name = bytes.TrimSpace(name)
		if bytes.EqualFold(name, []byte("content-length")) || bytes.EqualFold(name, []byte("l")) {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil || length < 0 {
				return nil, fmt.Errorf("ua: Content-Length %q", value)
			}
		}
		if len(m)+length > maxMessage {
			return nil, errors.New("ua: message too long")
		}
	}
	head := len(m)
	m = append(m, make([]byte, length)...)
	_, err := io.ReadFull(r, m[head:])
	return m, err
}

type ws struct {
	conn  *websocket.Conn
	host  string
	ctx   context.Context
	close context.CancelFunc
}

// DialWebSocket opens a SIP WebSocket (RFC 7118) at url ("ws://host/sip"). host
// is the made-up name for our Via and Contact, such as "abc.invalid"; origin is
// what a browser would say of the page.
func DialWebSocket(ctx context.Context, url, host, origin string, by *http.Client) (Wire, error) {
	conn, _, err := websocket.Dial(ctx, url, &websocket.DialOptions{HTTPClient: by, Subprotocols: []string{"sip"},
		HTTPHeader: http.Header{"Origin": {origin}}})
	if err != nil {
		return nil, fmt.Errorf("ua: WebSocket %s: %w", url, err)
	}
	if conn.Subprotocol() != "sip" {
		conn.CloseNow()
		return nil, fmt.Errorf("ua: WebSocket %s: the server did not choose the subprotocol sip", url)
	}
	return WebSocket(conn, host), nil
}

// WebSocket returns a wire over an open SIP WebSocket, which it owns.
func WebSocket(conn *websocket.Conn, host string) Wire {
	conn.SetReadLimit(maxMessage)
	life, end := context.WithCancel(context.Background())
	return &ws{conn: conn, host: host, ctx: life, close: end}
}

func (w *ws) Transport() string { return "WS" }
func (w *ws) Addr() string      { return w.host }

func (w *ws) Send(_ string, message []byte) error {
	return w.conn.Write(w.ctx, websocket.MessageText, message)
}

func (w *ws) Serve(take func([]byte, string)) error {
	for {
		_, message, err := w.conn.Read(w.ctx)
		if err != nil {
			if w.ctx.Err() != nil {
				return nil
			}
			return err
		}
		if len(bytes.TrimSpace(message)) > 0 {
			take(message, "")
		}
	}
}

func (w *ws) Close() error {
	w.close()
	return w.conn.CloseNow()
}
