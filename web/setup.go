package web

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/roamline/roamline"
)

// SetupCode returns a one-time code, good for a day, with which a client makes
// the first administrator; empty if there is one already. It belongs into the
// fragment of a link: a browser does not send that.
func (d *Door) SetupCode(ctx context.Context) (code string, err error) {
	there, err := hasAdministrator(ctx, d.Store)
	if err != nil || there {
		return "", err
	}
	return d.addCode(ctx, d.Store, forSetup, setupLength, purpose{}, d.Now().Add(setupLife))
}

func (d *Door) registerSetup() {
	handle(d, forClient, huma.Operation{
		OperationID: "set-up", Method: http.MethodPost, Path: "/setup", Tags: []string{"client"},
		Summary:     "Make the first administrator, admit this client, sign her in here",
		Description: "The code comes with the one-time link that the server prints at its first start.",
	}, d.setUp)
}

type setupInput struct {
	Body struct {
		Code     string `json:"code" minLength:"1" maxLength:"64"`
		Login    string `json:"login" minLength:"1" maxLength:"64"`
		Name     string `json:"name" minLength:"1" maxLength:"128"`
		Password string `json:"password" minLength:"8" maxLength:"1024"`
		Number   string `json:"number,omitempty" maxLength:"64" doc:"Her telephone number, if she wants one."`
	}
}

func (d *Door) setUp(ctx context.Context, c caller, in *setupInput) (*body[identifiedJSON], error) {
	if err := d.guessing(c); err != nil {
		return nil, err
	}
	first := newUserJSON{Login: in.Body.Login, Name: in.Body.Name, Password: in.Body.Password,
		Roles: []string{string(roamline.RoleAdministrator)}}
	if in.Body.Number != "" {
		first.Numbers = []string{in.Body.Number}
	}
	p, err := d.readPerson(ctx, first, "body.")
	if err != nil {
		return nil, err
	}
	var u roamline.User
	err = d.Store.Atomic(ctx, func(s roamline.Store) error {
		if _, err := d.useCode(ctx, s, forSetup, in.Body.Code); err != nil {
			return err
		}
		there, err := hasAdministrator(ctx, s)
		if err != nil {
			return err
		}
		if there {
			return refuse(http.StatusConflict, typeTaken, "There is an administrator already")
		}
		if u, err = p.write(ctx, s); err != nil {
			return err
		}
		_, err = admit(ctx, s, c.client, "", "")
		return err
	})
	if err != nil {
		return nil, err
	}
	d.ClientChanged(c.client.ID)
	b, err := d.Exchange.Put(ctx, u.ID, c.client.ID, u.ID)
	if err != nil {
		return nil, err
	}
	return d.identified(ctx, b)
}
