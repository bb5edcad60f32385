package storetest

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/roamline/roamline"
)

func transactions(t *testing.T, open func(*testing.T) roamline.Store) {
	refusal := errors.New("no")
	add := func(ctx context.Context, s roamline.Store, id string) error {
		_, err := s.Users().Create(ctx, roamline.User{ID: roamline.UserID(id), Login: id})
		return err
	}
	there := func(t *testing.T, ctx context.Context, s roamline.Store, want ...string) {
		t.Helper()
		page, _, err := s.Users().List(ctx, roamline.Query{})
		ok(t, err)
		equal(t, keys(page, func(u roamline.User) string { return string(u.ID) }), want)
	}
	check(t, open, []rule{
		{"all changes happen", func(t *testing.T, ctx context.Context, s roamline.Store) {
			ok(t, s.Atomic(ctx, func(s roamline.Store) error { return errors.Join(add(ctx, s, "a"), add(ctx, s, "b")) }))
			there(t, ctx, s, "a", "b")
		}},
		{"or none, and the error comes back as it was", func(t *testing.T, ctx context.Context, s roamline.Store) {
			err := s.Atomic(ctx, func(s roamline.Store) error {
				ok(t, add(ctx, s, "a"))
				ok(t, s.AddRecord(ctx, record("k_1", noon)))
				ok(t, s.SetSecret(ctx, roamline.ServerKey, "x", roamline.NewSecret("x")))
				return refusal
			})
			if err != refusal {
				t.Fatal(err)
			}
			there(t, ctx, s, []string{}...)
			_, err = s.Record(ctx, "k_1")
			is(t, err, roamline.NotFound)
			_, err = s.Secret(ctx, roamline.ServerKey, "x")
			is(t, err, roamline.NotFound)
		}},
		{"a transaction sees its own changes and others do not", func(t *testing.T, ctx context.Context, s roamline.Store) {
			ok(t, s.Atomic(ctx, func(inner roamline.Store) error {
				ok(t, add(ctx, inner, "a"))
				there(t, ctx, inner, "a")
				there(t, ctx, s, []string{}...)
				return nil
			}))
		}},
		{"a refused change inside leaves the rest to go on", func(t *testing.T, ctx context.Context, s roamline.Store) {
			ok(t, s.Atomic(ctx, func(s roamline.Store) error {
				ok(t, add(ctx, s, "a"))
				is(t, add(ctx, s, "a"), roamline.Conflict)
				return add(ctx, s, "b")
			}))
			there(t, ctx, s, "a", "b")
		}},
		{"an inner one that fails is undone alone", func(t *testing.T, ctx context.Context, s roamline.Store) {
			ok(t, s.Atomic(ctx, func(s roamline.Store) error {
				ok(t, add(ctx, s, "a"))
				err := s.Atomic(ctx, func(s roamline.Store) error {
					ok(t, add(ctx, s, "b"))
					ok(t, s.Atomic(ctx, func(s roamline.Store) error { return add(ctx, s, "c") }))
					return refusal
				})
				if err != refusal {
					t.Fatal(err)
				}
				return s.Atomic(ctx, func(s roamline.Store) error { return add(ctx, s, "d") })
			}))
			there(t, ctx, s, "a", "d")
		}},
		{"an outer one that fails undoes the inner one", func(t *testing.T, ctx context.Context, s roamline.Store) {
			err := s.Atomic(ctx, func(s roamline.Store) error {
				ok(t, s.Atomic(ctx, func(s roamline.Store) error { return add(ctx, s, "a") }))
				return refusal
			})
			if err != refusal {
				t.Fatal(err)
			}
			there(t, ctx, s, []string{}...)
		}},
		{"a panic undoes everything and goes on", func(t *testing.T, ctx context.Context, s roamline.Store) {
			func() {
				defer func() {
					if recover() == nil {
						t.Error("the panic was swallowed")
					}
				}()
				s.Atomic(ctx, func(s roamline.Store) error {
					ok(t, add(ctx, s, "a"))
					panic("x")
				})
			}()
			there(t, ctx, s, []string{}...)
			ok(t, add(ctx, s, "b"))
		}},
		{"transactions at once all happen", func(t *testing.T, ctx context.Context, s roamline.Store) {
			for _, err := range atOnce(8, func(i int) error {
				return s.Atomic(ctx, func(s roamline.Store) error {
					return errors.Join(add(ctx, s, fmt.Sprintf("a%d", i)), add(ctx, s, fmt.Sprintf("b%d", i)))
				})
			}) {
				ok(t, err)
			}
			page, _, err := s.Users().List(ctx, roamline.Query{})
			ok(t, err)
			equal(t, len(page), 16)
		}},
		{"the store of a transaction is not closed from inside", func(t *testing.T, ctx context.Context, s roamline.Store) {
			ok(t, s.Atomic(ctx, func(inner roamline.Store) error {
				is(t, inner.Close(), roamline.Invalid)
				return nil
			}))
			ok(t, s.Ping(ctx))
		}},
	})
}

func itself(t *testing.T, open func(*testing.T) roamline.Store) {
	check(t, open, []rule{
		{"it answers", func(t *testing.T, ctx context.Context, s roamline.Store) { ok(t, s.Ping(ctx)) }},
		{"once closed it is unavailable", func(t *testing.T, ctx context.Context, s roamline.Store) {
			ok(t, s.Close())
			is(t, s.Ping(ctx), roamline.Unavailable)
			_, err := s.Users().Get(ctx, "u_ana")
			is(t, err, roamline.Unavailable)
			_, err = s.Users().Create(ctx, ana())
			is(t, err, roamline.Unavailable)
		}},
		{"an ended context is unavailable and changes nothing", func(t *testing.T, ctx context.Context, s roamline.Store) {
			ended, cancel := context.WithCancel(ctx)
			cancel()
			_, err := s.Users().Create(ended, ana())
			is(t, err, roamline.Unavailable)
			_, err = s.Users().Get(ctx, "u_ana")
			is(t, err, roamline.NotFound)
		}},
	})
}
