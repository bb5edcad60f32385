package web

import (
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/roamline/roamline"
)

type clientJSON struct {
	ID         string       `json:"id"`
	Name       string       `json:"name"`
	Kind       string       `json:"kind" enum:"browser,phone"`
	State      string       `json:"state" enum:"waiting,admitted,revoked"`
	PlaceID    string       `json:"placeId"`
	PlaceName  string       `json:"placeName"`
	Thumbprint string       `json:"thumbprint" doc:"Of its key (RFC 7638); empty for a phone."`
	Login      string       `json:"login" doc:"Digest user name; empty for a browser."`
	Created    time.Time    `json:"created"`
	Reached    bool         `json:"reached" doc:"It can be called now."`
	Binding    *bindingJSON `json:"binding,omitempty" doc:"Who is there now."`
	Rev        int64        `json:"rev"`
}

type clientBodyJSON struct {
	Name    string `json:"name" minLength:"1" maxLength:"128"`
	PlaceID string `json:"placeId,omitempty" maxLength:"64"`
}

type newClientJSON struct {
	Name     string `json:"name" minLength:"1" maxLength:"128"`
	Kind     string `json:"kind" enum:"phone" doc:"Browsers come by themselves."`
	PlaceID  string `json:"placeId,omitempty" maxLength:"64"`
	Login    string `json:"login" minLength:"1" maxLength:"64" doc:"Digest user name."`
	Password string `json:"password" minLength:"8" maxLength:"1024" doc:"Digest password."`
}

func clientRev(c roamline.Client) roamline.Rev { return c.Rev }

func (d *Door) showClient(n *names, c roamline.Client) clientJSON {
	j := clientJSON{
		ID: string(c.ID), Name: c.Name, Kind: string(c.Kind), State: string(c.State),
		PlaceID: string(c.Place), PlaceName: n.place(c.Place), Thumbprint: c.Thumbprint, Login: c.Login,
		Created: c.Created, Reached: d.Reached(c.ID), Rev: int64(c.Rev),
	}
	if b, ok := d.Exchange.At(c.ID); ok {
		binding := n.binding(b)
		j.Binding = &binding
	}
	return j
}

func (d *Door) clientRecord(ctx context.Context, c roamline.Client) *record[clientJSON] {
	return &record[clientJSON]{etag(c.Rev), d.showClient(d.names(ctx), c)}
}

func (d *Door) registerClients() {
	tags := []string{"clients"}
	handle(d, forAdministrator, huma.Operation{OperationID: "list-clients", Method: http.MethodGet, Path: "/clients", Tags: tags,
		Summary: "Clients"}, d.listClients)
	handle(d, forAdministrator, huma.Operation{OperationID: "create-client", Method: http.MethodPost, Path: "/clients", Tags: tags,
		Summary: "Add a SIP phone", DefaultStatus: http.StatusCreated}, d.createClient)
	handle(d, forAdministrator, huma.Operation{OperationID: "get-client-by-id", Method: http.MethodGet, Path: "/clients/{id}", Tags: tags,
		Summary: "A client"}, d.getClient)
	changeable(d, huma.Operation{OperationID: "client", Path: "/clients/{id}", Tags: tags, Summary: "Change a client"}, d.clientBody, d.putClient)
	handle(d, forAdministrator, huma.Operation{OperationID: "delete-client", Method: http.MethodDelete, Path: "/clients/{id}", Tags: tags,
		Summary: "Forget a client", DefaultStatus: http.StatusNoContent}, d.deleteClient)
	handle(d, forAdministrator, huma.Operation{OperationID: "admit-client", Method: http.MethodPost, Path: "/clients/{id}/admit", Tags: tags,
		Summary: "Let people use a client"}, d.admitClient)
	handle(d, forAdministrator, huma.Operation{OperationID: "revoke-client", Method: http.MethodPost, Path: "/clients/{id}/revoke", Tags: tags,
		Summary: "Shut a client out; whoever is there is signed out"}, d.revokeClient)
	handle(d, forAdministrator, huma.Operation{OperationID: "put-digest", Method: http.MethodPut, Path: "/clients/{id}/digest", Tags: tags,
		Summary: "Set a phone's digest credentials", DefaultStatus: http.StatusNoContent}, d.putDigest)
	handle(d, forAdministrator, huma.Operation{OperationID: "put-client-binding", Method: http.MethodPut, Path: "/clients/{id}/binding", Tags: tags,
		Summary: "Put a person at a client"}, d.putBinding)
	handle(d, forAdministrator, huma.Operation{OperationID: "delete-client-binding", Method: http.MethodDelete, Path: "/clients/{id}/binding", Tags: tags,
		Summary: "Sign whoever is at a client out", DefaultStatus: http.StatusNoContent}, d.deleteBinding)
	handle(d, forAdministrator, huma.Operation{OperationID: "create-enrolment-code", Method: http.MethodPost, Path: "/enrolment-codes", Tags: tags,
		Summary: "Make a code that admits one client, once, within the hour", DefaultStatus: http.StatusCreated}, d.createCode)
}

