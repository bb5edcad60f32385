// Package demo shows a running server to somebody who has none of her own: a
// made-up site, a pretend carrier that calls and answers, a page that says what
// to do, and a story that plays the main job without a browser. The server does
// not know that it is a demonstration: everything here goes through its ports.
package demo

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/roamline/roamline/demo/carrier"
	"github.com/roamline/roamline/demo/site"
)

// DefaultPage is where the demonstration's own page is served.
const DefaultPage = "127.0.0.1:8090"

// Options say which server to show.
type Options struct {
	Server    string            // where its pages are: "http://127.0.0.1:8080"
	SIP       string            // its SIP door for the carrier: "127.0.0.1:5060"
	Transport string            // of that door: "udp" (default) or "tcp"
	Admin     http.RoundTripper // speaks to it as administrator
	Page      string            // where to serve the demonstration's page; empty: DefaultPage
	Codecs    []string          // of the carrier, in order; empty: PCMA, PCMU
	Data      string            // the server's data folder, to be named to the reader; may be empty
	Out       io.Writer         // what people read
	Log       *slog.Logger
}

func (o *Options) fill() {
	if o.Page == "" {
		o.Page = DefaultPage
	}
	if o.Transport == "" {
		o.Transport = "udp"
	}
	if o.Out == nil {
		o.Out = io.Discard
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
}

// Run sets the site up, starts the carrier and the page, tells what to open,
// and goes on until ctx ends. The server must be running.
func Run(ctx context.Context, o Options) error {
	o.fill()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	c, s, err := prepare(ctx, o)
	if err != nil {
		return err
	}
	defer c.Close()
	l, err := net.Listen("tcp", o.Page)
	if err != nil {
		return fmt.Errorf("demo: the page's port: %w", err)
	}
	p := newPage(ctx, o, c)
	srv := &http.Server{Handler: p, ReadHeaderTimeout: 5 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10}
	var work sync.WaitGroup
	work.Go(func() { s.Admit(ctx, o.Log) })
	work.Go(func() {
		<-ctx.Done()
		srv.Close()
	})
	tell(o, l.Addr().String())
	err = srv.Serve(l)
	cancel()
	p.calls.Wait()
	work.Wait()
	if err == http.ErrServerClosed {
		return nil
	}
	return err
}

// prepare starts the carrier and makes the site around it.
func prepare(ctx context.Context, o Options) (*carrier.Carrier, *site.Site, error) {
	c, err := carrier.Start(ctx, carrier.Options{Server: o.SIP, Transport: o.Transport, Codecs: o.Codecs, Log: o.Log})
	if err != nil {
		return nil, nil, err
	}
	s := site.Of(o.Admin)
	if err := s.SetUp(ctx, c.Addr(), o.Transport); err != nil {
		c.Close()
		return nil, nil, err
	}
	return c, s, nil
}

// desks returns the addresses of two clients in one browser: each is an origin
// of its own, with a key of its own, and localhost is a secure context.
func desks(server string) []string { return []string{origin(server, "desk1"), origin(server, "desk2")} }

// console is a third client, so that who administers takes nobody's desk.
func console(server string) string { return origin(server, "office") + "console" }

func origin(server, name string) string {
	u, err := url.Parse(server)
	if err != nil {
		return server
	}
	d := url.URL{Scheme: u.Scheme, Host: name + ".localhost", Path: "/"}
	if port := u.Port(); port != "" {
		d.Host += ":" + port
	}
	return d.String()
}

// tell prints what to open and what to do.
func tell(o Options, page string) {
	var b strings.Builder
	d := desks(o.Server)
	ana := site.People[0]
	fmt.Fprintf(&b, "\n  Roamline is running, with a made-up site and a pretend carrier.\n\n")
	fmt.Fprintf(&b, "  1  Open   %s\n", d[0])
	fmt.Fprintf(&b, "     and sign in as %s, password %s\n", ana.Login, ana.Password)
	fmt.Fprintf(&b, "  2  Open   http://%s\n", page)
	fmt.Fprintf(&b, "     and press \"Call Ana\". Answer, and speak.\n")
	fmt.Fprintf(&b, "  3  Open   %s\n", d[1])
	fmt.Fprintf(&b, "     sign in as %s there too: the call is there now, and so is the next.\n\n", ana.Login)
	fmt.Fprintf(&b, "  Administration   %s\n", console(o.Server))
	if o.Data != "" {
		fmt.Fprintf(&b, "  Data             %s\n", o.Data)
	}
	fmt.Fprintf(&b, "  From a terminal  roamline demo call %s\n", ana.Numbers[0])
	fmt.Fprintf(&b, "  Stop             Ctrl+C\n\n")
	io.WriteString(o.Out, b.String())
}
