// Package carrier is a pretend telephone carrier: a SIP endpoint of its own over
// UDP or TCP with real RTP. It calls a server's numbers when asked, and answers
// its own: an echo test, a speaking clock and so on (Lines). The demonstration
// and the tests use it; the server cannot tell it from a real one.
package carrier

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"

	"github.com/roamline/roamline/demo/media"
	"github.com/roamline/roamline/demo/phone"
	"github.com/roamline/roamline/demo/ua"
)

// Call is a call of the carrier.
type Call = phone.Call

// What a carrier holds at most.
const (
	mostCalls = 64  // at once
	mostPast  = 100 // ended ones remembered
)

// Options of a carrier.
type Options struct {
	Listen    string        // "127.0.0.1:0"; empty means that
	Server    string        // "host:port" of the server's SIP door
	Transport string        // "udp" (default) or "tcp"
	Codecs    []string      // "PCMU", "PCMA", "opus" in order; empty: PCMA, PCMU
	SDES      bool          // SRTP with keys in the SDP (RFC 4568) instead of plain RTP
	Username  string        // if set, INVITE and REGISTER must prove it and
	Password  string        // this by digest (RFC 8760: SHA-256 and MD5)
	RingFor   time.Duration // how long Lines ring before they answer; 0: 1.5 s
	// Unknown is given calls to numbers that are not Lines, in a goroutine of
	// its own; it may Ring, Answer or Refuse. Nil refuses them with 404.
	Unknown func(*Call)
	Trace   func(out bool, to string, message []byte) // sees every SIP message; may be nil
	Log     *slog.Logger
}

// A Carrier is a running pretend carrier.
type Carrier struct {
	opt    Options
	host   netip.Addr
	agent  *ua.Agent
	life   context.Context
	end    context.CancelFunc
	work   sync.WaitGroup
	mu     sync.Mutex
	next   int
	record []*entry // oldest first
	closed bool
	guard  guard
}

type entry struct {
	id   string
	call *Call
}

