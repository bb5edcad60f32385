package web

import (
	"context"

	"github.com/roamline/roamline"
)

// names looks up what identifiers are called, each once. It lives for one
// request or one event. A name that is gone, or can't be had now, is empty:
// the identifier beside it still tells.
type names struct {
	ctx     context.Context
	store   roamline.Store
	users   map[roamline.UserID]string
	clients map[roamline.ClientID]string
	trunks  map[roamline.TrunkID]string
	places  map[roamline.PlaceID]string
}

func (d *Door) names(ctx context.Context) *names {
	return &names{
		ctx: ctx, store: d.Store,
		users:   map[roamline.UserID]string{},
		clients: map[roamline.ClientID]string{},
		trunks:  map[roamline.TrunkID]string{},
		places:  map[roamline.PlaceID]string{},
	}
}

func (n *names) user(id roamline.UserID) string {
	return lookUp(n, n.users, id, n.store.Users, func(u roamline.User) string { return u.Name })
}

func (n *names) client(id roamline.ClientID) string {
	return lookUp(n, n.clients, id, n.store.Clients, func(c roamline.Client) string { return c.Name })
}

func (n *names) trunk(id roamline.TrunkID) string {
	return lookUp(n, n.trunks, id, n.store.Trunks, func(t roamline.Trunk) string { return t.Name })
}

func (n *names) place(id roamline.PlaceID) string {
	return lookUp(n, n.places, id, n.store.Places, func(p roamline.Place) string { return p.Name })
}

func lookUp[K ~string, R any](n *names, known map[K]string, id K, in func() roamline.Table[R], name func(R) string) string {
	if id == "" {
		return ""
	}
	if s, ok := known[id]; ok {
		return s
	}
	var s string
	if r, err := in().Get(n.ctx, string(id)); err == nil {
		s = name(r)
	}
	known[id] = s
	return s
}
