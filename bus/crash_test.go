package bus_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/roamline/roamline"
	"github.com/roamline/roamline/bus"
	"github.com/roamline/roamline/bus/bustest"
)

// childDir, in the environment, makes this test binary write to the bus in that
// folder until it is killed.
const childDir = "ROAMLINE_TEST_BUS"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		fmt.Println("failed", writeForEver(dir))
		os.Exit(1)
	}
	goleak.VerifyTestMain(m)
}

// writeForEver appends records, keeps a snapshot and contacts for each, and
// drops the snapshot before; it prints what was acknowledged.
func writeForEver(dir string) error {
	ctx := context.Background()
	b, err := bus.Embedded(ctx, dir)
	if err != nil {
		return err
	}
	last, err := count(ctx, b)
	if err != nil {
		return err
	}
	for n := int(last); ; n++ {
		if _, err := b.Append(ctx, bustest.Record(n), uint64(n)); err != nil {
			return err
		}
		if err := b.PutSnapshot(ctx, roamline.CallID(fmt.Sprintf("k_%d", n)), []byte("x")); err != nil {
			return err
		}
		contact := roamline.Contact{URI: "sip:x", CSeq: uint32(n)}
		if err := b.PutContacts(ctx, "c_1", []roamline.Contact{contact}); err != nil {
			return err
		}
		if err := b.DropSnapshot(ctx, roamline.CallID(fmt.Sprintf("k_%d", n-1))); err != nil {
			return err
		}
		fmt.Println(n)
	}
}

var errEnough = errors.New("enough")

// count returns how many records the log has, and fails if one is not as it was
// written.
func count(ctx context.Context, b *bus.Bus) (last uint64, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	err = b.Follow(ctx, 0, func(r roamline.BindingRecord) error {
		if want := bustest.Record(int(last)); r.Seq != last+1 || !r.At.Equal(want.At) || r.Open.User != want.Open.User {
			return fmt.Errorf("record %d is not as it was written: %v", last+1, r)
		}
		last = r.Seq
		return nil
	}, func() { cancel(errEnough) })
	if context.Cause(ctx) == errEnough {
		err = nil
	}
	return last, err
}

func TestKilledProcessLosesNothingAcknowledged(t *testing.T) {
	dir := t.TempDir()
	for round := range 3 {
		acknowledged := killAfter(t, dir, 200)
		b := embedded(t, dir)
		last, err := count(t.Context(), b)
		if err != nil {
			t.Fatal(err)
		}
		// One record more may have been added whose acknowledgement nobody saw.
		if int(last) < acknowledged+1 || int(last) > acknowledged+3 {
			t.Errorf("round %d: %d records acknowledged, %d there", round, acknowledged+1, last)
		}
		kept, err := b.Snapshots(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for id := range kept {
			n, err := strconv.Atoi(strings.TrimPrefix(string(id), "k_"))
			if err != nil || n < acknowledged {
				t.Errorf("round %d: snapshot %s was dropped and is there", round, id)
			}
			if err := b.DropSnapshot(t.Context(), id); err != nil { // the next child does not know it
				t.Error(err)
			}
		}
		if len(kept) == 0 {
			t.Errorf("round %d: snapshot k_%d is lost", round, acknowledged)
		}
		contacts, err := b.Contacts(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if got := contacts["c_1"]; len(got) != 1 || int(got[0].CSeq) < acknowledged {
			t.Errorf("round %d: contacts are %v, want those of %d", round, got, acknowledged)
		}
		b.Close()
	}
}

// killAfter runs a child until it has written n times, kills it as kill -9 does
// and returns the last number that it printed.
func killAfter(t *testing.T, dir string, n int) (last int) {
	t.Helper()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), childDir+"="+dir)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for i := 0; lines.Scan(); i++ {
		if last, err = strconv.Atoi(lines.Text()); err != nil {
			t.Error(lines.Text())
		}
		if i == n {
			if err := child.Process.Signal(syscall.SIGKILL); err != nil {
				t.Error(err)
			}
		}
	}
	if err := child.Wait(); err == nil {
		t.Error("the child ended by itself")
	}
	return last
}

func TestFollowGoesOnAfterTheServerWasKilled(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	server := bustest.Start(t, t.TempDir(), "")
	follower, writer := connected(t, server.URL), connected(t, server.URL)

	const rounds, each = 3, 20
	got, done := make(chan uint64, rounds*each), make(chan error, 1)
	go func() {
		want := uint64(0)
		done <- follower.Follow(ctx, 0, func(r roamline.BindingRecord) error {
			if want++; r.Seq != want {
				return fmt.Errorf("record %d came, want %d", r.Seq, want)
			}
			got <- r.Seq
			if want == rounds*each {
				return errEnough
			}
			return nil
		}, func() {})
	}()
	last := uint64(0)
	for round := range rounds {
		if round > 0 {
			server.Kill()
			if _, err := writer.Append(ctx, bustest.Record(int(last)), last); roamline.KindOf(err) != roamline.Unavailable {
				t.Errorf("appending without a server: %v, want it unavailable", err)
			}
			server = server.Again(t)
		}
		for range each {
			last = appendUntilTaken(t, ctx, writer, last)
		}
		for seq := uint64(0); seq < last; { // all are there before the next kill
			select {
			case seq = <-got:
			case <-ctx.Done():
				t.Fatalf("record %d came, %d did not", seq, last)
			}
		}
	}
	if err := <-done; err != errEnough {
		t.Fatal(err)
	}
}

// appendUntilTaken appends after last, again and again while the server is
// away, as its callers do.
func appendUntilTaken(t *testing.T, ctx context.Context, b *bus.Bus, last uint64) uint64 {
	t.Helper()
	for {
		seq, err := b.Append(ctx, bustest.Record(int(last)), last)
		if err == nil {
			return seq
		}
		if roamline.KindOf(err) != roamline.Unavailable || ctx.Err() != nil {
			t.Fatal(err)
		}
	}
}

func TestNothingRunsAfterClose(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	b, err := bus.Embedded(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Append(t.Context(), bustest.Record(0), 0); err != nil {
		t.Fatal(err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
}
