package web

import (
	"context"
	"testing"

	"github.com/roamline/roamline"
)

func (b *board) Fetch(_ context.Context, id roamline.CallID, to roamline.ClientID) error {
	for _, v := range b.calls {
		if v.Call.ID == id {
			b.fetched = append(b.fetched, to)
			return nil
		}
	}
	return &roamline.Error{Op: "test", Kind: roamline.NotFound}
}

func TestACallIsFetched(t *testing.T) {
	h := open(t)
	h.user(`{"login":"ana","name":"Ana","password":"long enough"}`)
	h.board.calls = []roamline.CallView{{Call: roamline.Call{ID: "k_1"}}}
	b := h.admitted()
	b.do("POST", "/client/calls/k_1/fetch", "").want(403)
	b.do("POST", "/client/identifications", `{"method":"password","login":"ana","secret":"long enough"}`).want(200)
	b.do("POST", "/client/calls/k_1/fetch", "").want(204)
	b.do("POST", "/client/calls/k_2/fetch", "").want(404)
	if len(h.board.fetched) != 1 || h.board.fetched[0] != b.id {
		t.Errorf("fetched to %v, not to %s", h.board.fetched, b.id)
	}
}
