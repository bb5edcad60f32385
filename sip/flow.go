package sip

import (
	"errors"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/roamline/roamline"
)

// outQueue bounds the messages that wait for a slow connection. One that falls
// this far behind is closed.
const outQueue = 64

var (
	errFlowClosed = errors.New("the connection is closed")
	errFlowFull   = errors.New("the connection takes nothing more")
	errDropped    = errors.New("the client was revoked")
)

// A flow is one way to one peer: an address seen from one of our UDP sockets, or
// a TCP, TLS or WebSocket connection (RFC 5626 section 2). Sending never blocks.
// It is the sip.Connection that sipgo's transactions write to.
type flow struct {
	door      *Door
	transport string // "udp", "tcp", "tls", "ws" or "wss"
	remote    netip.AddrPort
	local     netip.AddrPort
	inward    bool // the peer opened it

	udp *socket // of a UDP flow; the rest is of connections

	out    chan []byte
	done   chan struct{}
	closer sync.Once
	hangUp func() // closes what is beneath

	mu      sync.Mutex
	client  roamline.ClientID // whose it is, from REGISTER on
	trusted bool              // a trunk's or a client's: lives on when idle
	guard   *time.Timer       // closes it if it does not become trusted
	why     error             // why it was closed
	waiting map[*clientTx]bool
	legs    map[*leg]bool // calls that hang on this very connection
}

func newStream(d *Door, transport string, local, remote netip.AddrPort, inward bool, hangUp func()) *flow {
	return &flow{door: d, transport: transport, local: local, remote: remote, inward: inward,
		out: make(chan []byte, outQueue), done: make(chan struct{}), hangUp: hangUp}
}

// stream reports whether f is a connection.
func (f *flow) stream() bool { return f.udp == nil }

// web reports whether f comes from a browser.
func (f *flow) web() bool { return f.transport == "ws" || f.transport == "wss" }

// same reports whether what comes by g comes from where f leads to.
func (f *flow) same(g *flow) bool {
	if f == g {
		return true
	}
	return f != nil && g != nil && f.udp != nil && g.udp != nil && f.remote == g.remote
}

// whose returns the client that registered over f.
func (f *flow) whose() roamline.ClientID {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.client
}

// trust marks f as a trunk's or, by c, a client's.
func (f *flow) trust(c roamline.ClientID) {
	if !f.stream() {
		return
	}
	f.mu.Lock()
	was := f.trusted
	f.trusted = true
	if c != "" {
		f.client = c
	}
	if f.guard != nil {
		f.guard.Stop()
		f.guard = nil
	}
	f.mu.Unlock()
	if !was {
		f.door.guests.leave(f)
	}
}

// closed reports whether nothing can be sent any more.
func (f *flow) closed() bool {
	if !f.stream() {
		return false
	}
	select {
	case <-f.done:
		return true
	default:
		return false
	}
}

// shut closes a connection and fails what waits on it. A UDP flow has nothing
// to close.
func (f *flow) shut(why error) {
	if !f.stream() {
		return
	}
	f.closer.Do(func() {
		f.mu.Lock()
		f.why = why
		waiting, legs, trusted := f.waiting, f.legs, f.trusted
		f.waiting, f.legs = nil, nil
		if f.guard != nil {
			f.guard.Stop()
		}
		f.mu.Unlock()
		close(f.done)
		if f.hangUp != nil {
			f.hangUp()
		}
		if !trusted {
			f.door.guests.leave(f)
		}
		f.door.flows.drop(f)
		f.door.registrar.flowClosed(f)
		for tx := range waiting {
			f.door.spawn(func() { tx.fail(why) })
		}
		for l := range legs {
			f.door.spawn(func() { l.flowClosed(f) })
		}
	})
}

