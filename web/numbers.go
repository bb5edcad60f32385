package web

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/roamline/roamline"
)

type destinationJSON struct {
	Kind string `json:"kind" enum:"user"`
	ID   string `json:"id" minLength:"1" maxLength:"64"`
}

type numberJSON struct {
	Number string          `json:"number" doc:"In normal form."`
	To     destinationJSON `json:"to"`
	ToName string          `json:"toName"`
	Rev    int64           `json:"rev"`
}

type newNumberJSON struct {
	Number string          `json:"number" minLength:"1" maxLength:"64" doc:"As people write it."`
	To     destinationJSON `json:"to"`
}

type numberBodyJSON struct {
	To destinationJSON `json:"to"`
}

func listingRev(l roamline.Listing) roamline.Rev { return l.Rev }

func (n *names) number(l roamline.Listing) numberJSON {
	return numberJSON{Number: string(l.Number), To: destinationJSON{string(l.To.Kind), l.To.ID},
		ToName: n.user(roamline.UserID(l.To.ID)), Rev: int64(l.Rev)}
}

func (d *Door) registerNumbers() {
	tags := []string{"people"}
	handle(d, forAdministrator, huma.Operation{OperationID: "list-numbers", Method: http.MethodGet, Path: "/numbers", Tags: tags,
		Summary: "Numbers and where they lead"}, d.listNumbers)
	handle(d, forAdministrator, huma.Operation{OperationID: "create-number", Method: http.MethodPost, Path: "/numbers", Tags: tags,
		Summary: "Let a number lead somewhere", DefaultStatus: http.StatusCreated}, d.createNumber)
	handle(d, forAdministrator, huma.Operation{OperationID: "get-number", Method: http.MethodGet, Path: "/numbers/{id}", Tags: tags,
		Summary: "Where a number leads"}, d.getNumber)
	changeable(d, huma.Operation{OperationID: "number", Path: "/numbers/{id}", Tags: tags, Summary: "Let a number lead elsewhere"},
		d.numberBody, d.putNumber)
	handle(d, forAdministrator, huma.Operation{OperationID: "delete-number", Method: http.MethodDelete, Path: "/numbers/{id}", Tags: tags,
		Summary: "Remove a number", DefaultStatus: http.StatusNoContent}, d.deleteNumber)
}

func (d *Door) listNumbers(ctx context.Context, _ caller, in *Page) (*body[listJSON[numberJSON]], error) {
	listings, more, err := d.Store.Listings().List(ctx, in.query())
	if err != nil {
		return nil, err
	}
	return &body[listJSON[numberJSON]]{listOf(listings, more,
		func(l roamline.Listing) string { return string(l.Number) }, d.names(ctx).number)}, nil
}

func (d *Door) getNumber(ctx context.Context, _ caller, in *idInput) (*record[numberJSON], error) {
	l, err := d.Store.Listings().Get(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &record[numberJSON]{etag(l.Rev), d.names(ctx).number(l)}, nil
}

func (d *Door) createNumber(ctx context.Context, _ caller, in *struct{ Body newNumberJSON }) (*record[numberJSON], error) {
	n, err := d.Normalise(in.Body.Number)
	if err != nil {
		return nil, invalid("body.number", reason(err))
	}
	var l roamline.Listing
	err = d.Store.Atomic(ctx, func(s roamline.Store) error {
		if err := touch(ctx, s, in.Body.To); err != nil {
			return err
		}
		l, err = s.Listings().Create(ctx, roamline.Listing{Number: n, To: in.Body.To.destination()})
		if err != nil && roamline.KindOf(err) == roamline.Conflict {
			return refuse(http.StatusConflict, typeTaken, string(n)+" leads somewhere already").at("body.number", "is taken")
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return &record[numberJSON]{etag(l.Rev), d.names(ctx).number(l)}, nil
}

func (j destinationJSON) destination() roamline.Destination {
	return roamline.Destination{Kind: roamline.DestinationKind(j.Kind), ID: j.ID}
}

// touch counts a change of whoever a number leads to: her list of numbers is
// part of what people read of her.
func touch(ctx context.Context, s roamline.Store, to destinationJSON) error {
	u, err := s.Users().Get(ctx, to.ID)
	if err != nil {
		if roamline.KindOf(err) == roamline.NotFound {
			return invalid("body.to.id", "there is no such user")
		}
		return err
	}
	_, err = s.Users().Update(ctx, u)
	return err
}

func (d *Door) numberBody(ctx context.Context, id string) (numberBodyJSON, error) {
	l, err := d.Store.Listings().Get(ctx, id)
	return numberBodyJSON{To: destinationJSON{string(l.To.Kind), l.To.ID}}, err
}

func (d *Door) putNumber(ctx context.Context, _ caller, in *changeInput[numberBodyJSON]) (*record[numberJSON], error) {
	var l roamline.Listing
	err := d.Store.Atomic(ctx, func(s roamline.Store) (err error) {
		l, err = revise(ctx, s.Listings(), in.ID, in.Matching, listingRev, func(l *roamline.Listing) error {
			if err := untouched(touch(ctx, s, destinationJSON{string(l.To.Kind), l.To.ID})); err != nil {
				return err
			}
			l.To = in.Body.To.destination()
			return touch(ctx, s, in.Body.To)
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	return &record[numberJSON]{etag(l.Rev), d.names(ctx).number(l)}, nil
}

// untouched lets pass that whoever a number led to is gone.
func untouched(err error) error {
	if r, ok := err.(*refusal); ok && r.Status == http.StatusUnprocessableEntity {
		return nil
	}
	return err
}

func (d *Door) deleteNumber(ctx context.Context, _ caller, in *removeInput) (*struct{}, error) {
	return nil, d.Store.Atomic(ctx, func(s roamline.Store) error {
		l, err := s.Listings().Get(ctx, in.ID)
		if err != nil {
			return err
		}
		if err := remove(ctx, s.Listings(), in.ID, in.Matching, listingRev); err != nil {
			return err
		}
		return untouched(touch(ctx, s, destinationJSON{string(l.To.Kind), l.To.ID}))
	})
}
