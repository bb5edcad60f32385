package voice

import (
	"crypto/rand"
	"crypto/tls"
	"encoding/base64"
	"encoding/binary"
	"log/slog"
	"net/netip"
	"runtime"
	"sync"
	"time"

	"github.com/roamline/roamline"
)

// Options are what an Engine needs to know.
type Options struct {
	Sink   roamline.Sink
	Sounds Sounds

	// BrowserUDP is the one UDP address for all browsers. Port 0 takes any free
	// one; [::] serves IPv4 too.
	BrowserUDP netip.AddrPort
	// PortLow and PortHigh bound the ports of trunks and phones, both inside.
	// 20000 and 29999 if both are 0.
	PortLow, PortHigh int
	// Bind are the addresses on which those ports are opened; empty: all.
	Bind []netip.Addr
	// Advertise are our addresses as the far ends see them, if there is an
	// address translation before us.
	Advertise []netip.Addr
	// LocalNetworks are reached without it.
	LocalNetworks []netip.Prefix

	// SilenceLimit is how long a leg may bring nothing while its voice should
	// flow; 0: 30 s.
	SilenceLimit time.Duration
	// ReportEvery is the mean time between a leg's RTCP reports; 0: 5 s, as
	// RFC 3550 section 6.2 recommends.
	ReportEvery time.Duration
	// Threads is the number of media threads; 0: one for each core, but one on
	// a machine with two or less, where the rest of the server needs the other.
	Threads int
	// Epoll has the threads use epoll even where the kernel allows io_uring.
	Epoll bool
	Log   *slog.Logger // nil: slog.Default()
}

// An Engine is the voice of a server. Its methods may be called from any
// goroutine; Shutdown not from its Sink.
type Engine struct {
	opt      Options
	log      *slog.Logger
	base     time.Time
	cert     tls.Certificate
	print    string
	ports    *ports
	threads  []*thread
	how      string // they read and send
	owners   *owners
	events   *outlet
	shakes   chan struct{} // one for each handshake that computes
	shaking  sync.WaitGroup
	running  sync.WaitGroup
	browsers netip.AddrPort

	mu     sync.Mutex
	legs   map[roamline.LegID]*leg
	closed bool
}