// Start starts a carrier. It ends with ctx or Close.
func Start(ctx context.Context, o Options) (*Carrier, error) {
	if o.Listen == "" {
		o.Listen = "127.0.0.1:0"
	}
	if len(o.Codecs) == 0 {
		o.Codecs = []string{"PCMA", "PCMU"}
	}
	if o.RingFor == 0 {
		o.RingFor = 1500 * time.Millisecond
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	wire, err := listen(o)
	if err != nil {
		return nil, fmt.Errorf("carrier: %w", err)
	}
	c := &Carrier{opt: o, guard: newGuard(o.Username, o.Password)}
	c.life, c.end = context.WithCancel(ctx)
	if at, err := netip.ParseAddrPort(wire.Addr()); err == nil {
		c.host = at.Addr()
	}
	c.agent = ua.New(wire, ua.Options{User: "carrier", Agent: "Pretend carrier", Invited: c.invited, Other: other, Challenge: c.challenge, Trace: o.Trace, Log: o.Log})
	context.AfterFunc(c.life, c.agent.Close)
	return c, nil
}

func listen(o Options) (ua.Wire, error) {
	switch o.Transport {
	case "", "udp":
		conn, err := net.ListenPacket("udp", o.Listen)
		if err != nil {
			return nil, err
		}
		return ua.UDP(conn), nil
	case "tcp":
		l, err := net.Listen("tcp", o.Listen)
		if err != nil {
			return nil, err
		}
		return ua.TCP(l), nil
	}
	return nil, fmt.Errorf("transport %q: udp and tcp are known", o.Transport)
}

// other answers requests outside calls: pings, and a trunk that registers.
func other(req *sip.Request) int {
	switch req.Method {
	case sip.OPTIONS, sip.REGISTER:
		return 200
	}
	return 405
}

// Addr returns the carrier's SIP address, "host:port".
func (c *Carrier) Addr() string { return c.agent.Addr() }

// Close hangs up, and frees everything.
func (c *Carrier) Close() {
	c.mu.Lock()
	c.closed = true
	all := c.live()
	c.mu.Unlock()
	for _, e := range all {
		e.call.Hangup()
	}
	c.end()
	c.agent.Close()
	c.work.Wait()
}

// live returns the calls that are not over; the lock is held.
func (c *Carrier) live() (out []*entry) {
	for _, e := range c.record {
		select {
		case <-e.call.Ended():
		default:
			out = append(out, e)
		}
	}
	return out
}

// CallOptions of one outgoing call.
type CallOptions struct {
	Name      string   // the caller's, as displayed
	Codecs    []string // instead of the carrier's
	LateOffer bool
	Asserted  string            // P-Asserted-Identity: a SIP URI (RFC 3325)
	Headers   map[string]string // more of them
}

// Call places a call to the server from a number to a number. The call ends
// when ctx does.
func (c *Carrier) Call(ctx context.Context, from, to string, o CallOptions) (*Call, error) {
	host, port, err := splitHostPort(c.opt.Server)
	if err != nil {
		return nil, fmt.Errorf("carrier: the server's address %q: %w", c.opt.Server, err)
	}
	own, ownPort, _ := splitHostPort(c.Addr())
	inv := ua.Invitation{To: sip.Uri{Scheme: "sip", User: to, Host: host, Port: port}, FromName: o.Name,
		From: sip.Uri{Scheme: "sip", User: from, Host: own, Port: ownPort}, Via: c.opt.Server}
	if o.Asserted != "" {
		inv.Headers = append(inv.Headers, sip.NewHeader("P-Asserted-Identity", "<"+o.Asserted+">"))
	}
	for k, v := range o.Headers {
		inv.Headers = append(inv.Headers, sip.NewHeader(k, v))
	}
	codecs := o.Codecs
	if len(codecs) == 0 {
		codecs = c.opt.Codecs
	}
	if !c.room() {
		return nil, fmt.Errorf("carrier: closed, or %d calls at once", mostCalls)
	}
	call, err := phone.Place(c.agent, inv, phone.Options{LateOffer: o.LateOffer, Media: c.media(codecs)})
	if err != nil {
		return nil, fmt.Errorf("carrier: %w", err)
	}
	c.keep(call)
	stop := context.AfterFunc(ctx, call.Hangup)
	c.goWith(call, func() {
		<-call.Ended()
		stop()
	})
	return call, nil
}

func splitHostPort(s string) (string, int, error) {
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		return "", 0, err
	}
	n, err := strconv.Atoi(port)
	return host, n, err
}

func (c *Carrier) media(codecs []string) media.Options {
	return media.Options{Codecs: codecs, SDES: c.opt.SDES, Host: c.host, Log: c.opt.Log}
}

func (c *Carrier) room() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.closed && len(c.live()) < mostCalls
}

func (c *Carrier) keep(call *Call) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.next++
	c.record = append(c.record, &entry{id: strconv.Itoa(c.next), call: call})
	if over := len(c.record) - mostPast; over > 0 {
		c.record = append([]*entry(nil), c.record[over:]...)
	}
}

// goWith runs f in a goroutine that Close waits for.
func (c *Carrier) goWith(call *Call, f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		go call.Hangup()
		return
	}
	c.work.Go(f)
}

// invited answers a call by its number.
func (c *Carrier) invited(d *ua.Dialog) ua.Session {
	if !c.room() {
		d.Refuse(503, "Service Unavailable")
		return nil
	}
	call := phone.Take(d, phone.Options{Media: c.media(c.opt.Codecs)})
	c.keep(call)
	line, known := lineOf(call.To.Number)
	c.goWith(call, func() {
		switch {
		case known:
			line.answer(c.life, c, call)
		case c.opt.Unknown != nil:
			c.opt.Unknown(call)
		default:
			call.Refuse(404, "Not Found")
		}
	})
	return call.Signals()
}
