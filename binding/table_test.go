package binding

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/roamline/roamline"
	"pgregory.net/rapid"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

func proof(u, c string) roamline.Identification {
	return roamline.Identification{User: roamline.UserID(u), Client: roamline.ClientID(c), Method: roamline.ByPassword, At: noon}
}

// table folds identifications, written "user client", in order.
func table(t *testing.T, events ...string) *Table {
	t.Helper()
	tab := &Table{}
	for _, e := range events {
		var u, c string
		fmt.Sscan(e, &u, &c)
		if r, ok := tab.Open(proof(u, c)); ok {
			r.Seq = tab.Last() + 1
			tab.Apply(r)
		}
	}
	return tab
}

func TestOpen(t *testing.T) {
	type ends map[string]roamline.ReleaseReason
	for _, row := range []struct {
		rule    string
		before  []string
		user    string
		client  string
		ended   ends
		changed bool
	}{
		{"the first identification ends nothing", nil, "ana", "desk1", ends{}, true},
		{"she moves: her old binding ends", []string{"ana desk1"}, "ana", "desk2", ends{"ana@desk1": roamline.MovedOn}, true},
		{"another user at the client: the earlier one is taken over", []string{"ana desk1"}, "bo", "desk1", ends{"ana@desk1": roamline.TakenOver}, true},
		{"a move onto somebody's client ends both", []string{"ana desk1", "bo desk2"}, "ana", "desk2",
			ends{"ana@desk1": roamline.MovedOn, "bo@desk2": roamline.TakenOver}, true},
		{"the same user at the same client changes nothing", []string{"ana desk1"}, "ana", "desk1", ends{}, false},
	} {
		t.Run(row.rule, func(t *testing.T) {
			r, changed := table(t, row.before...).Open(proof(row.user, row.client))
			got := ends{}
			for _, d := range r.Ended {
				got[string(d.Binding.User)+"@"+string(d.Binding.Client)] = d.Reason
			}
			if changed != row.changed {
				t.Errorf("changed = %v, want %v", changed, row.changed)
			}
			if diff := cmp.Diff(row.ended, got); diff != "" {
				t.Errorf("ended (-want +got):\n%s", diff)
			}
		})
	}
}

func TestReleaseOfAnEmptyClientIsNothing(t *testing.T) {
	if _, ok := table(t).Release("desk1", roamline.SignedOut, noon); ok {
		t.Error("a binding ended that never was")
	}
}

// Whatever happens in whatever order, nobody is at two clients and no client
// has two users, and applying a log twice changes nothing.
func TestOneUserOneClient(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tab := &Table{}
		var log []roamline.BindingRecord
		for range rapid.IntRange(0, 40).Draw(t, "steps") {
			u := rapid.SampledFrom([]string{"ana", "bo", "cy"}).Draw(t, "user")
			c := rapid.SampledFrom([]string{"desk1", "desk2", "desk3"}).Draw(t, "client")
			r, ok := tab.Open(proof(u, c))
			if rapid.Bool().Draw(t, "release") {
				r, ok = tab.Release(roamline.ClientID(c), roamline.SignedOut, noon)
			}
			if !ok {
				continue
			}
			r.Seq = tab.Last() + 1
			tab.Apply(r)
			log = append(log, r)
		}
		seen := map[roamline.UserID]bool{}
		for _, b := range tab.All() {
			if seen[b.User] {
				t.Fatalf("%s is at two clients", b.User)
			}
			seen[b.User] = true
			if at, _ := tab.Of(b.User); at != b {
				t.Fatalf("Of(%s) = %v, At says %v", b.User, at, b)
			}
		}
		before := tab.All()
		for _, r := range log {
			tab.Apply(r)
		}
		if diff := cmp.Diff(before, tab.All()); diff != "" {
			t.Fatalf("a second fold changed the table:\n%s", diff)
		}
	})
}
