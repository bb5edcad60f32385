// Package ua is a small SIP user agent over one wire: transactions (RFC 3261
// section 17) and dialogs (section 12), nothing more than a pretend carrier and
// a pretend client need. It parses with sipgo and shares nothing else with the
// server.
package ua

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"
)

// Timers of RFC 3261 section 17, table 4.
const (
	t1    = 500 * time.Millisecond
	t2    = 4 * time.Second
	life  = 64 * t1
	most  = 2048 // transactions of each kind, and
	calls = 512  // dialogs, that an agent holds at once
)

// ErrClosed is returned when the agent or its wire has ended.
var ErrClosed = errors.New("ua: closed")

// Options say who an agent is.
type Options struct {
	User    string                          // user part of our Contact
	Agent   string                          // User-Agent and Server header
	Invited func(*Dialog) Session           // a call arrived; nil session: it was refused by the dialog's methods
	Other   func(*sip.Request) (status int) // requests outside dialogs; nil: OPTIONS 200, others 405
	// Challenge looks at requests outside dialogs before they count; what it
	// returns goes out with a 401. Nil, or nothing: let in.
	Challenge func(*sip.Request) []sip.Header
	Lost      func(error)                         // the wire broke
	Trace     func(out bool, to string, m []byte) // sees every message; may be nil
	Log       *slog.Logger
}

// An Agent sends and takes SIP messages at one wire.
type Agent struct {
	opt     Options
	wire    Wire
	done    chan struct{}
	mu      sync.Mutex
	closed  bool
	clients map[string]*clientTx
	servers map[string]*serverTx
	dialogs map[string]*Dialog // by Call-ID and our tag
}

// New starts an agent. Close ends it and its wire.
func New(wire Wire, opt Options) *Agent {
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	a := &Agent{opt: opt, wire: wire, done: make(chan struct{}),
		clients: map[string]*clientTx{}, servers: map[string]*serverTx{}, dialogs: map[string]*Dialog{}}
	go func() {
		defer close(a.done)
		if err := wire.Serve(a.receive); err != nil && opt.Lost != nil {
			opt.Lost(err)
		}
		a.forget()
	}()
	return a
}

// Addr returns where the agent can be reached.
func (a *Agent) Addr() string { return a.wire.Addr() }

// Done is closed when the wire has ended.
func (a *Agent) Done() <-chan struct{} { return a.done }

// Close ends the wire at once, with no word to anybody, and waits.
func (a *Agent) Close() {
	a.wire.Close()
	<-a.done
}

// forget ends what still waits for an answer.
func (a *Agent) forget() {
	a.mu.Lock()
	a.closed = true
	clients := a.clients
	dialogs := a.dialogs
	for _, tx := range a.servers {
		tx.stop()
	}
	a.clients, a.servers, a.dialogs = map[string]*clientTx{}, map[string]*serverTx{}, map[string]*Dialog{}
	a.mu.Unlock()
	for _, tx := range clients {
		tx.stop()
		tx.fail(503, "Connection Lost")
	}
	for _, d := range dialogs {
		d.finish(End{Status: 503, Reason: "Connection Lost"})
	}
}

func (a *Agent) receive(raw []byte, from string) {
	if a.opt.Trace != nil {
		a.opt.Trace(false, from, raw)
	}
	m, err := sip.ParseMessage(raw)
	if err != nil {
		a.opt.Log.Debug("unreadable message", "from", from, "error", err)
		return
	}
	if m.Via() == nil || m.CSeq() == nil || m.CallID() == nil || m.From() == nil || m.To() == nil {
		a.opt.Log.Debug("message lacks a header", "from", from)
		return
	}
	switch m := m.(type) {
	case *sip.Response:
		a.response(m)
	case *sip.Request:
		m.SetSource(from)
		a.request(m)
	}
}

func (a *Agent) send(to string, m sip.Message) { a.sendRaw(to, []byte(m.String())) }

func (a *Agent) sendRaw(to string, raw []byte) {
	if a.opt.Trace != nil {
		a.opt.Trace(true, to, raw)
	}
	if err := a.wire.Send(to, raw); err != nil {
		a.opt.Log.Debug("message not sent", "to", to, "error", err)
	}
}

func (a *Agent) reliable() bool { return a.wire.Transport() != "UDP" }

// contact is where requests within a dialog reach us.
func (a *Agent) contact() *sip.ContactHeader {
	h := &sip.ContactHeader{Address: a.own()}
	h.Address.UriParams = sip.NewParams()
	if t := a.wire.Transport(); t != "UDP" {
		h.Address.UriParams.Add("transport", strings.ToLower(t))
	}
	return h
}

func (a *Agent) own() sip.Uri {
	host, port := splitHost(a.wire.Addr())
	return sip.Uri{Scheme: "sip", User: a.opt.User, Host: host, Port: port}
}

func splitHost(addr string) (string, int) {
	if i := strings.LastIndexByte(addr, ':'); i >= 0 {
		if port, err := strconv.Atoi(addr[i+1:]); err == nil {
			return addr[:i], port
		}
	}
	return addr, 0
}

func (a *Agent) via() *sip.ViaHeader {
	host, port := splitHost(a.wire.Addr())
	v := &sip.ViaHeader{ProtocolName: "SIP", ProtocolVersion: "2.0", Transport: a.wire.Transport(), Host: host, Port: port,
		Params: sip.NewParams()}
	v.Params.Add("branch", sip.GenerateBranch())
	if !a.reliable() {
		v.Params.Add("rport", "")
	}
	return v
}

// Do sends a request of its own, outside any dialog, and returns the final
// answer. req needs From, To, Call-ID and CSeq; Via and the rest are added.
func (a *Agent) Do(ctx context.Context, to string, req *sip.Request) (*sip.Response, error) {
	got := make(chan *sip.Response, 1)
	a.finishRequest(req)
	tx, err := a.start(to, req, func(res *sip.Response) {
		if res.StatusCode >= 200 {
			select {
			case got <- res:
			default:
			}
		}
	})
	if err != nil {
		return nil, err
	}
	select {
	case res := <-got:
		return res, nil
	case <-ctx.Done():
		a.drop(tx)
		return nil, fmt.Errorf("ua: %s: %w", req.Method, ctx.Err())
	}
}

func (a *Agent) finishRequest(req *sip.Request) {
	req.PrependHeader(a.via())
	if req.MaxForwards() == nil {
		hops := sip.MaxForwardsHeader(70)
		req.AppendHeader(&hops)
	}
	if a.opt.Agent != "" {
		req.AppendHeader(sip.NewHeader("User-Agent", a.opt.Agent))
	}
	if req.ContentLength() == nil {
		req.SetBody(req.Body())
	}
}
