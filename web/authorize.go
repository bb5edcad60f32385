package web

import (
	"context"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/roamline/roamline"
)

// A caller is who sent a request.
type caller struct {
	local   bool       // through the local socket
	address netip.Addr // invalid on the local socket
	key     string     // the thumbprint that the proof showed
	client  roamline.Client
	binding *roamline.Binding // who is at the client; nil: nobody
	system  roamline.System   // for forSystem: who shows its credential
	user    *roamline.User    // the same as a person; nil: nobody, or somebody who was disabled
}

// by returns the user who acts; empty on the local socket.
func (c caller) by() roamline.UserID {
	if c.user == nil {
		return ""
	}
	return c.user.ID
}

func (c caller) administers() bool {
	return c.local || c.user != nil && c.user.Is(roamline.RoleAdministrator)
}

type (
	localKey  struct{}
	callerKey struct{}
)

func callerIn(ctx context.Context) caller {
	c, _ := ctx.Value(callerKey{}).(caller)
	return c
}

// authorize finds out who calls and lets pass who may.
func (d *Door) authorize(who access) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		r, w := humago.Unwrap(ctx)
		c, err := d.caller(r, who)
		if err != nil {
			writeProblem(w, d.problem(r.Context(), err))
			return
		}
		next(huma.WithValue(ctx, callerKey{}, c))
	}
}

func (d *Door) caller(r *http.Request, who access) (caller, error) {
	if r.Context().Value(localKey{}) != nil {
		if who != forAdministrator {
			return caller{}, refuse(http.StatusForbidden, "", "This is for clients and systems, and the local socket is none")
		}
		return caller{local: true}, nil
	}
	c := caller{address: d.address(r)}
	if who == forKey {
		if wait, ok := d.tokens.take(addressKey(c.address), d.Now()); !ok {
			return c, refuse(http.StatusTooManyRequests, typeTooOften, "Too many requests from this network").after(wait)
		}
		proof, err := d.prove(r, "")
		if err != nil {
			return c, err
		}
		c.key = proof.key
		return c, nil
	}
	if who == forSystem {
		var err error
		c.system, err = d.systemOf(r, c.address)
		return c, err
	}
	if err := d.possess(r, &c); err != nil {
		return c, err
	}
	if err := d.meet(r.Context(), &c); err != nil {
		return c, err
	}
	if c.binding != nil && r.Method != http.MethodGet { // pages read by themselves; to change something takes a person
		d.Exchange.Touch(c.client.ID)
	}
	return c, c.may(who)
}

// possess checks the access token and the proof that goes with it
// (RFC 9449 section 7.1).
func (d *Door) possess(r *http.Request, c *caller) error {
	headers := r.Header.Values("Authorization")
	if len(headers) != 1 {
		return badToken("Show the client's token", "")
	}
	scheme, token, _ := strings.Cut(headers[0], " ")
	if !strings.EqualFold(scheme, "DPoP") {
		return badToken("Show the client's token", "")
	}
	t, err := d.readToken(token)
	if err != nil {
		return err
	}
	proof, err := d.prove(r, token)
	if err != nil {
		return err
	}
	if proof.key != t.key {
		return badToken("This token belongs to another key", "invalid_token")
	}
	c.key = t.key
	c.client, err = d.clientOf(r.Context(), t)
	return err
}

// clientOf looks the token's client up. It is looked up each time, so that
// whoever is revoked, or has a new key, is refused at once.
func (d *Door) clientOf(ctx context.Context, t token) (roamline.Client, error) {
	c, err := d.Store.Clients().Get(ctx, string(t.client))
	switch {
	case roamline.KindOf(err) == roamline.NotFound && err != nil:
		return c, badToken("This client is no longer known", "invalid_token")
	case err != nil:
		return c, err
	case c.Thumbprint != t.key:
		return c, badToken("This client has a new key", "invalid_token")
	case c.State == roamline.Revoked:
		return c, refuse(http.StatusForbidden, typeWaiting, "This client was shut out by an administrator")
	}
	return c, nil
}

