package web

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/roamline/roamline"
)

type bindingsJSON struct {
	Items []bindingJSON `json:"items" nullable:"false"`
}

type stayJSON struct {
	Binding bindingJSON `json:"binding"`
	Until   *time.Time  `json:"until,omitempty" doc:"Absent while it lasts."`
	Reason  string      `json:"reason,omitempty" doc:"Why it ended."`
}

type staysJSON struct {
	Items []stayJSON `json:"items" nullable:"false"`
}

func (d *Door) registerBindings() {
	tags := []string{"people"}
	handle(d, forAdministrator, huma.Operation{OperationID: "list-bindings", Method: http.MethodGet, Path: "/bindings", Tags: tags,
		Summary: "Who is where now"}, d.listBindings)
	handle(d, forAdministrator, huma.Operation{OperationID: "list-stays", Method: http.MethodGet, Path: "/stays", Tags: tags,
		Summary: "Who was where, newest first"}, d.listStays)
}

func (d *Door) listBindings(ctx context.Context, _ caller, _ *struct{}) (*body[bindingsJSON], error) {
	out, n := bindingsJSON{Items: []bindingJSON{}}, d.names(ctx)
	for _, b := range d.Exchange.Bindings() {
		out.Items = append(out.Items, n.binding(b))
	}
	return &body[bindingsJSON]{out}, nil
}

type staysInput struct {
	User   string    `query:"user" maxLength:"64"`
	Client string    `query:"client" maxLength:"64"`
	Before time.Time `query:"before" doc:"Begun before this time; absent: the newest."`
	Limit  int       `query:"limit" minimum:"1" maximum:"1000" default:"100"`
}

func (d *Door) listStays(ctx context.Context, _ caller, in *staysInput) (*body[staysJSON], error) {
	stays, err := d.Store.Stays(ctx, roamline.StayQuery{User: roamline.UserID(in.User), Client: roamline.ClientID(in.Client),
		Before: in.Before, Limit: in.Limit})
	out, n := staysJSON{Items: make([]stayJSON, 0, len(stays))}, d.names(ctx)
	for _, s := range stays {
		out.Items = append(out.Items, stayJSON{Binding: n.binding(s.Binding), Until: known(s.Until), Reason: string(s.Reason)})
	}
	return &body[staysJSON]{out}, err
}
