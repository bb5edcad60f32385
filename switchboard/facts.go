package switchboard

import (
	"context"
	"fmt"
	"strings"

	"github.com/roamline/roamline"
)

// facts answer what routing asks, from the store and the table of bindings.
type facts struct {
	ctx context.Context
	sb  *Switchboard
}

func (f facts) Listing(n roamline.Number) (roamline.Listing, error) {
	return f.sb.Store.Listings().Get(f.ctx, string(n))
}

func (f facts) Numbers(u roamline.UserID) ([]roamline.Number, error) {
	page, _, err := f.sb.Store.Listings().List(f.ctx, roamline.Query{Where: map[string]string{"to": string(u)}})
	var out []roamline.Number
	for _, l := range page {
		out = append(out, l.Number)
	}
	return out, err
}

func (f facts) User(u roamline.UserID) (roamline.User, error) {
	return f.sb.Store.Users().Get(f.ctx, string(u))
}

func (f facts) Client(c roamline.ClientID) (roamline.Client, error) {
	return f.sb.Store.Clients().Get(f.ctx, string(c))
}

func (f facts) Of(u roamline.UserID) (roamline.Binding, bool) {
	f.sb.who.mu.Lock()
	defer f.sb.who.mu.Unlock()
	return f.sb.who.table.Of(u)
}

func (f facts) Trunks() ([]roamline.Trunk, error) {
	page, _, err := f.sb.Store.Trunks().List(f.ctx, roamline.Query{Limit: 1000})
	return page, err
}

// trunk returns a trunk's contract.
func (sb *Switchboard) trunk(id roamline.TrunkID) (roamline.Trunk, bool) {
	t, err := sb.Store.Trunks().Get(context.Background(), string(id))
	return t, err == nil
}

// own gives a leg to a call.
func (sb *Switchboard) own(r *running, id roamline.LegID) {
	sb.mu.Lock()
	sb.legs[id] = r
	sb.mu.Unlock()
	sb.Story.Own(id, r.call.ID)
}

// planned says a plan in words, for the call's story.
func planned(r roamline.Routed, sb *Switchboard) string {
	var steps []string
	if r.User != "" {
		steps = append(steps, "the number of "+sb.nameOf(r.User))
	}
	for _, stage := range r.Plan {
		switch stage := stage.(type) {
		case roamline.RingStage:
			for _, t := range stage.Targets {
				steps = append(steps, "ring "+sb.place(t))
			}
		case roamline.AnnounceStage:
			steps = append(steps, fmt.Sprintf("say %q and refuse: %s", stage.Prompt, stage.Cause))
		case roamline.RefuseStage:
			steps = append(steps, "refuse: "+string(stage.Cause))
		}
	}
	return strings.Join(steps, ", then ")
}

func (sb *Switchboard) nameOf(u roamline.UserID) string {
	if user, err := sb.Store.Users().Get(context.Background(), string(u)); err == nil {
		return user.Name
	}
	return string(u)
}

func (sb *Switchboard) place(t roamline.Target) string {
	if t.Trunk != "" {
		if trunk, ok := sb.trunk(t.Trunk); ok {
			return fmt.Sprintf("%s through %s", t.Number, trunk.Name)
		}
		return string(t.Trunk)
	}
	if c, err := sb.Store.Clients().Get(context.Background(), string(t.Client)); err == nil {
		return c.Name
	}
	return string(t.Client)
}
