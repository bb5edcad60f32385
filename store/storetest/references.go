package storetest

import (
	"context"
	"testing"

	"github.com/roamline/roamline"
)

func references(t *testing.T, open func(*testing.T) roamline.Store) {
	check(t, open, []rule{
		{"a user with numbers is not deleted, and the error says why", func(t *testing.T, ctx context.Context, s roamline.Store) {
			must[roamline.User](t)(s.Users().Create(ctx, ana()))
			must[roamline.Listing](t)(s.Listings().Create(ctx, roamline.Listing{Number: "1001", To: roamline.Destination{Kind: roamline.ToUser, ID: "u_ana"}}))
			refuses(t, s.Users().Delete(ctx, "u_ana", 0), roamline.Conflict, "numbers lead to this user")
			ok(t, s.Listings().Delete(ctx, "1001", 0))
			ok(t, s.Users().Delete(ctx, "u_ana", 0))
		}},
		{"a place with clients, or with places within, is not deleted, and the error says why", func(t *testing.T, ctx context.Context, s roamline.Store) {
			must[roamline.Place](t)(s.Places().Create(ctx, roamline.Place{ID: "p_1", Name: "House"}))
			must[roamline.Place](t)(s.Places().Create(ctx, roamline.Place{ID: "p_2", Name: "Ward", Within: "p_1"}))
			c := desk()
			c.Place = "p_2"
			c = must[roamline.Client](t)(s.Clients().Create(ctx, c))
			for _, id := range []string{"p_1", "p_2"} {
				refuses(t, s.Places().Delete(ctx, id, 0), roamline.Conflict, "clients stand here, or places are within it")
			}
			c.Place = ""
			must[roamline.Client](t)(s.Clients().Update(ctx, c))
			ok(t, s.Places().Delete(ctx, "p_2", 0))
			ok(t, s.Places().Delete(ctx, "p_1", 0))
		}},
		{"a number for a user who is not there is invalid", func(t *testing.T, ctx context.Context, s roamline.Store) {
			_, err := s.Listings().Create(ctx, roamline.Listing{Number: "1", To: roamline.Destination{Kind: roamline.ToUser, ID: "u_no"}})
			is(t, err, roamline.Invalid)
		}},
		{"a client at a place that is not there is invalid", func(t *testing.T, ctx context.Context, s roamline.Store) {
			c := desk()
			c.Place = "p_no"
			_, err := s.Clients().Create(ctx, c)
			is(t, err, roamline.Invalid)
		}},
		{"a place is never within itself, however far up", func(t *testing.T, ctx context.Context, s roamline.Store) {
			house := must[roamline.Place](t)(s.Places().Create(ctx, roamline.Place{ID: "p_1", Name: "House"}))
			must[roamline.Place](t)(s.Places().Create(ctx, roamline.Place{ID: "p_2", Name: "Floor", Within: "p_1"}))
			must[roamline.Place](t)(s.Places().Create(ctx, roamline.Place{ID: "p_3", Name: "Ward", Within: "p_2"}))
			for _, within := range []roamline.PlaceID{"p_1", "p_2", "p_3", "p_no"} {
				house.Within = within
				_, err := s.Places().Update(ctx, house)
				is(t, err, roamline.Invalid)
			}
			_, err := s.Places().Create(ctx, roamline.Place{ID: "p_9", Name: "Self", Within: "p_9"})
			is(t, err, roamline.Invalid)
		}},
		{"two places moved into each other at once do not make a circle", func(t *testing.T, ctx context.Context, s roamline.Store) {
			a := must[roamline.Place](t)(s.Places().Create(ctx, roamline.Place{ID: "p_a", Name: "A"}))
			b := must[roamline.Place](t)(s.Places().Create(ctx, roamline.Place{ID: "p_b", Name: "B"}))
			a.Within, b.Within = "p_b", "p_a"
			errs := atOnce(2, func(i int) error {
				_, err := s.Places().Update(ctx, []roamline.Place{a, b}[i])
				return err
			})
			oneWins(t, errs, roamline.Invalid)
		}},
		{"what is deleted takes its credentials along", func(t *testing.T, ctx context.Context, s roamline.Store) {
			must[roamline.User](t)(s.Users().Create(ctx, ana()))
			must[roamline.Client](t)(s.Clients().Create(ctx, desk()))
			must[roamline.Trunk](t)(s.Trunks().Create(ctx, trunk()))
			must[roamline.System](t)(s.Systems().Create(ctx, system()))
			owners := map[roamline.SecretKind]string{roamline.PasswordHash: "u_ana", roamline.PINHash: "u_ana", roamline.DigestHash: "c_desk", roamline.TrunkSecret: "t_1", roamline.SystemHash: "s_1"}
			for kind, owner := range owners {
				ok(t, s.SetSecret(ctx, kind, owner, roamline.NewSecret("x")))
			}
			ok(t, s.Users().Delete(ctx, "u_ana", 0))
			ok(t, s.Clients().Delete(ctx, "c_desk", 0))
			ok(t, s.Trunks().Delete(ctx, "t_1", 0))
			ok(t, s.Systems().Delete(ctx, "s_1", 0))
			for kind, owner := range owners {
				_, err := s.Secret(ctx, kind, owner)
				is(t, err, roamline.NotFound)
			}
		}},
	})
}
