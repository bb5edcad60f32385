// Package bustest is the contract that every roamline.Bus fulfils, as tests,
// and a real NATS server for those that need one.
package bustest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/roamline/roamline"
)

// Run tests the contract. open returns an empty bus and closes it at the end of
// t.
func Run(t *testing.T, open func(t *testing.T) roamline.Bus) {
	t.Run("the binding log", func(t *testing.T) { log(t, open) })
	t.Run("following", func(t *testing.T) { following(t, open) })
	t.Run("contacts", func(t *testing.T) { contacts(t, open) })
	t.Run("snapshots", func(t *testing.T) { snapshots(t, open) })
	t.Run("the bus itself", func(t *testing.T) { itself(t, open) })
}

// A rule is one sentence of the contract and how it is seen.
type rule struct {
	says string
	see  func(t *testing.T, ctx context.Context, b roamline.Bus)
}

func check(t *testing.T, open func(*testing.T) roamline.Bus, rules []rule) {
	for _, r := range rules {
		t.Run(r.says, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			r.see(t, ctx, open(t))
		})
	}
}

// Record returns the nth of any number of records that differ.
func Record(n int) roamline.BindingRecord {
	at := time.Date(2026, 11, 24, 12, 0, 0, n, time.UTC)
	user := roamline.UserID(fmt.Sprintf("u_%d", n))
	b := roamline.Binding{User: user, Client: "c_1", Since: at, Proof: roamline.Identification{
		ID: roamline.IdentificationID(fmt.Sprintf("i_%d", n)), User: user, Client: "c_1", Method: roamline.ByPIN,
		By: "u_admin", At: at.Add(-time.Second)}}
	r := roamline.BindingRecord{At: at, Open: &b}
	if n%2 == 1 {
		r.Ended = []roamline.Departure{{Binding: b, Reason: roamline.TakenOver}, {Binding: b, Reason: roamline.MovedOn}}
	}
	return r
}

// Numbered is Record(n) as the log gives it back.
func Numbered(n int, seq uint64) roamline.BindingRecord {
	r := Record(n)
	r.Seq = seq
	return r
}

func log(t *testing.T, open func(*testing.T) roamline.Bus) {
	check(t, open, []rule{
		{"sequences count from 1", func(t *testing.T, ctx context.Context, b roamline.Bus) {
			for i := range 3 {
				equal(t, must[uint64](t)(b.Append(ctx, Record(i), uint64(i))), uint64(i+1))
			}
		}},
		{"a record after anything but the last one is a conflict and is not added", func(t *testing.T, ctx context.Context, b roamline.Bus) {
			add(t, ctx, b, 0, 2)
			for _, last := range []uint64{0, 1, 3, 99} {
				_, err := b.Append(ctx, Record(9), last)
				is(t, err, roamline.Conflict)
			}
			equal(t, read(t, ctx, b, 0), []roamline.BindingRecord{Numbered(0, 1), Numbered(1, 2)})
		}},
		{"of two who append at once exactly one wins, every time", func(t *testing.T, ctx context.Context, b roamline.Bus) {
			for round := range uint64(50) {
				var won []uint64
				for i, err := range atOnce(2, func(i int) error {
					_, err := b.Append(ctx, Record(i), round)
					return err
				}) {
					if err == nil {
						won = append(won, uint64(i))
						continue
					}
					is(t, err, roamline.Conflict)
				}
				equal(t, len(won), 1)
				equal(t, read(t, ctx, b, round), []roamline.BindingRecord{Numbered(int(won[0]), round+1)})
			}
		}},
		{"the sequence in a record that is appended does not matter", func(t *testing.T, ctx context.Context, b roamline.Bus) {
			equal(t, must[uint64](t)(b.Append(ctx, Numbered(0, 77), 0)), 1)
			equal(t, read(t, ctx, b, 0), []roamline.BindingRecord{Numbered(0, 1)})
		}},
		{"a record too large is invalid", func(t *testing.T, ctx context.Context, b roamline.Bus) {
			r := Record(0)
			r.Open.Proof.By = roamline.UserID(strings.Repeat("x", 2<<20))
			_, err := b.Append(ctx, r, 0)
			is(t, err, roamline.Invalid)
		}},
	})
}

