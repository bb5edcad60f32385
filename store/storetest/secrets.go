package storetest

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/roamline/roamline"
)

func secrets(t *testing.T, open func(*testing.T) roamline.Store) {
	check(t, open, []rule{
		{"a secret comes back, is replaced, and an empty one removes it", func(t *testing.T, ctx context.Context, s roamline.Store) {
			_, err := s.Secret(ctx, roamline.PINHash, "u_ana")
			is(t, err, roamline.NotFound)
			for _, text := range []string{"one", "two"} {
				ok(t, s.SetSecret(ctx, roamline.PINHash, "u_ana", roamline.NewSecret(text)))
				equal(t, must[roamline.Secret](t)(s.Secret(ctx, roamline.PINHash, "u_ana")).Reveal(), text)
			}
			ok(t, s.SetSecret(ctx, roamline.PINHash, "u_ana", roamline.Secret{}))
			ok(t, s.SetSecret(ctx, roamline.PINHash, "u_ana", roamline.Secret{}))
			_, err = s.Secret(ctx, roamline.PINHash, "u_ana")
			is(t, err, roamline.NotFound)
		}},
		{"secrets of one owner and different kinds are apart", func(t *testing.T, ctx context.Context, s roamline.Store) {
			ok(t, s.SetSecret(ctx, roamline.PINHash, "u_ana", roamline.NewSecret("pin")))
			ok(t, s.SetSecret(ctx, roamline.PasswordHash, "u_ana", roamline.NewSecret("password")))
			equal(t, must[roamline.Secret](t)(s.Secret(ctx, roamline.PINHash, "u_ana")).Reveal(), "pin")
		}},
		{"a secret never stands in an error", func(t *testing.T, ctx context.Context, s roamline.Store) {
			err := s.SetSecret(ctx, roamline.TrunkSecret, "t_1", roamline.NewSecret("hunter2\x00"))
			is(t, err, roamline.Invalid)
			if strings.Contains(fmt.Sprintf("%v %+v", err, err), "hunter2") {
				t.Error(err)
			}
		}},
		{"a code is good once", func(t *testing.T, ctx context.Context, s roamline.Store) {
			ok(t, s.AddCode(ctx, "hash", "admit c_1", after(time.Minute)))
			equal(t, must[string](t)(s.UseCode(ctx, "hash", noon)), "admit c_1")
			_, err := s.UseCode(ctx, "hash", noon)
			is(t, err, roamline.NotFound)
		}},
		{"a code that many use at once is good for one of them", func(t *testing.T, ctx context.Context, s roamline.Store) {
			ok(t, s.AddCode(ctx, "hash", "x", after(time.Minute)))
			oneWins(t, atOnce(8, func(int) error {
				_, err := s.UseCode(ctx, "hash", noon)
				return err
			}), roamline.NotFound)
		}},
		{"a code is good before its time and not at it", func(t *testing.T, ctx context.Context, s roamline.Store) {
			ok(t, s.AddCode(ctx, "late", "x", noon))
			_, err := s.UseCode(ctx, "late", noon)
			is(t, err, roamline.NotFound)
			ok(t, s.AddCode(ctx, "early", "x", noon))
			must[string](t)(s.UseCode(ctx, "early", after(-time.Microsecond)))
		}},
		{"a code can't be added twice", func(t *testing.T, ctx context.Context, s roamline.Store) {
			ok(t, s.AddCode(ctx, "hash", "x", noon))
			is(t, s.AddCode(ctx, "hash", "y", noon), roamline.Conflict)
		}},
	})
}
