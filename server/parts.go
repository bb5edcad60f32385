package server

import (
	"context"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"github.com/roamline/roamline"
	"github.com/roamline/roamline/bus"
	"github.com/roamline/roamline/config"
	"github.com/roamline/roamline/identify"
	"github.com/roamline/roamline/identify/password"
	"github.com/roamline/roamline/identify/pin"
	"github.com/roamline/roamline/route"
	"github.com/roamline/roamline/store/postgres"
	"github.com/roamline/roamline/store/sqlite"
	"github.com/roamline/roamline/story"
	"github.com/roamline/roamline/ui"
	"github.com/roamline/roamline/web"
)

func openStore(ctx context.Context, cfg config.Config) (roamline.Store, error) {
	if url := cfg.DatabaseURL.Reveal(); url != "" {
		return postgres.Open(ctx, url)
	}
	return sqlite.Open(ctx, filepath.Join(cfg.DataDir, "roamline.db"))
}

func openBus(ctx context.Context, cfg config.Config) (*bus.Bus, error) {
	if url := cfg.NATSURL.Reveal(); url != "" {
		return bus.Connect(ctx, url)
	}
	return bus.Embedded(ctx, filepath.Join(cfg.DataDir, "bus"))
}

// prover makes the door of identification with the methods that the site
// allows.
func prover(cfg config.Config, st roamline.Store) (func(context.Context, roamline.Claim) (roamline.Identification, error), error) {
	methods := map[roamline.Method]identify.Verifier{}
	for _, m := range cfg.Methods {
		switch m {
		case roamline.ByPassword:
			methods[m] = password.New(st)
		case roamline.ByPIN:
			methods[m] = pin.New(st, func(typed string) (roamline.Number, error) { return route.Normalise(typed, cfg.Site) })
		}
	}
	return identify.New(methods, identify.Limits{}).Prove, nil
}

// newWeb makes the HTTP door of a running server.
func newWeb(s *Server, book *story.Book) (*web.Door, error) {
	o := webOptions(s.cfg, s.store)
	o.Exchange = s.board
	o.Story = book.Story
	o.TrunkStatus = s.sip.TrunkStatus
	o.Reached = s.sip.Reached
	o.ClientChanged = s.clientChanged
	o.CredentialsChanged = s.sip.Drop
	o.TrunkChanged = func(roamline.TrunkID) { s.trunksChanged() }
	o.Ready = s.ready
	o.Metrics = s.meter.handler()
	o.Proxies, o.Origins = s.cfg.HTTP.TrustedProxies, s.cfg.HTTP.Origins
	o.Log = s.log
	if pages, ok := ui.Pages(); ok {
		o.Pages = pages
	}
	return web.New(o)
}

func webOptions(cfg config.Config, st roamline.Store) web.Options {
	return web.Options{
		Store: st, Site: cfg.Site, Realm: cfg.SIP.Realm, Methods: cfg.Methods, Version: Version,
		Normalise:    func(typed string) (roamline.Number, error) { return route.Normalise(typed, cfg.Site) },
		HashPassword: password.Hash,
		HashPIN:      pin.Hash,
	}
}

// openPages makes the HTTP server: pages and API, SIP over WebSocket, and the
// page that says how to trust us.
func (s *Server) openPages(context.Context) error {
	mux := http.NewServeMux()
	mux.Handle("/sip", s.sip)
	if t := s.certs.Trust(); t != nil {
		mux.Handle("/trust", t)
		mux.Handle("/trust/", t)
	}
	mux.Handle("/", s.web.Handler())
	s.http = &http.Server{
		Handler:           mux,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
	}
	return nil
}

// orNever is what the parts take for a setting in which no time means never:
// to them it means their default.
func orNever(set, never time.Duration) time.Duration {
	if set == 0 {
		return never
	}
	return set
}

// ready says whether the parts that a call needs answer.
func (s *Server) ready(ctx context.Context) error {
	if err := s.store.Ping(ctx); err != nil {
		return err
	}
	return s.bus.Ping(ctx)
}

// Offline returns the API as administrator on the data of a server that does
// not run. The caller holds the data folder's lock, and closes.
func Offline(ctx context.Context, cfg config.Config) (http.Handler, func() error, error) {
	st, err := openStore(ctx, cfg)
	if err != nil {
		return nil, nil, err
	}
	d, err := web.New(webOptions(cfg, st))
	if err != nil {
		st.Close()
		return nil, nil, err
	}
	return d.Local(), st.Close, nil
}

// clientChanged cuts off a client that may do nothing any more.
func (s *Server) clientChanged(id roamline.ClientID) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	c, err := s.store.Clients().Get(ctx, string(id))
	if err == nil && c.State == roamline.Admitted {
		return
	}
	s.sip.Drop(id)
	if err := s.board.Release(ctx, id, roamline.ClientWithdrawn); err != nil && roamline.KindOf(err) != roamline.NotFound {
		s.log.Error("a revoked client's binding stays", "client", id, "err", err)
	}
}

// keeper tells the SIP door who clients are.
type keeper struct{ s *Server }

func (a keeper) Bearer(ctx context.Context, token string) (roamline.ClientID, time.Time, error) {
	return a.s.web.Bearer(ctx, token)
}

// Digest reads "MD5:<hex> SHA-256:<hex>", as the API wrote it.
func (a keeper) Digest(ctx context.Context, login, realm string) (roamline.ClientID, map[string]string, error) {
	none := &roamline.Error{Op: "server.Digest", Kind: roamline.NotFound, Of: login}
	if realm != a.s.cfg.SIP.Realm {
		return "", nil, none
	}
	found, _, err := a.s.store.Clients().List(ctx, roamline.Query{Where: map[string]string{"login": login}, Limit: 1})
	if err != nil {
		return "", nil, err
	}
	if len(found) == 0 || found[0].State != roamline.Admitted {
		return "", nil, none
	}
	secret, err := a.s.store.Secret(ctx, roamline.DigestHash, string(found[0].ID))
	if err != nil {
		return "", nil, err
	}
	ha1 := map[string]string{}
	for word := range strings.FieldsSeq(secret.Reveal()) {
		if algorithm, hash, ok := strings.Cut(word, ":"); ok {
			ha1[algorithm] = hash
		}
	}
	return found[0].ID, ha1, nil
}

func numbers(typed []string) []roamline.Number {
	out := make([]roamline.Number, len(typed))
	for i, t := range typed {
		out[i] = roamline.Number(t)
	}
	return out
}