// hold makes tx fail when f closes; false if it is closed already.
func (f *flow) hold(tx *clientTx) bool {
	if !f.stream() {
		return true
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed() {
		return false
	}
	if f.waiting == nil {
		f.waiting = make(map[*clientTx]bool)
	}
	f.waiting[tx] = true
	return true
}

func (f *flow) release(tx *clientTx) {
	f.mu.Lock()
	delete(f.waiting, tx)
	f.mu.Unlock()
}

// carry tells f that l's dialog hangs on it; uncarry takes that back.
func (f *flow) carry(l *leg) {
	if !f.stream() {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.legs == nil {
		f.legs = make(map[*leg]bool)
	}
	f.legs[l] = true
}

func (f *flow) uncarry(l *leg) {
	f.mu.Lock()
	delete(f.legs, l)
	f.mu.Unlock()
}

// send puts bytes on the wire, or in the queue for it.
func (f *flow) send(b []byte) error {
	if f.udp != nil {
		return f.udp.write(b, f.remote)
	}
	select {
	case <-f.done:
		return errFlowClosed
	default:
	}
	select {
	case f.out <- b:
		return nil
	default:
		go f.shut(errFlowFull)
		return errFlowFull
	}
}

// WriteMsg is sip.Connection.
func (f *flow) WriteMsg(msg sip.Message) error {
	f.door.traceOut(f, msg)
	return f.send([]byte(msg.String()))
}

// LocalAddr is sip.Connection.
func (f *flow) LocalAddr() net.Addr {
	if f.transport == "udp" {
		return net.UDPAddrFromAddrPort(f.local)
	}
	return net.TCPAddrFromAddrPort(f.local)
}

// Ref, TryClose and Close are sip.Connection. Transactions come and go without
// closing a flow.
func (f *flow) Ref(int) int { return 1 }

func (f *flow) TryClose() (int, error) { return 1, nil }

func (f *flow) Close() error { return nil }

// viaTransport is a transport as Via spells it.
func viaTransport(transport string) string { return strings.ToUpper(transport) }

// flowTable finds connections by transport and remote address.
type flowTable struct {
	mu   sync.Mutex
	all  map[*flow]bool
	by   map[flowKey]*flow
	shut bool
}

type flowKey struct {
	transport string
	remote    netip.AddrPort
}

func newFlowTable() *flowTable {
	return &flowTable{all: make(map[*flow]bool), by: make(map[flowKey]*flow)}
}

// add keeps f; false if the door is closing.
func (t *flowTable) add(f *flow) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.shut {
		return false
	}
	t.all[f] = true
	t.by[flowKey{f.transport, f.remote}] = f
	return true
}

func (t *flowTable) drop(f *flow) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.all, f)
	if k := (flowKey{f.transport, f.remote}); t.by[k] == f {
		delete(t.by, k)
	}
}

func (t *flowTable) find(transport string, remote netip.AddrPort) *flow {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.by[flowKey{transport, remote}]
}

// close closes every connection, and admits no other.
func (t *flowTable) close(why error) {
	t.mu.Lock()
	t.shut = true
	all := make([]*flow, 0, len(t.all))
	for f := range t.all {
		all = append(all, f)
	}
	t.mu.Unlock()
	for _, f := range all {
		f.shut(why)
	}
}

// guests bounds the connections of strangers, in all and by address.
type guests struct {
	mu       sync.Mutex
	max, per int
	in       map[*flow]netip.Addr
	by       map[netip.Addr]int
}

func newGuests(max, per int) *guests {
	return &guests{max: max, per: per, in: make(map[*flow]netip.Addr), by: make(map[netip.Addr]int)}
}

// enter admits f, which is then closed after limit unless it becomes trusted.
func (g *guests) enter(f *flow, limit time.Duration) bool {
	a := sourceKey(f.remote.Addr())
	g.mu.Lock()
	if len(g.in) >= g.max || g.by[a] >= g.per {
		g.mu.Unlock()
		return false
	}
	g.in[f] = a
	g.by[a]++
	g.mu.Unlock()
	f.mu.Lock()
	f.guard = time.AfterFunc(limit, func() { f.shut(errStranger) })
	f.mu.Unlock()
	return true
}

func (g *guests) leave(f *flow) {
	g.mu.Lock()
	defer g.mu.Unlock()
	a, ok := g.in[f]
	if !ok {
		return
	}
	delete(g.in, f)
	if g.by[a]--; g.by[a] == 0 {
		delete(g.by, a)
	}
}

var errStranger = errors.New("it did not register in time")

// sourceKey is what limits count by: an IPv4 address, or the /64 that one
// IPv6 site has.
func sourceKey(a netip.Addr) netip.Addr {
	a = a.Unmap()
	if a.Is6() {
		p, _ := a.Prefix(64)
		return p.Addr()
	}
	return a
}
