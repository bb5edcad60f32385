package web

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"unicode"

	"github.com/danielgtaylor/huma/v2"

	"github.com/roamline/roamline"
)

// maxWaiting is how many clients may wait to be admitted. One more, and the
// one that waits longest is forgotten: its page asks again when it needs a
// token.
const maxWaiting = 200

// A waitingRoom lets one new key in at a time, so that it stays bounded.
type waitingRoom struct{ sync.Mutex }

type tokenInput struct {
	Proof string `header:"DPoP" required:"true" doc:"A proof of possession without ath (RFC 9449)."`
	Body  struct {
		NameHint string `json:"nameHint,omitempty" maxLength:"64" doc:"What a new client may be called at first: \"Chrome on Linux\"."`
	}
}

type tokenJSON struct {
	AccessToken string         `json:"accessToken"`
	ExpiresInMs int64          `json:"expiresInMs"`
	Client      thisClientJSON `json:"client"`
}

func (d *Door) registerToken() {
	handle(d, forKey, huma.Operation{
		OperationID: "get-token", Method: http.MethodPost, Path: "/token", Tags: []string{"client"},
		Summary: "Get an access token for this key",
		Description: "Needs a DPoP proof and nothing else. A key never seen before becomes a client that waits to be admitted. " +
			"The token is good for the API (Authorization: DPoP) and for REGISTER (Bearer).",
	}, d.getToken)
}

func (d *Door) getToken(ctx context.Context, c caller, in *tokenInput) (*body[tokenJSON], error) {
	client, known, err := d.byThumbprint(ctx, c.key)
	if err != nil {
		return nil, err
	}
	if !known {
		if wait, ok := d.novel.take(addressKey(c.address), d.Now()); !ok {
			return nil, refuse(http.StatusTooManyRequests, typeTooOften, "Too many new machines from this network").after(wait)
		}
		if client, err = d.newBrowser(ctx, c.key, in.Body.NameHint); err != nil {
			return nil, err
		}
	}
	if client.State == roamline.Revoked {
		return nil, caller{client: client}.may(forAdmitted)
	}
	text, err := d.makeToken(token{client: client.ID, key: c.key, until: d.Now().Add(tokenLife)})
	if err != nil {
		return nil, err
	}
	return &body[tokenJSON]{tokenJSON{AccessToken: text, ExpiresInMs: tokenLife.Milliseconds(),
		Client: d.names(ctx).thisClient(client)}}, nil
}

func (d *Door) byThumbprint(ctx context.Context, key string) (roamline.Client, bool, error) {
	found, _, err := d.Store.Clients().List(ctx, roamline.Query{Limit: 1, Where: map[string]string{"thumbprint": key}})
	if err != nil || len(found) == 0 {
		return roamline.Client{}, false, err
	}
	return found[0], true, nil
}

// newBrowser lets a key that was never seen before into the waiting room.
func (d *Door) newBrowser(ctx context.Context, key, hint string) (client roamline.Client, err error) {
	d.queue.Lock()
	defer d.queue.Unlock()
	if c, known, err := d.byThumbprint(ctx, key); known || err != nil {
		return c, err // two requests of one page at the same time
	}
	state := roamline.Waiting
	var dropped roamline.ClientID
	err = d.Store.Atomic(ctx, func(s roamline.Store) error {
		if d.AdmitAll {
			admitted, err := inState(ctx, s, roamline.Admitted)
			if err != nil {
				return err
			}
			if len(admitted) < maxWaiting {
				state = roamline.Admitted
			}
		}
		waiting, err := inState(ctx, s, roamline.Waiting)
		if err != nil {
			return err
		}
		if len(waiting) >= maxWaiting {
			oldest := slices.MinFunc(waiting, func(a, b roamline.Client) int {
				return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.ID, b.ID))
			})
			if err := s.Clients().Delete(ctx, string(oldest.ID), 0); err != nil {
				return err
			}
			dropped = oldest.ID
		}
		client, err = s.Clients().Create(ctx, roamline.Client{
			ID: roamline.ClientID(roamline.NewID("c_")), Name: firstName(hint, key), Kind: roamline.Browser,
			State: state, Thumbprint: key, Created: d.Now(),
		})
		return err
	})
	if err == nil && dropped != "" {
		d.live.cut(dropped)
	}
	if err == nil && state == roamline.Admitted {
		d.ClientChanged(client.ID)
	}
	return client, err
}

// inState returns the clients in a state, at most 1000.
func inState(ctx context.Context, s roamline.Store, state roamline.ClientState) ([]roamline.Client, error) {
	found, _, err := s.Clients().List(ctx, roamline.Query{Limit: 1000, Where: map[string]string{"state": string(state)}})
	return found, err
}

// firstName is what a client is called until somebody names it. The start of
// its thumbprint makes it unique.
func firstName(hint, key string) string {
	hint = strings.TrimSpace(strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, hint))
	if hint == "" {
		hint = "Browser"
	}
	return hint + " (" + key[:min(8, len(key))] + ")"
}

type enrolInput struct {
	Body struct {
		Code string `json:"code" minLength:"1" maxLength:"32"`
	}
}

// enrol admits the caller's key. A code made for a client that exists gives
// that client the key: whoever used the old key is signed out there.
func (d *Door) enrol(ctx context.Context, c caller, in *enrolInput) (*body[thisClientJSON], error) {
	if err := d.guessing(c); err != nil {
		return nil, err
	}
	if c.client.State == roamline.Admitted {
		return nil, refuse(http.StatusConflict, "", "This client is admitted already")
	}
	var client roamline.Client
	var replaced bool
	err := d.Store.Atomic(ctx, func(s roamline.Store) error {
		what, err := d.useCode(ctx, s, forEnrolment, in.Body.Code)
		if err != nil {
			return err
		}
		if what.Client == "" {
			client, err = admit(ctx, s, c.client, what.Name, what.Place)
			return err
		}
		replaced = true
		client, err = rekey(ctx, s, c.client, what)
		return err
	})
	if err != nil {
		return nil, err
	}
	if replaced {
		d.live.cut(c.client.ID)
		d.CredentialsChanged(client.ID)
		if err := d.withdraw(ctx, client.ID); err != nil {
			return nil, err
		}
	} else {
		d.ClientChanged(client.ID)
	}
	return &body[thisClientJSON]{d.names(ctx).thisClient(client)}, nil
}

// rekey gives the key of a waiting client to the one that the code is for.
func rekey(ctx context.Context, s roamline.Store, waiting roamline.Client, what purpose) (roamline.Client, error) {
	client, err := s.Clients().Get(ctx, what.Client)
	if err != nil {
		if roamline.KindOf(err) == roamline.NotFound {
			return client, badCode()
		}
		return client, err
	}
	if err := s.Clients().Delete(ctx, string(waiting.ID), 0); err != nil {
		return client, err
	}
	client.Thumbprint = waiting.Thumbprint
	return admit(ctx, s, client, what.Name, what.Place)
}

// guessing counts a code that is tried, by network.
func (d *Door) guessing(c caller) error {
	if wait, ok := d.guess.take(addressKey(c.address), d.Now()); !ok {
		return refuse(http.StatusTooManyRequests, typeTooOften, "Too many codes were tried. Wait a little, then try again").after(wait)
	}
	return nil
}