func following(t *testing.T, open func(*testing.T) roamline.Bus) {
	stop := errors.New("enough")
	check(t, open, []rule{
		{"a follower gets every record as written, in order, and those that come later", func(t *testing.T, ctx context.Context, b roamline.Bus) {
			add(t, ctx, b, 0, 3)
			caught := make(chan struct{})
			next, ended := follow(ctx, b, 0, func() { close(caught) })
			for i := range 3 {
				equal(t, <-next, Numbered(i, uint64(i+1)))
			}
			<-caught
			add(t, ctx, b, 3, 6)
			for i := 3; i < 6; i++ {
				equal(t, <-next, Numbered(i, uint64(i+1)))
			}
			ended()
		}},
		{"a follower of an empty log has caught up at once", func(t *testing.T, ctx context.Context, b roamline.Bus) {
			caught := make(chan struct{})
			next, ended := follow(ctx, b, 0, func() { close(caught) })
			<-caught
			add(t, ctx, b, 0, 1)
			equal(t, (<-next).Seq, 1)
			ended()
		}},
		{"a follower may begin anywhere, and at the end has caught up at once", func(t *testing.T, ctx context.Context, b roamline.Bus) {
			add(t, ctx, b, 0, 5)
			equal(t, read(t, ctx, b, 3), []roamline.BindingRecord{Numbered(3, 4), Numbered(4, 5)})
			equal(t, read(t, ctx, b, 5), nil)
		}},
		{"it has caught up when the last record has been given, not before, and once", func(t *testing.T, ctx context.Context, b roamline.Bus) {
			add(t, ctx, b, 0, 4)
			given, caught := 0, []int{}
			err := b.Follow(ctx, 0, func(r roamline.BindingRecord) error {
				given++
				if r.Seq == 4 { // one more, so that the news of catching up comes before the end
					_, err := b.Append(ctx, Record(4), 4)
					return err
				}
				if r.Seq == 5 {
					return stop
				}
				return nil
			}, func() { caught = append(caught, given) })
			equal(t, err == stop, true)
			equal(t, caught, []int{4})
		}},
		{"thousands of records come without gap or repetition", func(t *testing.T, ctx context.Context, b roamline.Bus) {
			const many = 3000
			add(t, ctx, b, 0, many)
			want := uint64(1)
			err := b.Follow(ctx, 0, func(r roamline.BindingRecord) error {
				equal(t, r.Seq, want)
				if want++; want > many {
					return stop
				}
				return nil
			}, func() {})
			equal(t, err == stop, true)
		}},
		{"several followers each get everything", func(t *testing.T, ctx context.Context, b roamline.Bus) {
			add(t, ctx, b, 0, 20)
			for _, err := range atOnce(5, func(int) error {
				if got := read(t, ctx, b, 0); len(got) != 20 {
					return fmt.Errorf("%d records", len(got))
				}
				return nil
			}) {
				ok(t, err)
			}
		}},
		{"the error of each ends it and comes back as it was", func(t *testing.T, ctx context.Context, b roamline.Bus) {
			add(t, ctx, b, 0, 2)
			given := 0
			err := b.Follow(ctx, 0, func(roamline.BindingRecord) error { given++; return stop }, func() {})
			equal(t, err == stop, true)
			equal(t, given, 1)
		}},
		{"the end of its context ends it", func(t *testing.T, ctx context.Context, b roamline.Bus) {
			ctx, cancel := context.WithCancel(ctx)
			err := b.Follow(ctx, 0, func(roamline.BindingRecord) error { return nil }, cancel)
			equal(t, errors.Is(err, context.Canceled), true)
		}},
		{"closing the bus ends it", func(t *testing.T, ctx context.Context, b roamline.Bus) {
			err := b.Follow(ctx, 0, func(roamline.BindingRecord) error { return nil }, func() { b.Close() })
			is(t, err, roamline.Unavailable)
		}},
		{"a log that ends before the place to begin is a conflict, for records would be missed", func(t *testing.T, ctx context.Context, b roamline.Bus) {
			add(t, ctx, b, 0, 2)
			is(t, b.Follow(ctx, 3, func(roamline.BindingRecord) error { return nil }, func() {}), roamline.Conflict)
		}},
	})
}