// meet finds out who is at the client.
func (d *Door) meet(ctx context.Context, c *caller) error {
	b, ok := d.Exchange.At(c.client.ID)
	if !ok {
		return nil
	}
	c.binding = &b
	u, err := d.Store.Users().Get(ctx, string(b.User))
	if err != nil {
		if roamline.KindOf(err) == roamline.NotFound {
			return nil
		}
		return err
	}
	if !u.Disabled {
		c.user = &u
	}
	return nil
}

// may says whether c may do what is for who.
func (c caller) may(who access) error {
	switch {
	case who >= forAdmitted && c.client.State != roamline.Admitted:
		return refuse(http.StatusForbidden, typeWaiting, "This client waits to be admitted by an administrator")
	case who >= forBound && c.user == nil:
		return refuse(http.StatusForbidden, typeNobody, "Nobody is signed in here")
	case who >= forAdministrator && !c.administers():
		return refuse(http.StatusForbidden, "", "This is for administrators")
	}
	return nil
}

// address returns where a request came from: the peer, or whom a trusted proxy
// speaks for. Proxies append to X-Forwarded-For, so the last address that is
// not a proxy's is the one to believe.
func (d *Door) address(r *http.Request) netip.Addr {
	peer, _ := netip.ParseAddrPort(r.RemoteAddr)
	at := peer.Addr().Unmap()
	if !d.proxied(at) {
		return at
	}
	list := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, text := range slices.Backward(list) {
		a, err := netip.ParseAddr(strings.TrimSpace(text))
		if err != nil {
			return at
		}
		if at = a.Unmap(); !d.proxied(at) {
			return at
		}
	}
	return at
}

func (d *Door) proxied(a netip.Addr) bool {
	return slices.ContainsFunc(d.Proxies, func(p netip.Prefix) bool { return p.Contains(a) })
}

// origin returns the scheme and the host that the caller addressed.
func (d *Door) origin(r *http.Request) (scheme, host string) {
	scheme, host = "http", r.Host
	if r.TLS != nil {
		scheme = "https"
	}
	peer, _ := netip.ParseAddrPort(r.RemoteAddr)
	if d.proxied(peer.Addr().Unmap()) {
		if p := r.Header.Get("X-Forwarded-Proto"); p == "http" || p == "https" {
			scheme = p
		}
		if h := r.Header.Get("X-Forwarded-Host"); h != "" {
			host = h
		}
	}
	return scheme, host
}

// addressKey is what addresses are counted by: an IPv6 subscriber has a /64.
func addressKey(a netip.Addr) string {
	if a.Is6() {
		p, _ := a.WithZone("").Prefix(64)
		return p.String()
	}
	return a.String()
}

// Bearer reads the access token of a REGISTER (RFC 8898). It returns the
// client, and until when the token is good. Unauthorized: the token is not
// ours, too old, or its client has another key now. Forbidden: the client is
// not admitted. There is no proof of possession in SIP: the token travels
// encrypted, lives for ten minutes and is believed once per flow.
func (d *Door) Bearer(ctx context.Context, text string) (roamline.ClientID, time.Time, error) {
	fail := func(k roamline.Kind, err error) (roamline.ClientID, time.Time, error) {
		return "", time.Time{}, &roamline.Error{Op: "web.Bearer", Kind: k, Err: err}
	}
	t, err := d.readToken(text)
	if err != nil {
		return fail(roamline.Unauthorized, err)
	}
	c, err := d.clientOf(ctx, t)
	if r, ok := err.(*refusal); ok {
		if r.Status == http.StatusForbidden {
			return fail(roamline.Forbidden, err)
		}
		return fail(roamline.Unauthorized, err)
	}
	if err != nil {
		return fail(roamline.Internal, err)
	}
	if c.State != roamline.Admitted {
		return fail(roamline.Forbidden, caller{client: c}.may(forAdmitted))
	}
	return c.ID, t.until, nil
}
