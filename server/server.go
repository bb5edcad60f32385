// Package server ties the parts to a running server: it opens what the
// configuration names, hands each part the others through the contracts that
// it declares, and closes them in the opposite order. It decides nothing.
package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"sync"
	"time"

	"github.com/roamline/roamline"
	"github.com/roamline/roamline/bus"
	"github.com/roamline/roamline/config"
	"github.com/roamline/roamline/sip"
	"github.com/roamline/roamline/story"
	"github.com/roamline/roamline/switchboard"
	"github.com/roamline/roamline/voice"
	"github.com/roamline/roamline/voice/sound"
	"github.com/roamline/roamline/web"
)

// Version is the program's version; a release build sets it.
var Version = "development"

// A Server is one running node.
type Server struct {
	cfg   config.Config
	log   *slog.Logger
	certs *Certificates

	store roamline.Store
	bus   *bus.Bus
	voice *voice.Engine
	sip   *sip.Door
	board *switchboard.Switchboard
	web   *web.Door
	http  *http.Server
	meter *meter

	addrs  map[string]net.Addr // by setting: "http.listen", "sip.udp", ...
	stop   context.CancelFunc
	work   sync.WaitGroup
	undo   []func() // what was opened, in order
	ending sync.Once
}

// Start opens everything and returns when calls can come. The caller stops it.
// An error names the setting or the port that stands in the way.
func Start(ctx context.Context, cfg config.Config, log *slog.Logger) (_ *Server, err error) {
	run, cancel := context.WithCancel(context.WithoutCancel(ctx))
	s := &Server{cfg: cfg, log: log, stop: cancel, addrs: map[string]net.Addr{}}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	for _, step := range []func(context.Context) error{s.openData, s.openParts, s.openPages} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	if err := s.loadTrunks(ctx); err != nil {
		return nil, err
	}
	if err := s.board.Start(ctx); err != nil {
		return nil, err
	}
	if err := s.listen(); err != nil {
		return nil, err
	}
	s.work.Go(func() { s.tellTrunks(run) })
	s.work.Go(func() { s.keepCertificates(run) })
	log.Info("server started", "pages", s.URL(), "certificate", s.certs.Source(), "data", cfg.DataDir, "version", Version)
	return s, nil
}

// openData takes the data folder and opens the store and the bus.
func (s *Server) openData(ctx context.Context) error {
	if err := os.MkdirAll(s.cfg.DataDir, 0o700); err != nil {
		return failed("data_dir", err)
	}
	release, err := Lock(s.cfg.DataDir)
	if err != nil {
		return err
	}
	s.opened(release)
	if s.store, err = openStore(ctx, s.cfg); err != nil {
		return err
	}
	s.opened(func() { s.closed("store", s.store.Close()) })
	if s.bus, err = openBus(ctx, s.cfg); err != nil {
		return err
	}
	s.opened(func() { s.closed("bus", s.bus.Close()) })
	return s.joinHistory(ctx)
}

// joinHistory makes a binding log that begins anew (another NATS, a power cut)
// go on after the history, so that no number is given twice.
func (s *Server) joinHistory(ctx context.Context) error {
	seq, err := s.store.Projected(ctx)
	if err != nil {
		return err
	}
	moved, err := s.bus.ContinueAfter(ctx, seq)
	if moved {
		s.log.Warn("the binding log began anew; nobody is signed in anywhere", "after", seq)
	}
	return err
}

// openParts makes the voice engine, the SIP door and the switchboard. The
// first two speak to the third, which is made last.
func (s *Server) openParts(context.Context) error {
	take := func(ev roamline.Event) { s.board.Take(ev) }
	sounds, err := sound.New()
	if err != nil {
		return err
	}
	if s.certs, err = OpenCertificates(s.cfg, s.log); err != nil {
		return err
	}
	prove, err := prover(s.cfg, s.store)
	if err != nil {
		return err
	}
	book := story.New()
	s.meter = newMeter(s)
	s.voice, err = voice.New(voice.Options{
		Sink: take, Sounds: sounds, BrowserUDP: s.cfg.Voice.UDP,
		PortLow: int(s.cfg.Voice.RTPPorts.First), PortHigh: int(s.cfg.Voice.RTPPorts.Last),
		Advertise: s.cfg.Advertise, LocalNetworks: s.cfg.LocalNetworks,
		SilenceLimit: orNever(s.cfg.Voice.SilenceLimit, 365*24*time.Hour), Threads: s.cfg.Voice.Threads, Log: s.log,
	})
	if err != nil {
		return err
	}
	s.opened(s.voice.Shutdown)
	s.sip, err = sip.New(sip.Options{
		Sink: take, Tracer: book, Authority: keeper{s}, Realm: s.cfg.SIP.Realm,
		Advertise: s.cfg.Advertise, LocalNetworks: s.cfg.LocalNetworks, Registrations: s.bus,
		Emergency: numbers(s.cfg.Site.Emergency), Origins: s.cfg.HTTP.Origins, Agent: "Roamline/" + Version,
		HealthEvery: orNever(s.cfg.SIP.OptionsEvery, -1), SessionExpires: s.cfg.SIP.SessionExpires, Log: s.log,
	})
	if err != nil {
		return err
	}
	s.board = switchboard.New(switchboard.Options{
		Site: s.cfg.Site, Store: s.store, Bus: s.bus, Signals: s.sip, Voice: s.voice, Story: book,
		Prove: prove, Meter: s.meter, Log: s.log,
	})
	s.web, err = newWeb(s, book)
	return err
}

