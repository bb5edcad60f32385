package web

import (
	"context"
	"crypto/rand"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/danielgtaylor/huma/v2"

	"github.com/roamline/roamline"
)

// A SystemBodyJSON is what may be said of a system.
type SystemBodyJSON struct {
	Name    string   `json:"name" minLength:"1" maxLength:"64" doc:"Stands in the history beside what it said."`
	Enabled bool     `json:"enabled" doc:"Else nothing that it says is taken."`
	Places  []string `json:"places,omitempty" nullable:"false" maxItems:"256" doc:"It may speak for the clients there, and at places within."`
	Clients []string `json:"clients,omitempty" nullable:"false" maxItems:"1024" doc:"It may speak for these clients."`
}

type systemJSON struct {
	ID string `json:"id"`
	SystemBodyJSON
	SecretSet   bool       `json:"secretSet"`
	FormerUntil *time.Time `json:"formerUntil,omitempty" doc:"Until when the former secret is good too."`
	Created     time.Time  `json:"created"`
	Rev         int64      `json:"rev"`
}

func systemRev(y roamline.System) roamline.Rev { return y.Rev }

func showSystemBody(y roamline.System) SystemBodyJSON {
	return SystemBodyJSON{Name: y.Name, Enabled: y.Enabled, Places: texts(y.Places), Clients: texts(y.Clients)}
}

func (d *Door) showSystem(ctx context.Context, y roamline.System) (systemJSON, error) {
	j := systemJSON{ID: string(y.ID), SystemBodyJSON: showSystemBody(y), Created: y.Created, Rev: int64(y.Rev)}
	kept, err := secretsOf(ctx, d.Store, y.ID)
	j.SecretSet = kept.now != ""
	if d.Now().Before(kept.until) {
		j.FormerUntil = &kept.until
	}
	return j, err
}

func (d *Door) systemRecord(ctx context.Context, y roamline.System) (*record[systemJSON], error) {
	j, err := d.showSystem(ctx, y)
	return &record[systemJSON]{etag(y.Rev), j}, err
}

func (d *Door) registerSystems() {
	tags := []string{"systems"}
	handle(d, forAdministrator, huma.Operation{OperationID: "list-systems", Method: http.MethodGet, Path: "/systems", Tags: tags,
		Summary: "Systems outside"}, d.listSystems)
	handle(d, forAdministrator, huma.Operation{OperationID: "create-system", Method: http.MethodPost, Path: "/systems", Tags: tags,
		Summary: "Trust a system; it has no secret yet", DefaultStatus: http.StatusCreated}, d.createSystem)
	handle(d, forAdministrator, huma.Operation{OperationID: "get-system", Method: http.MethodGet, Path: "/systems/{id}", Tags: tags,
		Summary: "A system"}, d.getSystem)
	changeable(d, huma.Operation{OperationID: "system", Path: "/systems/{id}", Tags: tags, Summary: "Change a system"}, d.systemBody, d.putSystem)
	handle(d, forAdministrator, huma.Operation{OperationID: "delete-system", Method: http.MethodDelete, Path: "/systems/{id}", Tags: tags,
		Summary: "Trust a system no longer", DefaultStatus: http.StatusNoContent}, d.deleteSystem)
	handle(d, forAdministrator, huma.Operation{OperationID: "create-system-secret", Method: http.MethodPost, Path: "/systems/{id}/secret", Tags: tags,
		Summary: "Give a system a new secret, shown this once; the former one is good for a day more"}, d.createSystemSecret)
}

func (d *Door) listSystems(ctx context.Context, _ caller, in *Page) (*body[listJSON[systemJSON]], error) {
	systems, more, err := d.Store.Systems().List(ctx, in.query())
	if err != nil {
		return nil, err
	}
	out := listJSON[systemJSON]{Items: make([]systemJSON, 0, len(systems))}
	for _, y := range systems {
		j, err := d.showSystem(ctx, y)
		if err != nil {
			return nil, err
		}
		out.Items = append(out.Items, j)
		if more {
			out.Next = j.ID
		}
	}
	return &body[listJSON[systemJSON]]{out}, nil
}

