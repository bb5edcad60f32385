// Package client is a pretend client: to the server what a browser at somebody's
// desk is, without the browser. It has a key of its own and proves it (RFC 9449),
// identifies who is there, registers over a SIP WebSocket with its token, and
// makes and takes calls with ICE and DTLS-SRTP.
package client

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/roamline/roamline/demo/phone"
	"github.com/roamline/roamline/demo/ua"
)

// Options of a client.
type Options struct {
	Server string       // "http://127.0.0.1:8080"
	Name   string       // what it would like to be called; an administrator decides
	Codecs []string     // "PCMU", "PCMA", "opus" in order; empty: opus, PCMU, PCMA, as browsers have it
	Host   netip.Addr   // the address for voice; zero: 127.0.0.1
	HTTP   *http.Client // nil: one of its own
	Busy   func() bool  // whether to refuse a call as busy; may be nil
	Log    *slog.Logger
	Trace  func(out bool, to string, message []byte) // sees every SIP message; may be nil
}

// Call is a call of the client.
type Call = phone.Call

// A Client is a machine at which people are. Its methods may be called at any
// time from any goroutine.
type Client struct {
	opt   Options
	key   *key
	http  *http.Client
	rings chan *Ring
	life  context.Context
	end   context.CancelFunc
	work  sync.WaitGroup

	mu      sync.Mutex
	token   string
	expires time.Time
	self    Self
	site    Site
	agent   *ua.Agent
	aor     string
	calls   []*phone.Call
}

// mostCalls bounds the calls of a client at once.
const mostCalls = 8

// New makes a key and asks the server for a token: a key that it does not know
// becomes a client that waits to be admitted. Close ends it.
func New(ctx context.Context, o Options) (*Client, error) {
	if len(o.Codecs) == 0 {
		o.Codecs = []string{"opus", "PCMU", "PCMA"}
	}
	if !o.Host.IsValid() {
		o.Host = netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.HTTP == nil {
		o.HTTP = &http.Client{Transport: &http.Transport{MaxIdleConns: 8, IdleConnTimeout: time.Minute}}
	}
	o.Server = strings.TrimRight(o.Server, "/")
	k, err := newKey()
	if err != nil {
		return nil, fmt.Errorf("client: key: %w", err)
	}
	c := &Client{opt: o, key: k, http: o.HTTP, rings: make(chan *Ring, mostCalls)}
	c.life, c.end = context.WithCancel(context.Background())
	if _, err := c.bearer(ctx); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// Close hangs up, leaves the server and frees everything.
func (c *Client) Close() {
	c.mu.Lock()
	calls, agent := c.calls, c.agent
	c.calls, c.agent = nil, nil
	c.mu.Unlock()
	for _, call := range calls {
		call.Hangup()
	}
	c.end()
	if agent != nil {
		agent.Close()
	}
	c.work.Wait()
	c.http.CloseIdleConnections()
}

// Thumbprint returns the identifier that the client made of its key (RFC 7638).
func (c *Client) Thumbprint() string { return c.key.thumbprint() }

// A Self is the client as the server knows it.
type Self struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	State string `json:"state"` // "waiting", "admitted", "revoked"
}

// A Site is what the server tells a client about itself.
type Site struct {
	Name    string   `json:"name"`
	Country string   `json:"country"`
	Methods []string `json:"methods"`
	SIP     struct {
		Path  string `json:"path"`
		Realm string `json:"realm"`
	} `json:"sip"`
}

// A User is who is bound at the client.
type User struct {
	ID      string   `json:"id"`
	Login   string   `json:"login"`
	Name    string   `json:"name"`
	Numbers []string `json:"numbers"`
}

// A State is the answer to "who am I, and who is here".
type State struct {
	Client  Self `json:"client"`
	Binding *struct {
		Since  time.Time `json:"since"`
		Method string    `json:"method"`
	} `json:"binding"`
	User *User `json:"user"`
	Site Site  `json:"site"`
}

// Self returns the client as last told by the server.
func (c *Client) Self() Self {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.self
}

// State asks the server.
func (c *Client) State(ctx context.Context) (State, error) {
	var s State
	if err := c.api(ctx, "GET", "/client", nil, &s); err != nil {
		return s, err
	}
	c.mu.Lock()
	c.self, c.site = s.Client, s.Site
	c.mu.Unlock()
	return s, nil
}

// WaitAdmitted asks until somebody has admitted the client.
func (c *Client) WaitAdmitted(ctx context.Context) error {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		s, err := c.State(ctx)
		if err != nil {
			return err
		}
		if s.Client.State == "admitted" {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("client: waiting to be admitted: %w", ctx.Err())
		}
	}
}

// Enrol admits the client by a code.
func (c *Client) Enrol(ctx context.Context, code string) error {
	return c.api(ctx, "POST", "/client/enrol", map[string]string{"code": code}, nil)
}

// Identify proves who is at the client, by password. A *Problem says why not.
func (c *Client) Identify(ctx context.Context, login, password string) (User, error) {
	return c.identify(ctx, "password", login, password)
}

// IdentifyByPIN does so by PIN.
func (c *Client) IdentifyByPIN(ctx context.Context, login, pin string) (User, error) {
	return c.identify(ctx, "pin", login, pin)
}

func (c *Client) identify(ctx context.Context, method, login, secret string) (User, error) {
	var got struct {
		User User `json:"user"`
	}
	err := c.api(ctx, "POST", "/client/identifications", map[string]string{"method": method, "login": login, "secret": secret}, &got)
	return got.User, err
}

// SignOut ends the binding at this client.
func (c *Client) SignOut(ctx context.Context) error {
	return c.api(ctx, "DELETE", "/client/binding", nil, nil)
}
