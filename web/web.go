package web

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/roamline/roamline"
)

// Options are what a Door is made of. Store, Normalise, HashPassword and
// HashPIN are needed; everything else has a meaning when it is left out.
type Options struct {
	Store    roamline.Store
	Exchange Exchange // nil: the server does not run (commands on its data)

	Site    roamline.Site
	Realm   string            // of SIP, for digest credentials and addresses of record
	Methods []roamline.Method // ways to identify that the site allows; nil: password and PIN
	Version string            // of the program, shown to administrators

	// Normalise reads a number as people type it.
	Normalise func(typed string) (roamline.Number, error)
	// HashPassword and HashPIN turn a new secret into what the store keeps;
	// Invalid if the policy refuses it. They are called outside transactions.
	HashPassword func(context.Context, roamline.Secret) (roamline.Secret, error)
	HashPIN      func(context.Context, roamline.Secret) (roamline.Secret, error)

	// Story tells what is known of a call; nil: nothing.
	Story func(roamline.CallID) []roamline.TraceEntry
	// TrunkStatus tells the state of every trunk; nil: none.
	TrunkStatus func() []roamline.TrunkStatus
	// Reached reports whether a client can be called now; nil: none can.
	Reached func(roamline.ClientID) bool

	// ClientChanged is called after a client was admitted, revoked or removed;
	// CredentialsChanged after it got another key or password: who is connected
	// by the old one must be cut, though the client is admitted as before.
	// TrunkChanged is called after a trunk was changed. They return at once. nil:
	// nobody wants to know.
	ClientChanged      func(roamline.ClientID)
	CredentialsChanged func(roamline.ClientID)
	TrunkChanged       func(roamline.TrunkID)

	// AdmitAll admits every new browser at once, until there are as many clients
	// as may wait otherwise (the demonstration).
	AdmitAll bool

	Pages   fs.FS                       // the built pages; nil: a page that says they are missing
	Ready   func(context.Context) error // for /readyz; nil: ready when the store answers
	Metrics http.Handler                // for /metrics; nil: not found

	// Proxies may say, in X-Forwarded-For, -Proto and -Host, for whom they speak.
	Proxies []netip.Prefix
	// Origins may change things beside the one that the request was sent to:
	// "https://phone.example".
	Origins []string

	Log *slog.Logger     // nil: slog.Default()
	Now func() time.Time // nil: time.Now
}

// A Door serves HTTP. Its handlers may be used from many goroutines.
type Door struct {
	Options
	api    huma.API
	mux    *http.ServeMux
	keys   keys
	jtis   *replays
	tokens *limiter // requests for a token, by address
	novel  *limiter // keys never seen before, by address
	guess  *limiter // codes tried, by address
	nearby *limiter // what systems send, by address
	spoken *limiter // events, by system
	nonces *replays // of events, by system
	began  time.Time
	queue  waitingRoom
	live   streams
}

// New returns a door. It reads the keys that it signs with from the store, and
// makes them if this is the first start.
func New(o Options) (*Door, error) {
	switch {
	case o.Store == nil, o.Normalise == nil, o.HashPassword == nil, o.HashPIN == nil:
		return nil, &roamline.Error{Op: "web.New", Kind: roamline.Invalid, Err: errors.New("a Store, Normalise, HashPassword and HashPIN are needed")}
	}
	k, err := loadKeys(context.Background(), o.Store)
	if err != nil {
		return nil, err
	}
	d := newDoor(o)
	d.keys = k
	return d, nil
}

// newDoor fills in what was left out, and registers every operation.
func newDoor(o Options) *Door {
	if o.Exchange == nil {
		o.Exchange = closed{}
	}
	if o.Methods == nil {
		o.Methods = []roamline.Method{roamline.ByPassword, roamline.ByPIN}
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Story == nil {
		o.Story = func(roamline.CallID) []roamline.TraceEntry { return nil }
	}
	if o.TrunkStatus == nil {
		o.TrunkStatus = func() []roamline.TrunkStatus { return nil }
	}
	if o.Reached == nil {
		o.Reached = func(roamline.ClientID) bool { return false }
	}
	if o.ClientChanged == nil {
		o.ClientChanged = func(roamline.ClientID) {}
	}
	if o.CredentialsChanged == nil {
		o.CredentialsChanged = func(roamline.ClientID) {}
	}
	if o.TrunkChanged == nil {
		o.TrunkChanged = func(roamline.TrunkID) {}
	}
	if o.Ready == nil && o.Store != nil {
		o.Ready = o.Store.Ping
	}
	d := &Door{
		Options: o,
		mux:     http.NewServeMux(),
		jtis:    newReplays(maxProofs),
		tokens:  newLimiter(5, 60),
		novel:   newLimiter(0.2, 20),
		guess:   newLimiter(0.5, 60),
		nearby:  newLimiter(50, 200),
		spoken:  newLimiter(20, 100),
		nonces:  newReplays(maxEvents),
		began:   o.Now(),
	}
	d.api = newAPI(d.mux, o.Version)
	d.register()
	return d
}

// Handler returns the whole HTTPS face: the API, the pages and the probes.
func (d *Door) Handler() http.Handler {
	root := http.NewServeMux()
	root.Handle("/api/", d.guardAPI(d.problems(d.mux)))
	root.HandleFunc("GET /healthz", d.healthz)
	root.HandleFunc("GET /readyz", d.readyz)
	if d.Metrics != nil {
		root.Handle("GET /metrics", d.Metrics)
	}
	root.Handle("/", d.pages())
	return d.secured(root)
}

// Local returns the same API as administrator, for a socket that only the
// operating system's owner can open.
func (d *Door) Local() http.Handler {
	api := limited(d.problems(d.mux))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		api.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), localKey{}, true)))
	})
}
