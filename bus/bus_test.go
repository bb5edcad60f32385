package bus_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/roamline/roamline"
	"github.com/roamline/roamline/bus"
	"github.com/roamline/roamline/bus/bustest"
)

func embedded(t testing.TB, dir string) *bus.Bus {
	t.Helper()
	b, err := bus.Embedded(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

func connected(t testing.TB, url string) *bus.Bus {
	t.Helper()
	b, err := bus.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

func TestContractEmbedded(t *testing.T) {
	bustest.Run(t, func(t *testing.T) roamline.Bus { return embedded(t, t.TempDir()) })
}

func TestContractOutside(t *testing.T) {
	bustest.Run(t, func(t *testing.T) roamline.Bus { return connected(t, bustest.Server(t)) })
}

func TestLogContinuesAfterTheHistory(t *testing.T) {
	ctx, b := t.Context(), embedded(t, t.TempDir())
	appendTo(t, b, 0, 1)
	for _, step := range []struct {
		says  string
		seq   uint64
		moved bool
		next  uint64 // sequence of the record appended then
	}{
		{"a log that is further stays", 0, false, 2},
		{"a log that is as far stays", 2, false, 3},
		{"a log that is behind moves", 100, true, 101},
		{"again it stays", 100, false, 102},
	} {
		moved, err := b.ContinueAfter(ctx, step.seq)
		if err != nil || moved != step.moved {
			t.Fatalf("%s: moved %v, error %v", step.says, moved, err)
		}
		appendTo(t, b, step.next-1, step.next)
	}
	first := uint64(0)
	err := b.Follow(ctx, 0, func(r roamline.BindingRecord) error {
		first = r.Seq
		return errEnough
	}, func() {})
	if err != errEnough || first != 101 {
		t.Errorf("following from 0 began at %d (%v), want 101", first, err)
	}
	err = b.Follow(ctx, 50, func(roamline.BindingRecord) error { return nil }, func() {})
	if roamline.KindOf(err) != roamline.Conflict {
		t.Errorf("following from the middle of what was removed: %v, want a conflict", err)
	}
}

func TestEmptyLogContinuesAfterTheHistory(t *testing.T) {
	dir := t.TempDir()
	b := embedded(t, dir)
	if moved, err := b.ContinueAfter(t.Context(), 7); err != nil || !moved {
		t.Fatal(moved, err)
	}
	b.Close()
	appendTo(t, embedded(t, dir), 7, 8)
}

func appendTo(t *testing.T, b *bus.Bus, last, want uint64) {
	t.Helper()
	if got, err := b.Append(t.Context(), bustest.Record(0), last); err != nil || got != want {
		t.Fatalf("appended as %d (%v), want %d", got, err, want)
	}
}

func TestAddressesThatCannotBeUsed(t *testing.T) {
	for _, row := range []struct {
		says, url string
		kind      roamline.Kind
	}{
		{"none", "", roamline.Invalid},
		{"not an address", "nats://user:hunter2@host:99999x", roamline.Invalid},
		{"no host", "hunter2", roamline.Invalid},
		{"nobody listens there", "nats://user:hunter2@127.0.0.1:1", roamline.Unavailable},
	} {
		t.Run(row.says, func(t *testing.T) {
			b, err := bus.Connect(t.Context(), row.url)
			if b != nil || roamline.KindOf(err) != row.kind {
				t.Errorf("got %v, %v", b, err)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the password stands in %q", err)
			}
		})
	}
}

func TestFolderThatCannotBeMade(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := bus.Embedded(t.Context(), filepath.Join(file, "bus")); roamline.KindOf(err) != roamline.Unavailable {
		t.Error(err)
	}
}

func BenchmarkAppend(b *testing.B) {
	each := func(b *testing.B, to *bus.Bus) {
		for n := 0; b.Loop(); n++ {
			if _, err := to.Append(b.Context(), bustest.Record(n), uint64(n)); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.Run("embedded", func(b *testing.B) { each(b, embedded(b, b.TempDir())) })
	b.Run("outside", func(b *testing.B) { each(b, connected(b, bustest.Server(b))) })
}

func BenchmarkPutSnapshot(b *testing.B) {
	each := func(b *testing.B, to *bus.Bus) {
		data := make([]byte, 4096) // about two dialogs
		for n := 0; b.Loop(); n++ {
			if err := to.PutSnapshot(b.Context(), roamline.CallID(fmt.Sprintf("k_%d", n%500)), data); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.Run("embedded", func(b *testing.B) { each(b, embedded(b, b.TempDir())) })
	b.Run("outside", func(b *testing.B) { each(b, connected(b, bustest.Server(b))) })
}

// BenchmarkDropSnapshot makes and drops a call's snapshot, as each call does.
func BenchmarkDropSnapshot(b *testing.B) {
	to := embedded(b, b.TempDir())
	for n := 0; b.Loop(); n++ {
		id := roamline.CallID(fmt.Sprintf("k_%d", n))
		if err := errors.Join(to.PutSnapshot(b.Context(), id, make([]byte, 4096)), to.DropSnapshot(b.Context(), id)); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkAppendToFollow is from the call of Append until the record is given
// by Follow: what an identification waits for before it can be routed to.
func BenchmarkAppendToFollow(b *testing.B) {
	to := embedded(b, b.TempDir())
	ctx, cancel := context.WithCancel(b.Context())
	given, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		_ = to.Follow(ctx, 0, func(roamline.BindingRecord) error { given <- struct{}{}; return nil }, func() {})
	}()
	var took []time.Duration
	for n := 0; b.Loop(); n++ {
		begin := time.Now()
		if _, err := to.Append(ctx, bustest.Record(n), uint64(n)); err != nil {
			b.Fatal(err)
		}
		<-given
		took = append(took, time.Since(begin))
	}
	cancel()
	<-done
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-us")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-us")
}

// A key that is removed while a listing is on its way does not hold it up.
func TestAListingEndsWhileKeysAreRemoved(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	b := embedded(t, t.TempDir())
	for round := range 50 {
		var ids []roamline.CallID
		for i := range 3 {
			id := roamline.CallID(fmt.Sprintf("k_%d_%d", round, i))
			if err := b.PutSnapshot(ctx, id, []byte("x")); err != nil {
				t.Fatal(err)
			}
			ids = append(ids, id)
		}
		dropped := make(chan error)
		go func() {
			var errs []error
			for _, id := range ids {
				errs = append(errs, b.DropSnapshot(ctx, id))
			}
			dropped <- errors.Join(errs...)
		}()
		if _, err := b.Snapshots(ctx); err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		if err := <-dropped; err != nil {
			t.Fatal(err)
		}
	}
}