func (d *Door) getSystem(ctx context.Context, _ caller, in *idInput) (*record[systemJSON], error) {
	y, err := d.Store.Systems().Get(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return d.systemRecord(ctx, y)
}

func (d *Door) createSystem(ctx context.Context, _ caller, in *struct{ Body SystemBodyJSON }) (*record[systemJSON], error) {
	y := roamline.System{ID: roamline.SystemID(roamline.NewID("s_")), Created: d.Now()}
	err := d.Store.Atomic(ctx, func(s roamline.Store) (err error) {
		if err := fillSystem(ctx, s, &y, in.Body); err != nil {
			return err
		}
		y, err = s.Systems().Create(ctx, y)
		return err
	})
	if err != nil {
		return nil, systemTaken(err)
	}
	return d.systemRecord(ctx, y)
}

func systemTaken(err error) error {
	if err != nil && roamline.KindOf(err) == roamline.Conflict {
		return refuse(http.StatusConflict, typeTaken, "Another system has that name").at("body.name", "is taken")
	}
	return err
}

// fillSystem refuses a place or a client that is not there, unless it was in
// the record before: what is gone must not keep the rest from being changed.
func fillSystem(ctx context.Context, s roamline.Store, y *roamline.System, in SystemBodyJSON) error {
	was := *y
	y.Name, y.Enabled, y.Places, y.Clients = strings.TrimSpace(in.Name), in.Enabled, nil, nil
	if y.Name == "" || strings.ContainsFunc(y.Name, unicode.IsControl) {
		return invalid("body.name", "must not be empty, and on one line")
	}
	for i, text := range in.Places {
		id := roamline.PlaceID(text)
		if !slices.Contains(was.Places, id) {
			if _, err := s.Places().Get(ctx, text); err != nil {
				return absent(err, field("places", i), "there is no such place")
			}
		}
		y.Places = append(y.Places, id)
	}
	for i, text := range in.Clients {
		id := roamline.ClientID(text)
		if !slices.Contains(was.Clients, id) {
			if _, err := s.Clients().Get(ctx, text); err != nil {
				return absent(err, field("clients", i), "there is no such client")
			}
		}
		y.Clients = append(y.Clients, id)
	}
	return nil
}

func absent(err error, where, what string) error {
	if roamline.KindOf(err) == roamline.NotFound {
		return invalid(where, what)
	}
	return err
}

func (d *Door) systemBody(ctx context.Context, id string) (SystemBodyJSON, error) {
	y, err := d.Store.Systems().Get(ctx, id)
	return showSystemBody(y), err
}

func (d *Door) putSystem(ctx context.Context, _ caller, in *changeInput[SystemBodyJSON]) (*record[systemJSON], error) {
	var y roamline.System
	err := d.Store.Atomic(ctx, func(s roamline.Store) (err error) {
		y, err = revise(ctx, s.Systems(), in.ID, in.Matching, systemRev, func(y *roamline.System) error {
			return fillSystem(ctx, s, y, in.Body)
		})
		return err
	})
	if err != nil {
		return nil, systemTaken(err)
	}
	return d.systemRecord(ctx, y)
}

func (d *Door) deleteSystem(ctx context.Context, _ caller, in *removeInput) (*struct{}, error) {
	return nil, remove(ctx, d.Store.Systems(), in.ID, in.Matching, systemRev)
}

type systemSecretInput struct {
	ID     string `path:"id" maxLength:"64"`
	AtOnce bool   `query:"atOnce" doc:"The former secret is no longer good: it became known."`
}

type systemSecretJSON struct {
	Credential  string     `json:"credential" doc:"For the header: Authorization: Bearer CREDENTIAL. It is shown this once."`
	FormerUntil *time.Time `json:"formerUntil,omitempty" doc:"Until when the former one is good too."`
}

// createSystemSecret also counts the record's revision up: of two at once one
// fails, and nobody is told a secret that is not kept.
func (d *Door) createSystemSecret(ctx context.Context, _ caller, in *systemSecretInput) (*body[systemSecretJSON], error) {
	fresh := rand.Text() + rand.Text() // 260 bits
	var kept systemSecrets
	err := d.Store.Atomic(ctx, func(s roamline.Store) error {
		y, err := s.Systems().Get(ctx, in.ID)
		if err != nil {
			return err
		}
		if _, err = s.Systems().Update(ctx, y); err != nil {
			return err
		}
		if kept, err = secretsOf(ctx, s, y.ID); err != nil {
			return err
		}
		kept = kept.rotate(fresh, d.Now(), in.AtOnce)
		return s.SetSecret(ctx, roamline.SystemHash, in.ID, roamline.NewSecret(kept.String()))
	})
	if err != nil {
		return nil, err
	}
	return &body[systemSecretJSON]{systemSecretJSON{credential(roamline.SystemID(in.ID), fresh), known(kept.until)}}, nil
}