// Stop refuses new calls, lets the running ones end for as long as stop_within
// says, and closes everything. It returns when nothing is left, or when ctx
// ends.
func (s *Server) Stop(ctx context.Context) {
	s.ending.Do(func() {
		within, cancel := context.WithTimeout(ctx, s.cfg.StopWithin)
		defer cancel()
		if n := len(s.board.Calls()); n > 0 {
			s.log.Info("stopping; calls may go on for a while", "calls", n, "within", s.cfg.StopWithin)
		}
		s.sip.Drain()
		if cut := s.board.Stop(within); cut > 0 {
			s.log.Warn("calls were cut", "calls", cut)
		}
		s.close()
		s.log.Info("server stopped")
	})
}

// Local returns the API as administrator, for the Unix socket.
func (s *Server) Local() http.Handler { return s.web.Local() }

// Reload reads certificate files again.
func (s *Server) Reload() error { return s.certs.Reload() }

// URL returns where the pages are.
func (s *Server) URL() string {
	scheme := "http"
	if s.cfg.Secure() {
		scheme = "https"
	}
	return scheme + "://" + visible(s.addrs["http.listen"])
}

// Addr returns the address that a setting ("http.listen", "sip.udp", "sip.tcp",
// "sip.tls") led to; nil if that door is closed. It tells the port where the
// setting left the choice to the system.
func (s *Server) Addr(setting string) net.Addr { return s.addrs[setting] }

// SetupLink returns the one-time link that makes the first administrator;
// empty if there is one.
func (s *Server) SetupLink(ctx context.Context) (string, error) {
	code, err := s.web.SetupCode(ctx)
	if err != nil || code == "" {
		return "", err
	}
	return s.URL() + "/setup#" + code, nil
}

// opened remembers how to close what was just opened.
func (s *Server) opened(undo func()) { s.undo = append(s.undo, undo) }

// close closes everything that is open, the last first.
func (s *Server) close() {
	s.stop()
	if s.http != nil {
		s.http.Close()
	}
	if s.sip != nil {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		s.closed("sip", s.sip.Close(ctx))
	}
	s.work.Wait()
	for i := len(s.undo) - 1; i >= 0; i-- {
		s.undo[i]()
	}
	s.undo = nil
}

func (s *Server) closed(what string, err error) {
	if err != nil {
		s.log.Warn("closing", "part", what, "err", err)
	}
}

// keepCertificates renews certificates by ACME.
func (s *Server) keepCertificates(run context.Context) {
	if err := s.certs.Keep(run); err != nil {
		s.log.Error("certificates", "err", err)
	}
}

// listen opens the ports of pages and SIP, and serves them.
func (s *Server) listen() error {
	c := s.cfg.SIP
	if c.UDP.IsValid() {
		conn, err := net.ListenPacket("udp", c.UDP.String())
		if err != nil {
			return failed("sip.udp", err)
		}
		s.serve("sip.udp", conn.LocalAddr(), func() error { return s.sip.ServeUDP(conn) })
	}
	for _, door := range []struct {
		setting string
		at      netip.AddrPort
		serve   func(net.Listener) error
	}{
		{"sip.tcp", c.TCP, s.sip.ServeTCP},
		{"sip.tls", c.TLS, func(l net.Listener) error { return s.sip.ServeTLS(tls.NewListener(l, s.certs.TLS())) }},
		{"http.listen", s.cfg.HTTP.Listen, s.servePages},
	} {
		if !door.at.IsValid() {
			continue
		}
		l, err := net.Listen("tcp", door.at.String())
		if err != nil {
			return failed(door.setting, err)
		}
		s.serve(door.setting, l.Addr(), func() error { return door.serve(l) })
	}
	return nil
}

func (s *Server) servePages(l net.Listener) error {
	if s.cfg.Secure() {
		l = tls.NewListener(l, s.certs.TLS("h2", "http/1.1"))
	}
	return s.http.Serve(l)
}

// serve runs one listener until it is closed.
func (s *Server) serve(name string, at net.Addr, do func() error) {
	s.addrs[name] = at
	s.work.Go(func() {
		if err := do(); err != nil && !errors.Is(err, http.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
			s.log.Error("a port is no longer served", "port", name, "err", err)
		}
	})
}

// failed says which setting names what can't be had.
func failed(setting string, err error) error {
	return &roamline.Error{Op: "server", Kind: roamline.Unavailable, Of: setting, Err: fmt.Errorf("%w (choose another in the file or the environment)", err)}
}

// visible is an address that a person can open.
func visible(a net.Addr) string {
	host, port, err := net.SplitHostPort(a.String())
	if err != nil {
		return a.String()
	}
	if ip := net.ParseIP(host); ip == nil || ip.IsUnspecified() {
		host = "localhost"
		if name, err := os.Hostname(); err == nil {
			host = name
		}
	}
	return net.JoinHostPort(host, port)
}
