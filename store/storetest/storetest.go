// Package storetest is the contract that every roamline.Store fulfils, as
// tests, and a real PostgreSQL server for those that need one.
package storetest

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/roamline/roamline"
)

// Run tests the contract. open returns an empty store and closes it at the end
// of t.
func Run(t *testing.T, open func(t *testing.T) roamline.Store) {
	t.Run("users", func(t *testing.T) { users(t, open) })
	t.Run("numbers, clients, places and trunks", func(t *testing.T) { others(t, open) })
	t.Run("lists", func(t *testing.T) { lists(t, open) })
	t.Run("references", func(t *testing.T) { references(t, open) })
	t.Run("secrets and codes", func(t *testing.T) { secrets(t, open) })
	t.Run("call records", func(t *testing.T) { records(t, open) })
	t.Run("binding history", func(t *testing.T) { history(t, open) })
	t.Run("transactions", func(t *testing.T) { transactions(t, open) })
	t.Run("the store itself", func(t *testing.T) { itself(t, open) })
}

// A rule is one sentence of the contract and how it is seen.
type rule struct {
	says string
	see  func(t *testing.T, ctx context.Context, s roamline.Store)
}

func check(t *testing.T, open func(*testing.T) roamline.Store, rules []rule) {
	for _, r := range rules {
		t.Run(r.says, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			r.see(t, ctx, open(t))
		})
	}
}

// noon is a time that a store keeps as it is: UTC, whole microseconds.
var noon = time.Date(2026, 11, 24, 12, 0, 0, 123456000, time.UTC)

func after(d time.Duration) time.Time { return noon.Add(d) }

func ana() roamline.User {
	return roamline.User{ID: "u_ana", Login: "ana", Name: "Ana Íñiguez", Language: "es-ES", CallerID: "+34910000001",
		Roles: []roamline.Role{roamline.RoleAdministrator}, Created: noon}
}

func desk() roamline.Client {
	return roamline.Client{ID: "c_desk", Name: "Ward 3, desk 2", Kind: roamline.Browser, State: roamline.Admitted,
		Thumbprint: "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs", Created: noon}
}

func must[T any](t *testing.T) func(T, error) T {
	t.Helper()
	return func(got T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func equal[T any](t *testing.T, got, want T) {
	t.Helper()
	if diff := cmp.Diff(want, got, comparer); diff != "" {
		t.Fatalf("-want +got:\n%s", diff)
	}
}

// comparer lets cmp see what has no exported fields.
var comparer = cmp.Options{
	cmp.Comparer(func(a, b roamline.Secret) bool { return a.Reveal() == b.Reveal() }),
	cmp.Comparer(func(a, b roamline.Source) bool { return a == b }),
}

func is(t *testing.T, err error, kind roamline.Kind) {
	t.Helper()
	if err == nil || roamline.KindOf(err) != kind {
		t.Fatalf("got %v (%v), want an error of the kind %v", err, roamline.KindOf(err), kind)
	}
}

// refuses is is, and the error says why.
func refuses(t *testing.T, err error, kind roamline.Kind, says string) {
	t.Helper()
	is(t, err, kind)
	if !strings.Contains(err.Error(), says) {
		t.Errorf("it says %q, want %q in it", err, says)
	}
}

// keys names the records of a page in order.
func keys[T any](page []T, key func(T) string) []string {
	names := make([]string, len(page))
	for i, record := range page {
		names[i] = key(record)
	}
	return names
}
