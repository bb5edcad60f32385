package web

import (
	"context"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/roamline/roamline"
)

// maxDepth is how deep places may lie within each other.
const maxDepth = 16

type placeBodyJSON struct {
	Name   string `json:"name" minLength:"1" maxLength:"128"`
	Within string `json:"within,omitempty" maxLength:"64" doc:"The place around it; empty: top."`
}

type placeJSON struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Within string `json:"within"`
	Rev    int64  `json:"rev"`
}

func showPlace(p roamline.Place) placeJSON {
	return placeJSON{ID: string(p.ID), Name: p.Name, Within: string(p.Within), Rev: int64(p.Rev)}
}

func placeRecord(p roamline.Place) *record[placeJSON] {
	return &record[placeJSON]{etag(p.Rev), showPlace(p)}
}

func placeRev(p roamline.Place) roamline.Rev { return p.Rev }

func (d *Door) registerPlaces() {
	tags := []string{"clients"}
	handle(d, forAdministrator, huma.Operation{OperationID: "list-places", Method: http.MethodGet, Path: "/places", Tags: tags,
		Summary: "Places"}, d.listPlaces)
	handle(d, forAdministrator, huma.Operation{OperationID: "create-place", Method: http.MethodPost, Path: "/places", Tags: tags,
		Summary: "Add a place", DefaultStatus: http.StatusCreated}, d.createPlace)
	handle(d, forAdministrator, huma.Operation{OperationID: "get-place", Method: http.MethodGet, Path: "/places/{id}", Tags: tags,
		Summary: "A place"}, d.getPlace)
	changeable(d, huma.Operation{OperationID: "place", Path: "/places/{id}", Tags: tags, Summary: "Change a place"}, d.placeBody, d.putPlace)
	handle(d, forAdministrator, huma.Operation{OperationID: "delete-place", Method: http.MethodDelete, Path: "/places/{id}", Tags: tags,
		Summary: "Remove a place where nothing is", DefaultStatus: http.StatusNoContent}, d.deletePlace)
}

func (d *Door) listPlaces(ctx context.Context, _ caller, in *Page) (*body[listJSON[placeJSON]], error) {
	places, more, err := d.Store.Places().List(ctx, in.query())
	return &body[listJSON[placeJSON]]{listOf(places, more, func(p roamline.Place) string { return string(p.ID) }, showPlace)}, err
}

func (d *Door) getPlace(ctx context.Context, _ caller, in *idInput) (*record[placeJSON], error) {
	p, err := d.Store.Places().Get(ctx, in.ID)
	return placeRecord(p), err
}

func (d *Door) createPlace(ctx context.Context, _ caller, in *struct{ Body placeBodyJSON }) (out *record[placeJSON], err error) {
	p := roamline.Place{ID: roamline.PlaceID(roamline.NewID("p_"))}
	err = d.Store.Atomic(ctx, func(s roamline.Store) error {
		if err := fillPlace(ctx, s, &p, in.Body); err != nil {
			return err
		}
		p, err = s.Places().Create(ctx, p)
		return err
	})
	return placeRecord(p), err
}

func fillPlace(ctx context.Context, s roamline.Store, p *roamline.Place, in placeBodyJSON) error {
	p.Name, p.Within = strings.TrimSpace(in.Name), roamline.PlaceID(in.Within)
	if p.Name == "" {
		return invalid("body.name", "must not be empty")
	}
	around := p.Within
	for range maxDepth {
		if around == "" {
			return nil
		}
		if around == p.ID {
			return invalid("body.within", "a place can't lie within itself")
		}
		outer, err := s.Places().Get(ctx, string(around))
		if err != nil {
			if roamline.KindOf(err) == roamline.NotFound {
				return invalid("body.within", "there is no such place")
			}
			return err
		}
		around = outer.Within
	}
	return invalid("body.within", "places lie too deep within each other")
}

func (d *Door) placeBody(ctx context.Context, id string) (placeBodyJSON, error) {
	p, err := d.Store.Places().Get(ctx, id)
	return placeBodyJSON{Name: p.Name, Within: string(p.Within)}, err
}

func (d *Door) putPlace(ctx context.Context, _ caller, in *changeInput[placeBodyJSON]) (*record[placeJSON], error) {
	var p roamline.Place
	err := d.Store.Atomic(ctx, func(s roamline.Store) (err error) {
		p, err = revise(ctx, s.Places(), in.ID, in.Matching, placeRev, func(p *roamline.Place) error {
			return fillPlace(ctx, s, p, in.Body)
		})
		return err
	})
	return placeRecord(p), err
}

func (d *Door) deletePlace(ctx context.Context, _ caller, in *removeInput) (*struct{}, error) {
	return nil, d.Store.Atomic(ctx, func(s roamline.Store) error {
		inner, _, err := s.Places().List(ctx, roamline.Query{Limit: 1, Where: map[string]string{"within": in.ID}})
		if err != nil {
			return err
		}
		clients, _, err := s.Clients().List(ctx, roamline.Query{Limit: 1, Where: map[string]string{"place": in.ID}})
		if err != nil {
			return err
		}
		if len(inner)+len(clients) > 0 {
			return refuse(http.StatusConflict, "", "There are clients or other places in it. Move them first")
		}
		return remove(ctx, s.Places(), in.ID, in.Matching, placeRev)
	})
}