func contacts(t *testing.T, open func(*testing.T) roamline.Bus) {
	one := roamline.Contact{URI: "sip:a@192.0.2.1:5060;ob", Instance: "<urn:uuid:1>", RegID: 1, Transport: "wss", Source: "192.0.2.1:40000",
		Agent: "JsSIP", CallID: "x@y", CSeq: 7, Expires: time.Date(2026, 11, 24, 13, 0, 0, 5, time.UTC)}
	two := roamline.Contact{URI: "sip:b@invalid", Transport: "udp", Source: "[2001:db8::1]:5060", CallID: "z", CSeq: 1, Expires: one.Expires}
	type all = map[roamline.ClientID][]roamline.Contact
	check(t, open, []rule{
		{"at first there are none", func(t *testing.T, ctx context.Context, b roamline.Bus) {
			equal(t, must[all](t)(b.Contacts(ctx)), all{})
		}},
		{"contacts come back as written, and the last ones count", func(t *testing.T, ctx context.Context, b roamline.Bus) {
			ok(t, b.PutContacts(ctx, "c_1", []roamline.Contact{two}))
			ok(t, b.PutContacts(ctx, "c_1", []roamline.Contact{one, two}))
			ok(t, b.PutContacts(ctx, "c_2", []roamline.Contact{two}))
			equal(t, must[all](t)(b.Contacts(ctx)), all{"c_1": {one, two}, "c_2": {two}})
		}},
		{"no contacts removes the client, known or not", func(t *testing.T, ctx context.Context, b roamline.Bus) {
			ok(t, b.PutContacts(ctx, "c_1", []roamline.Contact{one}))
			ok(t, b.PutContacts(ctx, "c_1", nil))
			ok(t, b.PutContacts(ctx, "c_no", nil))
			equal(t, must[all](t)(b.Contacts(ctx)), all{})
			ok(t, b.PutContacts(ctx, "c_1", []roamline.Contact{two}))
			equal(t, must[all](t)(b.Contacts(ctx)), all{"c_1": {two}})
		}},
		{"any text is a client's identifier, but none and a very long one", func(t *testing.T, ctx context.Context, b roamline.Bus) {
			want := all{}
			for _, id := range []roamline.ClientID{"a.b", ">", "*", "=41", "A", " ", "ä/\x00\xff", ".", "$KV.x"} {
				want[id] = []roamline.Contact{one}
				ok(t, b.PutContacts(ctx, id, want[id]))
			}
			equal(t, must[all](t)(b.Contacts(ctx)), want)
			is(t, b.PutContacts(ctx, "", want["A"]), roamline.Invalid)
			is(t, b.PutContacts(ctx, "", nil), roamline.Invalid)
			is(t, b.PutContacts(ctx, roamline.ClientID(strings.Repeat("x", 300)), want["A"]), roamline.Invalid)
		}},
	})
}

func snapshots(t *testing.T, open func(*testing.T) roamline.Bus) {
	type all = map[roamline.CallID][]byte
	check(t, open, []rule{
		{"a snapshot comes back byte for byte, and the last one counts", func(t *testing.T, ctx context.Context, b roamline.Bus) {
			bytes256 := make([]byte, 256)
			for i := range bytes256 {
				bytes256[i] = byte(i)
			}
			ok(t, b.PutSnapshot(ctx, "k_1", []byte("old")))
			ok(t, b.PutSnapshot(ctx, "k_1", bytes256))
			ok(t, b.PutSnapshot(ctx, "k_2", []byte{}))
			equal(t, must[all](t)(b.Snapshots(ctx)), all{"k_1": bytes256, "k_2": {}})
		}},
		{"a dropped snapshot is gone, and dropping again is no error", func(t *testing.T, ctx context.Context, b roamline.Bus) {
			ok(t, b.PutSnapshot(ctx, "k_1", []byte("x")))
			ok(t, b.DropSnapshot(ctx, "k_1"))
			ok(t, b.DropSnapshot(ctx, "k_1"))
			ok(t, b.DropSnapshot(ctx, "k_never"))
			equal(t, must[all](t)(b.Snapshots(ctx)), all{})
		}},
		{"hundreds of calls are kept apart", func(t *testing.T, ctx context.Context, b roamline.Bus) {
			want := all{}
			for i := range 500 {
				id := roamline.CallID(fmt.Sprintf("k_%d", i))
				ok(t, b.PutSnapshot(ctx, id, bytes.Repeat([]byte{byte(i)}, 2000)))
				if i%2 == 0 {
					want[id] = bytes.Repeat([]byte{byte(i)}, 2000)
					continue
				}
				ok(t, b.DropSnapshot(ctx, id))
			}
			equal(t, must[all](t)(b.Snapshots(ctx)), want)
		}},
		{"a snapshot too large is invalid", func(t *testing.T, ctx context.Context, b roamline.Bus) {
			is(t, b.PutSnapshot(ctx, "k_1", make([]byte, 2<<20)), roamline.Invalid)
		}},
		{"calls and clients of one name are apart", func(t *testing.T, ctx context.Context, b roamline.Bus) {
			ok(t, b.PutSnapshot(ctx, "x", []byte("x")))
			equal(t, len(must[map[roamline.ClientID][]roamline.Contact](t)(b.Contacts(ctx))), 0)
		}},
	})
}

