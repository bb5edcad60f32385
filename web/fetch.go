package web

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/roamline/roamline"
)

func (d *Door) registerFetch() {
	handle(d, forBound, huma.Operation{
		OperationID: "fetch-call", Method: http.MethodPost, Path: "/client/calls/{id}/fetch", Tags: []string{"client"},
		Summary: "Bring a running call of the person's to this client, if it did not come along by itself", DefaultStatus: http.StatusNoContent,
	}, d.fetch)
}

type fetchInput struct {
	ID string `path:"id" maxLength:"64"`
}

// fetch takes no longer than the request: that the call has come is told by the
// news.
func (d *Door) fetch(ctx context.Context, c caller, in *fetchInput) (*struct{}, error) {
	err := d.Exchange.Fetch(ctx, roamline.CallID(in.ID), c.client.ID)
	switch roamline.KindOf(err) {
	case roamline.NotFound:
		return nil, refuse(http.StatusNotFound, "", "That call is over, or is not yours")
	case roamline.Conflict:
		return nil, refuse(http.StatusConflict, "", "Nobody is signed in here any more. Sign in, and the call comes by itself")
	}
	return nil, err
}
