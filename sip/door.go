package sip

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/roamline/roamline"
)

// An Authority says who clients are.
type Authority interface {
	// Bearer returns the client that a token was given to (RFC 8898) and when the
	// token expires. Unauthorized if it is not valid.
	Bearer(ctx context.Context, token string) (roamline.ClientID, time.Time, error)

	// Digest returns the client with a login, and its HA1 in lower-case hex by
	// algorithm: "MD5", "SHA-256" (RFC 8760). NotFound if there is none or it may
	// not register.
	Digest(ctx context.Context, login, realm string) (client roamline.ClientID, ha1 map[string]string, err error)
}

// Registrations keep the contacts of clients through a restart. roamline.Bus
// is one.
type Registrations interface {
	PutContacts(ctx context.Context, c roamline.ClientID, contacts []roamline.Contact) error // none: removed
	Contacts(ctx context.Context) (map[roamline.ClientID][]roamline.Contact, error)
}

// A Resolver looks names up; net.Resolver is one.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
	LookupSRV(ctx context.Context, service, proto, name string) (string, []*net.SRV, error)
}

// Options are what a Door is made with. Sink and Authority must be given; zero
// values of the rest mean what their comment says.
type Options struct {
	Sink      roamline.Sink
	Tracer    roamline.Tracer // nil: no trace
	Authority Authority

	Realm         string            // of digest challenges, and the host in our URIs; "roamline"
	Advertise     []netip.Addr      // our addresses as the outside sees them; none: the socket's
	LocalNetworks []netip.Prefix    // peers that reach our own address and not Advertise
	Registrations Registrations     // nil: contacts do not survive a restart
	Emergency     []roamline.Number // go out beyond a trunk's limit of calls
	Origins       []string          // pages, beside our own, that may open a WebSocket: "https://host"
	Agent         string            // User-Agent and Server; "Roamline"
	Log           *slog.Logger      // nil: slog.Default
	Resolver      Resolver          // nil: net.DefaultResolver
	TLS           *tls.Config       // for connections that we open; nil: the system's roots

	// Dial opens a TCP connection; nil: net.Dialer.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)

	T1             time.Duration // round trip, for what our dialogs repeat; 500 ms (RFC 3261 section 17.1.1.1)
	HealthEvery    time.Duration // between OPTIONS to a gateway; 30 s, negative: never
	GatewayTimeout time.Duration // for a gateway's first sign of life before the next is tried; 4 s
	TimerC         time.Duration // for a final response after the last provisional one; 3 min
	SessionExpires time.Duration // of session timers (RFC 4028); 30 min
	PingEvery      time.Duration // between pings to browsers; 25 s
	FlowGrace      time.Duration // for a client to come back with a call on its lost connection; 30 s
	OrphanWait     time.Duration // for a client to come back so that its orphan can be ended; 20 s

	GuestLimit time.Duration // for a connection to register; 15 s
	Guests     int           // connections that have not registered; 512
	GuestsPer  int           // of them from one address; 128
}

func (o *Options) fill() error {
	if o.Sink == nil || o.Authority == nil {
		return &roamline.Error{Op: "sip.New", Kind: roamline.Invalid, Err: errors.New("a Sink and an Authority are needed")}
	}
	text := func(s *string, v string) {
		if *s == "" {
			*s = v
		}
	}
	span := func(d *time.Duration, v time.Duration) {
		if *d == 0 {
			*d = v
		}
	}
	count := func(n *int, v int) {
		if *n == 0 {
			*n = v
		}
	}
	text(&o.Realm, "roamline")
	text(&o.Agent, "Roamline")
	span(&o.T1, 500*time.Millisecond)
	span(&o.HealthEvery, 30*time.Second)
	span(&o.GatewayTimeout, 4*time.Second)
	span(&o.TimerC, 3*time.Minute)
	span(&o.SessionExpires, 30*time.Minute)
	span(&o.PingEvery, 25*time.Second)
	span(&o.FlowGrace, 30*time.Second)
	span(&o.OrphanWait, 20*time.Second)
	span(&o.GuestLimit, 15*time.Second)
	count(&o.Guests, 512)
	count(&o.GuestsPer, 128)
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Resolver == nil {
		o.Resolver = net.DefaultResolver
	}
	if o.Dial == nil {
		o.Dial = (&net.Dialer{}).DialContext
	}
	return nil
}

// A Door is the SIP side of the server. It implements the switchboard's Signals.
type Door struct {
	opt    Options
	log    *slog.Logger
	ctx    context.Context
	cancel context.CancelFunc
	work   sync.WaitGroup

	mu        sync.RWMutex
	closed    bool
	gone      bool // nothing may be started any more
	draining  bool
	sockets   []*socket
	listeners map[net.Listener]string // transport
	legs      map[roamline.LegID]*leg
	dialogs   map[dialogKey]*leg
	byCallID  map[string]roamline.LegID // for the trace, also a while after the end
	started   sync.Once
	opened    chan struct{} // closed once a socket is served

	flows     *flowTable
	guests    *guests
	client    *clientTable
	server    *serverTable
	registrar *registrar
	trunks    *trunkTable
	digests   *digestServer
	strangers *limiter      // answers to strangers
	failures  *limiter      // wrong credentials
	checking  chan struct{} // bounds the credentials checked at the same time
	merged    *mergeTable
}