func itself(t *testing.T, open func(*testing.T) roamline.Bus) {
	check(t, open, []rule{
		{"it answers", func(t *testing.T, ctx context.Context, b roamline.Bus) { ok(t, b.Ping(ctx)) }},
		{"once closed it is unavailable, and may be closed again", func(t *testing.T, ctx context.Context, b roamline.Bus) {
			ok(t, b.Close())
			ok(t, b.Close())
			is(t, b.Ping(ctx), roamline.Unavailable)
			_, err := b.Append(ctx, Record(0), 0)
			is(t, err, roamline.Unavailable)
			_, err = b.Snapshots(ctx)
			is(t, err, roamline.Unavailable)
			is(t, b.PutSnapshot(ctx, "k", nil), roamline.Unavailable)
			is(t, b.Follow(ctx, 0, nil, func() {}), roamline.Unavailable)
		}},
		{"an ended context is unavailable", func(t *testing.T, ctx context.Context, b roamline.Bus) {
			ctx, cancel := context.WithCancel(ctx)
			cancel()
			_, err := b.Append(ctx, Record(0), 0)
			is(t, err, roamline.Unavailable)
			is(t, b.PutSnapshot(ctx, "k", nil), roamline.Unavailable)
		}},
	})
}

// add appends the records from first up to but not including end to a log that
// has first records.
func add(t *testing.T, ctx context.Context, b roamline.Bus, first, end int) {
	t.Helper()
	for i := first; i < end; i++ {
		equal(t, must[uint64](t)(b.Append(ctx, Record(i), uint64(i))), uint64(i+1))
	}
}

var errCaughtUp = errors.New("caught up")

// read returns what is in the log after seq.
func read(t *testing.T, ctx context.Context, b roamline.Bus, seq uint64) (got []roamline.BindingRecord) {
	t.Helper()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	err := b.Follow(ctx, seq, func(r roamline.BindingRecord) error {
		got = append(got, r)
		return nil
	}, func() { cancel(errCaughtUp) })
	if context.Cause(ctx) != errCaughtUp {
		t.Fatal(err)
	}
	return got
}

// follow runs Follow and gives what it gives. ended stops it and waits for its
// end.
func follow(ctx context.Context, b roamline.Bus, seq uint64, caughtUp func()) (next <-chan roamline.BindingRecord, ended func()) {
	ctx, cancel := context.WithCancel(ctx)
	records, done := make(chan roamline.BindingRecord), make(chan struct{})
	go func() {
		defer close(done)
		defer close(records)
		_ = b.Follow(ctx, seq, func(r roamline.BindingRecord) error { // a record that is missing shows at next
			select {
			case records <- r:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}, caughtUp)
	}()
	return records, func() { cancel(); <-done }
}

// atOnce runs do n times at the same time and returns what each returned.
func atOnce(n int, do func(int) error) []error {
	errs, start := make([]error, n), make(chan struct{})
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			<-start
			errs[i] = do(i)
		})
	}
	close(start)
	all.Wait()
	return errs
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
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("-want +got:\n%s", diff)
	}
}

func is(t *testing.T, err error, kind roamline.Kind) {
	t.Helper()
	if err == nil || roamline.KindOf(err) != kind {
		t.Fatalf("got %v (%v), want an error of the kind %v", err, roamline.KindOf(err), kind)
	}
}
