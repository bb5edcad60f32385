package storetest

import (
	"context"
	"testing"
	"time"

	"github.com/roamline/roamline"
)

func binding(user roamline.UserID, client roamline.ClientID, proof roamline.IdentificationID, since time.Time) roamline.Binding {
	return roamline.Binding{User: user, Client: client, Since: since, Proof: roamline.Identification{ID: proof, User: user,
		Client: client, Method: roamline.ByPassword, By: "u_admin", At: since.Add(-time.Second)}}
}

func history(t *testing.T, open func(*testing.T) roamline.Store) {
	a := binding("u_ana", "c_1", "i_1", noon)
	b := binding("u_bo", "c_2", "i_2", after(time.Second))
	c := binding("u_ana", "c_2", "i_3", after(time.Minute))
	log := []roamline.BindingRecord{
		{Seq: 1, At: a.Since, Open: &a},
		{Seq: 2, At: b.Since, Open: &b},
		{Seq: 3, At: c.Since, Open: &c, Ended: []roamline.Departure{{Binding: a, Reason: roamline.MovedOn}, {Binding: b, Reason: roamline.TakenOver}}},
	}
	want := []roamline.Stay{{Binding: c}, {Binding: b, Until: c.Since, Reason: roamline.TakenOver}, {Binding: a, Until: c.Since, Reason: roamline.MovedOn}}
	project := func(t *testing.T, ctx context.Context, s roamline.Store, records []roamline.BindingRecord) {
		t.Helper()
		for _, r := range records {
			ok(t, s.Project(ctx, r))
		}
	}
	check(t, open, []rule{
		{"a take-over ends two stays and begins one", func(t *testing.T, ctx context.Context, s roamline.Store) {
			project(t, ctx, s, log)
			equal(t, must[[]roamline.Stay](t)(s.Stays(ctx, roamline.StayQuery{})), want)
		}},
		{"projecting again changes nothing", func(t *testing.T, ctx context.Context, s roamline.Store) {
			project(t, ctx, s, log)
			project(t, ctx, s, log)
			equal(t, must[[]roamline.Stay](t)(s.Stays(ctx, roamline.StayQuery{})), want)
		}},
		{"nodes that project the same log at once make one history", func(t *testing.T, ctx context.Context, s roamline.Store) {
			for _, err := range atOnce(4, func(int) error {
				for _, r := range log {
					if err := s.Project(ctx, r); err != nil {
						return err
					}
				}
				return nil
			}) {
				ok(t, err)
			}
			equal(t, must[[]roamline.Stay](t)(s.Stays(ctx, roamline.StayQuery{})), want)
		}},
		{"the last projected sequence is remembered", func(t *testing.T, ctx context.Context, s roamline.Store) {
			equal(t, must[uint64](t)(s.Projected(ctx)), 0)
			project(t, ctx, s, log)
			equal(t, must[uint64](t)(s.Projected(ctx)), 3)
		}},
		{"stays are chosen by user, by client and before a time", func(t *testing.T, ctx context.Context, s roamline.Store) {
			project(t, ctx, s, log)
			for _, row := range []struct {
				q    roamline.StayQuery
				want []roamline.Stay
			}{
				{roamline.StayQuery{User: "u_ana"}, []roamline.Stay{want[0], want[2]}},
				{roamline.StayQuery{Client: "c_2"}, want[:2]},
				{roamline.StayQuery{Before: c.Since}, want[1:]},
				{roamline.StayQuery{Limit: 1}, want[:1]},
				{roamline.StayQuery{User: "u_no"}, nil},
			} {
				equal(t, must[[]roamline.Stay](t)(s.Stays(ctx, row.q)), row.want)
			}
		}},
		{"an ending whose opening is not known is written whole", func(t *testing.T, ctx context.Context, s roamline.Store) {
			ok(t, s.Project(ctx, log[2]))
			equal(t, must[[]roamline.Stay](t)(s.Stays(ctx, roamline.StayQuery{})), want)
		}},
		{"a user who comes back to the same client has two stays", func(t *testing.T, ctx context.Context, s roamline.Store) {
			again := binding("u_ana", "c_1", "i_9", noon)
			project(t, ctx, s, []roamline.BindingRecord{log[0],
				{Seq: 2, At: noon, Ended: []roamline.Departure{{Binding: a, Reason: roamline.SignedOut}}},
				{Seq: 3, At: noon, Open: &again}})
			equal(t, must[[]roamline.Stay](t)(s.Stays(ctx, roamline.StayQuery{})),
				[]roamline.Stay{{Binding: again}, {Binding: a, Until: noon, Reason: roamline.SignedOut}})
		}},
		{"a record that is not of the log is invalid", func(t *testing.T, ctx context.Context, s roamline.Store) {
			is(t, s.Project(ctx, roamline.BindingRecord{At: noon}), roamline.Invalid)
		}},
	})
}