// New opens the browsers' port and starts the media threads. Shutdown ends
// them. Unavailable if the port cannot be opened.
func New(o Options) (*Engine, error) {
	if o.PortLow == 0 && o.PortHigh == 0 {
		o.PortLow, o.PortHigh = 20000, 29999
	}
	if o.SilenceLimit == 0 {
		o.SilenceLimit = 30 * time.Second
	}
	if o.ReportEvery == 0 {
		o.ReportEvery = 5 * time.Second
	}
	if o.Threads <= 0 {
		o.Threads = runtime.NumCPU()
		if o.Threads <= 2 {
			o.Threads = 1
		}
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.PortLow < 1 || o.PortHigh > 65535 || o.PortHigh-o.PortLow < 1 {
		return nil, &roamline.Error{Op: "voice.New", Kind: roamline.Invalid, Of: "RTP ports"}
	}
	if !o.BrowserUDP.IsValid() || o.Sink == nil || o.Sounds == nil {
		return nil, &roamline.Error{Op: "voice.New", Kind: roamline.Invalid, Of: "options"}
	}
	e := &Engine{opt: o, log: o.Log, base: time.Now(), ports: newPorts(o.PortLow, o.PortHigh),
		owners: newOwners(o.Threads == 1), shakes: make(chan struct{}, shakesAtOnce), legs: map[roamline.LegID]*leg{}}
	var err error
	if e.cert, e.print, err = newCertificate(e.base); err != nil {
		return nil, &roamline.Error{Op: "voice.New", Kind: roamline.Internal, Err: err}
	}
	if err := e.openThreads(); err != nil {
		return nil, &roamline.Error{Op: "voice.New", Kind: roamline.Unavailable, Of: o.BrowserUDP.String(), Err: err}
	}
	e.events = newOutlet(o.Sink)
	raiseProcs(o.Threads)
	keep := mayKeepProc()
	for _, t := range e.threads {
		t.keep = keep
		e.running.Add(1)
		go func() {
			defer e.running.Done()
			t.run()
		}()
	}
	e.log.Info("voice engine started", "threads", len(e.threads), "io", e.how,
		"browsers", e.browsers.String(), "ports", []int{o.PortLow, o.PortHigh})
	return e, nil
}

func (e *Engine) openThreads() error {
	at := e.opt.BrowserUDP
	e.how = ioEpoll
	if !e.opt.Epoll {
		var why error
		if e.how, why = IO(); why != nil {
			e.how += " (" + why.Error() + ")"
		}
	}
	byRing := e.how == ioRing
	for range e.opt.Threads {
		web, err := openSocket(at, true)
		if err != nil {
			e.freeThreads()
			return err
		}
		at = netip.AddrPortFrom(at.Addr(), web.local.Port())
		t, err := newThread(e, web, byRing)
		if err != nil && byRing { // a limit on the user's memory, maybe
			byRing, e.how = false, e.how+" and epoll ("+err.Error()+")"
			t, err = newThread(e, web, false)
		}
		if err != nil {
			web.close()
			e.freeThreads()
			return err
		}
		e.threads = append(e.threads, t)
	}
	e.browsers = at
	return nil
}

func (e *Engine) freeThreads() {
	for _, t := range e.threads {
		t.free()
	}
}

// BrowserAddr returns the address that browsers send to, with the port that
// was opened.
func (e *Engine) BrowserAddr() netip.AddrPort { return e.browsers }

// Shutdown closes all legs and ends the engine. Calls afterwards fail with
// Unavailable. It returns when all goroutines and sockets are gone; no event
// follows.
func (e *Engine) Shutdown() {
	e.mu.Lock()
	if e.closed {
		e.mu.Unlock()
		return
	}
	e.closed = true
	legs := make([]*leg, 0, len(e.legs))
	for _, l := range e.legs {
		legs = append(legs, l)
	}
	for _, l := range legs {
		e.closeLeg(l)
	}
	e.mu.Unlock()
	e.shaking.Wait()
	for _, t := range e.threads {
		t.stop()
	}
	e.running.Wait()
	lowerProcs(len(e.threads))
	e.freeThreads()
	e.events.close()
}

// clock returns ns since the engine started; it never goes back.
func (e *Engine) clock() int64 { return int64(time.Since(e.base)) }

// wall turns the engine's clock into a time.
func (e *Engine) wall(ns int64) time.Time { return e.base.Add(time.Duration(ns)) }

// find returns an open leg; the caller holds the lock.
func (e *Engine) find(op string, id roamline.LegID) (*leg, error) {
	if e.closed {
		return nil, &roamline.Error{Op: op, Kind: roamline.Unavailable, Of: string(id)}
	}
	l := e.legs[id]
	if l == nil {
		return nil, &roamline.Error{Op: op, Kind: roamline.NotFound, Of: string(id)}
	}
	return l, nil
}

// onThread has the thread that owns l run f, soon. The leg may change threads
// meanwhile; f runs where it is then.
func (e *Engine) onThread(l *leg, f func(t *thread)) {
	t := l.owner.Load()
	t.post(func() {
		if l.owner.Load() != t {
			e.onThread(l, f)
			return
		}
		f(t)
	})
}

// idlest returns the thread with the fewest legs.
func (e *Engine) idlest() *thread {
	best := e.threads[0]
	for _, t := range e.threads[1:] {
		if t.legs.Load() < best.legs.Load() {
			best = t
		}
	}
	return best
}

func random32() uint32 {
	var b [4]byte
	rand.Read(b[:])
	return binary.BigEndian.Uint32(b[:])
}

// token returns n characters of the ice-char alphabet (RFC 8839 section 5.4)
// without + and /, six random bits each.
func token(n int) string {
	b := make([]byte, n)
	rand.Read(b)
	s := []byte(base64.StdEncoding.EncodeToString(b))[:n]
	for i, c := range s {
		switch c {
		case '+':
			s[i] = 'p'
		case '/':
			s[i] = 's'
		}
	}
	return string(s)
}