type clientsInput struct {
	Page
	State string `query:"state" enum:"waiting,admitted,revoked"`
	Place string `query:"place" maxLength:"64"`
}

func (d *Door) listClients(ctx context.Context, _ caller, in *clientsInput) (*body[listJSON[clientJSON]], error) {
	q := in.query()
	q.Where = map[string]string{}
	if in.State != "" {
		q.Where["state"] = in.State
	}
	if in.Place != "" {
		q.Where["place"] = in.Place
	}
	clients, more, err := d.Store.Clients().List(ctx, q)
	if err != nil {
		return nil, err
	}
	n := d.names(ctx)
	return &body[listJSON[clientJSON]]{listOf(clients, more,
		func(c roamline.Client) string { return string(c.ID) },
		func(c roamline.Client) clientJSON { return d.showClient(n, c) })}, nil
}

func (d *Door) getClient(ctx context.Context, _ caller, in *idInput) (*record[clientJSON], error) {
	c, err := d.Store.Clients().Get(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return d.clientRecord(ctx, c), nil
}

var goodDigestLogin = regexp.MustCompile(`^[A-Za-z0-9._~+-]+$`)

func (d *Door) createClient(ctx context.Context, _ caller, in *struct{ Body newClientJSON }) (*record[clientJSON], error) {
	c := roamline.Client{ID: roamline.ClientID(roamline.NewID("c_")), Kind: roamline.Phone, State: roamline.Admitted,
		Login: in.Body.Login, Created: d.Now()}
	if !goodDigestLogin.MatchString(c.Login) {
		return nil, invalid("body.login", "may hold letters, digits and . _ ~ + - only")
	}
	err := d.Store.Atomic(ctx, func(s roamline.Store) (err error) {
		if err := fillClient(ctx, s, &c, in.Body.Name, in.Body.PlaceID); err != nil {
			return err
		}
		if c, err = s.Clients().Create(ctx, c); err != nil {
			return clientTaken(err)
		}
		return s.SetSecret(ctx, roamline.DigestHash, string(c.ID), d.digestHash(c.Login, in.Body.Password))
	})
	if err != nil {
		return nil, err
	}
	d.ClientChanged(c.ID)
	return d.clientRecord(ctx, c), nil
}

func clientTaken(err error) error {
	if err != nil && roamline.KindOf(err) == roamline.Conflict {
		return refuse(http.StatusConflict, typeTaken, "Another client has that name or login").at("body.name", "is taken")
	}
	return err
}

// digestHash is what the store keeps of digest credentials: H(user:realm:password)
// by both algorithms (RFC 7616 section 3.4.2, RFC 8760).
func (d *Door) digestHash(login, password string) roamline.Secret {
	a1 := []byte(login + ":" + d.Realm + ":" + password)
	m, s := md5.Sum(a1), sha256.Sum256(a1)
	return roamline.NewSecret("MD5:" + hex.EncodeToString(m[:]) + " SHA-256:" + hex.EncodeToString(s[:]))
}

func fillClient(ctx context.Context, s roamline.Store, c *roamline.Client, name, place string) error {
	if c.Name = strings.TrimSpace(name); c.Name == "" {
		return invalid("body.name", "must not be empty")
	}
	c.Place = roamline.PlaceID(place)
	if place == "" {
		return nil
	}
	_, err := s.Places().Get(ctx, place)
	if err != nil && roamline.KindOf(err) == roamline.NotFound {
		return invalid("body.placeId", "there is no such place")
	}
	return err
}

func (d *Door) clientBody(ctx context.Context, id string) (clientBodyJSON, error) {
	c, err := d.Store.Clients().Get(ctx, id)
	return clientBodyJSON{Name: c.Name, PlaceID: string(c.Place)}, err
}

func (d *Door) putClient(ctx context.Context, _ caller, in *changeInput[clientBodyJSON]) (*record[clientJSON], error) {
	var c roamline.Client
	err := d.Store.Atomic(ctx, func(s roamline.Store) (err error) {
		c, err = revise(ctx, s.Clients(), in.ID, in.Matching, clientRev, func(c *roamline.Client) error {
			return fillClient(ctx, s, c, in.Body.Name, in.Body.PlaceID)
		})
		return clientTaken(err)
	})
	if err != nil {
		return nil, err
	}
	return d.clientRecord(ctx, c), nil
}

// withdraw ends what a client has: its binding, its streams, its flows.
func (d *Door) withdraw(ctx context.Context, id roamline.ClientID) error {
	d.live.cut(id)
	d.ClientChanged(id)
	err := d.Exchange.Release(ctx, id, roamline.ClientWithdrawn)
	if err != nil && roamline.KindOf(err) == roamline.NotFound {
		return nil
	}
	return err
}

func (d *Door) deleteClient(ctx context.Context, _ caller, in *removeInput) (*struct{}, error) {
	err := d.Store.Atomic(ctx, func(s roamline.Store) error {
		if err := remove(ctx, s.Clients(), in.ID, in.Matching, clientRev); err != nil {
			return err
		}
		return s.SetSecret(ctx, roamline.DigestHash, in.ID, roamline.Secret{})
	})
	if err != nil {
		return nil, err
	}
	return nil, d.withdraw(ctx, roamline.ClientID(in.ID))
}

type admitInput struct {
	ID   string `path:"id" maxLength:"64"`
	Body struct {
		Name    string `json:"name,omitempty" maxLength:"128" doc:"Empty: as it is."`
		PlaceID string `json:"placeId,omitempty" maxLength:"64" doc:"Empty: as it is."`
	}
}

func (d *Door) admitClient(ctx context.Context, _ caller, in *admitInput) (*record[clientJSON], error) {
	var c roamline.Client
	err := d.Store.Atomic(ctx, func(s roamline.Store) (err error) {
		if c, err = s.Clients().Get(ctx, in.ID); err != nil {
			return err
		}
		c, err = admit(ctx, s, c, in.Body.Name, in.Body.PlaceID)
		return err
	})
	if err != nil {
		return nil, err
	}
	d.ClientChanged(c.ID)
	d.live.tell(c.ID)
	return d.clientRecord(ctx, c), nil
}

// admit lets people use a client; inside Atomic. Empty values stay as they are.
func admit(ctx context.Context, s roamline.Store, c roamline.Client, name, place string) (roamline.Client, error) {
	if strings.TrimSpace(name) == "" {
		name = c.Name
	}
	if place == "" {
		place = string(c.Place)
	}
	if err := fillClient(ctx, s, &c, name, place); err != nil {
		return c, err
	}
	c.State = roamline.Admitted
	c, err := s.Clients().Update(ctx, c)
	return c, clientTaken(err)
}

func (d *Door) revokeClient(ctx context.Context, _ caller, in *idInput) (*record[clientJSON], error) {
	var c roamline.Client
	err := d.Store.Atomic(ctx, func(s roamline.Store) (err error) {
		if c, err = s.Clients().Get(ctx, in.ID); err != nil {
			return err
		}
		c.State = roamline.Revoked
		c, err = s.Clients().Update(ctx, c)
		return err
	})
	if err != nil {
		return nil, err
	}
	if err := d.withdraw(ctx, c.ID); err != nil {
		return nil, err
	}
	return d.clientRecord(ctx, c), nil
}

type digestInput struct {
	ID   string `path:"id" maxLength:"64"`
	Body struct {
		Login    string `json:"login,omitempty" maxLength:"64" doc:"Empty: as it is."`
		Password string `json:"password" minLength:"8" maxLength:"1024"`
	}
}

func (d *Door) putDigest(ctx context.Context, _ caller, in *digestInput) (*struct{}, error) {
	err := d.Store.Atomic(ctx, func(s roamline.Store) error {
		c, err := s.Clients().Get(ctx, in.ID)
		if err != nil {
			return err
		}
		if c.Kind != roamline.Phone {
			return refuse(http.StatusConflict, "", "A browser knows itself by its key and has no password")
		}
		if in.Body.Login != "" && in.Body.Login != c.Login {
			if c.Login = in.Body.Login; !goodDigestLogin.MatchString(c.Login) {
				return invalid("body.login", "may hold letters, digits and . _ ~ + - only")
			}
			if c, err = s.Clients().Update(ctx, c); err != nil {
				return clientTaken(err)
			}
		}
		return s.SetSecret(ctx, roamline.DigestHash, in.ID, d.digestHash(c.Login, in.Body.Password))
	})
	if err == nil {
		d.CredentialsChanged(roamline.ClientID(in.ID))
	}
	return nil, err
}

type putBindingInput struct {
	ID   string `path:"id" maxLength:"64"`
	Body struct {
		User string `json:"user" minLength:"1" maxLength:"256" doc:"An id or a login."`
	}
}

func (d *Door) putBinding(ctx context.Context, c caller, in *putBindingInput) (*body[bindingJSON], error) {
	client, err := d.Store.Clients().Get(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if client.State != roamline.Admitted {
		return nil, refuse(http.StatusConflict, "", "This client is not admitted")
	}
	u, err := d.findUser(ctx, in.Body.User)
	if err != nil {
		return nil, err
	}
	if u.Disabled {
		return nil, refuse(http.StatusConflict, "", u.Name+" is disabled")
	}
	b, err := d.Exchange.Put(ctx, u.ID, client.ID, c.by())
	if err != nil {
		return nil, err
	}
	return &body[bindingJSON]{d.names(ctx).binding(b)}, nil
}

// findUser finds a user by identifier or login.
func (d *Door) findUser(ctx context.Context, text string) (roamline.User, error) {
	u, err := d.Store.Users().Get(ctx, text)
	if err == nil || roamline.KindOf(err) != roamline.NotFound {
		return u, err
	}
	found, _, err := d.Store.Users().List(ctx, roamline.Query{Limit: 1,
		Where: map[string]string{"login": strings.ToLower(strings.TrimSpace(text))}})
	if err == nil && len(found) == 0 {
		err = invalid("body.user", fmt.Sprintf("there is no user %q", text))
	}
	if err != nil {
		return u, err
	}
	return found[0], nil
}

func (d *Door) deleteBinding(ctx context.Context, _ caller, in *idInput) (*struct{}, error) {
	return nil, d.Exchange.Release(ctx, roamline.ClientID(in.ID), roamline.ByAdmin)
}