// New makes a door that serves nothing yet.
func New(o Options) (*Door, error) {
	if err := o.fill(); err != nil {
		return nil, err
	}
	d := &Door{opt: o, log: o.Log,
		listeners: make(map[net.Listener]string),
		legs:      make(map[roamline.LegID]*leg),
		dialogs:   make(map[dialogKey]*leg),
		byCallID:  make(map[string]roamline.LegID),
		opened:    make(chan struct{}),
		flows:     newFlowTable(),
		guests:    newGuests(o.Guests, o.GuestsPer),
		client:    newClientTable(),
		server:    newServerTable(),
		digests:   newDigestServer(o.Realm, time.Now),
		strangers: newLimiter(strangerRate, strangerBurst, time.Now),
		failures:  newLimiter(failureRate, failureBurst, time.Now),
		checking:  make(chan struct{}, maxChecking),
		merged:    newMergeTable(),
	}
	d.ctx, d.cancel = context.WithCancel(context.Background())
	d.registrar = newRegistrar(d)
	d.trunks = newTrunkTable(d)
	if err := d.registrar.restore(d.ctx); err != nil {
		d.cancel()
		return nil, err
	}
	return d, nil
}

// start says which clients are known from before, and starts what runs beside
// the messages; once, when the first socket is served.
func (d *Door) start() {
	d.started.Do(func() {
		close(d.opened)
		d.spawn(d.registrar.run)
	})
}

// wait waits until a socket is served, but not long: trunks may need none.
func (d *Door) wait(ctx context.Context) {
	limit := time.NewTimer(2 * time.Second)
	defer limit.Stop()
	select {
	case <-d.opened:
	case <-limit.C:
	case <-ctx.Done():
	}
}

// Drain refuses new calls with 503 and lets the present ones be.
func (d *Door) Drain() {
	d.mu.Lock()
	d.draining = true
	d.mu.Unlock()
}

func (d *Door) isDraining() bool {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.draining
}

// Close ends every leg with Shutdown, unregisters from trunks, closes what it
// serves, and returns when nothing runs any more, or when ctx ends.
func (d *Door) Close(ctx context.Context) error {
	d.Drain()
	d.endAll(ctx)
	d.trunks.close(ctx)
	d.mu.Lock()
	d.closed = true
	sockets, listeners := d.sockets, make([]net.Listener, 0, len(d.listeners))
	for l := range d.listeners {
		listeners = append(listeners, l)
	}
	d.mu.Unlock()
	d.registrar.close(ctx)
	d.cancel()
	for _, l := range listeners {
		l.Close()
	}
	d.flows.close(net.ErrClosed)
	d.client.close()
	d.server.close()
	for _, s := range sockets {
		s.conn.Close()
	}
	d.mu.Lock()
	d.gone = true
	d.mu.Unlock()
	done := make(chan struct{})
	go func() {
		d.work.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fault1("sip.Close", "", ctx.Err())
	}
}

// spawn runs what Close waits for; nothing once Close has come that far. It
// must not be called with d.mu held.
func (d *Door) spawn(what func()) {
	d.mu.RLock()
	if d.gone {
		d.mu.RUnlock()
		return
	}
	d.work.Add(1)
	d.mu.RUnlock()
	go func() {
		defer d.work.Done()
		what()
	}()
}

func (d *Door) isClosed() bool {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.closed
}

func (d *Door) addSocket(s *socket) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return false
	}
	d.sockets = append(d.sockets, s)
	d.work.Add(1)
	return true
}

func (d *Door) removeSocket(s *socket) {
	d.mu.Lock()
	for i, have := range d.sockets {
		if have == s {
			d.sockets = append(d.sockets[:i:i], d.sockets[i+1:]...)
			break
		}
	}
	d.mu.Unlock()
	s.conn.Close()
	d.work.Done()
}

func (d *Door) addListener(l net.Listener, transport string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return false
	}
	d.listeners[l] = transport
	d.work.Add(1)
	return true
}

func (d *Door) removeListener(l net.Listener) {
	d.mu.Lock()
	delete(d.listeners, l)
	d.mu.Unlock()
	l.Close()
	d.work.Done()
}

// isTransient reports whether serving may go on after err, such as too many
// open files, and waits a moment so that it does not spin.
func (d *Door) isTransient(err error) bool {
	var ne net.Error
	if !errors.As(err, &ne) {
		return false
	}
	d.log.Warn("sip: a socket failed for a moment", "error", err)
	select {
	case <-time.After(50 * time.Millisecond):
	case <-d.ctx.Done():
	}
	return true
}

// emit gives an event to the sink.
func (d *Door) emit(ev roamline.Event) { d.opt.Sink(ev) }

func now() roamline.At { return roamline.At{Time: time.Now()} }

// fault1 wraps what went wrong beneath us.
func fault1(op, of string, err error) error {
	return &roamline.Error{Op: op, Kind: roamline.Unavailable, Of: of, Err: err}
}

// Everything that a user agent of ours understands (RFC 3261 section 11.2).
const (
	allowed   = "INVITE, ACK, CANCEL, BYE, OPTIONS, REGISTER, UPDATE, PRACK, INFO"
	sdpType   = "application/sdp"
	supported = "timer, 100rel"
)

// Methods that exist, so that they are not allowed (405) and not unknown (501).
var known = map[sip.RequestMethod]bool{
	sip.INVITE: true, sip.ACK: true, sip.CANCEL: true, sip.BYE: true, sip.OPTIONS: true,
	sip.REGISTER: true, sip.UPDATE: true, sip.PRACK: true, sip.INFO: true,
	sip.SUBSCRIBE: true, sip.NOTIFY: true, sip.REFER: true, sip.MESSAGE: true, sip.PUBLISH: true,
}
