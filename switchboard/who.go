package switchboard

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/roamline/roamline"
	"github.com/roamline/roamline/binding"
)

// who keeps who is where: it writes the binding log, folds it, and ends
// bindings whose client is lost or unused.
type who struct {
	sb *Switchboard

	mu      sync.Mutex
	turned  sync.Cond // on mu: told has changed
	table   *binding.Table
	told    uint64 // the last record that the pages were told of
	reached map[roamline.ClientID]bool
	leaving map[roamline.ClientID]*time.Timer // clients lost, until grace ends
	used    map[roamline.ClientID]time.Time   // bound clients, last use
	started bool
	stopped bool
}

// Identify takes a claim from a client: proves it, binds, and returns the
// binding when calls for the user ring there.
func (sb *Switchboard) Identify(ctx context.Context, c roamline.Claim) (roamline.Binding, error) {
	if err := sb.admitted(ctx, c.Client); err != nil {
		return roamline.Binding{}, err
	}
	id, err := sb.Prove(ctx, c)
	if err != nil {
		return roamline.Binding{}, err
	}
	return sb.who.bind(ctx, id)
}

// Put binds a user to a client on an administrator's word.
func (sb *Switchboard) Put(ctx context.Context, user roamline.UserID, at roamline.ClientID, by roamline.UserID) (roamline.Binding, error) {
	return sb.put(ctx, roamline.Identification{User: user, Client: at, Method: roamline.ByAdministrator, By: by})
}

// Vouch binds a user to a client on the word of an outside system, by its
// name. Whether that system may speak for the client, the caller has checked.
func (sb *Switchboard) Vouch(ctx context.Context, user roamline.UserID, at roamline.ClientID, system string) (roamline.Binding, error) {
	return sb.put(ctx, roamline.Identification{User: user, Client: at, Method: roamline.ByOutside, By: roamline.UserID(system)})
}

// put binds a user who need not prove herself, if she and the client may.
func (sb *Switchboard) put(ctx context.Context, id roamline.Identification) (roamline.Binding, error) {
	if err := sb.admitted(ctx, id.Client); err != nil {
		return roamline.Binding{}, err
	}
	u, err := sb.Store.Users().Get(ctx, string(id.User))
	if err != nil {
		return roamline.Binding{}, err
	}
	if u.Disabled {
		return roamline.Binding{}, &roamline.Error{Op: "switchboard.Put", Kind: roamline.Forbidden, Of: u.Login, Err: fmt.Errorf("the user is disabled")}
	}
	id.ID, id.At = roamline.IdentificationID(roamline.NewID("i_")), time.Now()
	return sb.who.bind(ctx, id)
}

func (sb *Switchboard) admitted(ctx context.Context, c roamline.ClientID) error {
	client, err := sb.Store.Clients().Get(ctx, string(c))
	if err != nil {
		return err
	}
	if client.State != roamline.Admitted {
		return &roamline.Error{Op: "switchboard.Identify", Kind: roamline.Forbidden, Of: client.Name,
			Err: fmt.Errorf("the client is %s: an administrator must admit it first", client.State)}
	}
	return nil
}

// Release ends the binding at a client; NotFound if nobody is there.
func (sb *Switchboard) Release(ctx context.Context, at roamline.ClientID, why roamline.ReleaseReason) error {
	ok, err := sb.who.write(ctx, func(t *binding.Table) (roamline.BindingRecord, bool) {
		return t.Release(at, why, time.Now())
	})
	if err == nil && !ok {
		err = &roamline.Error{Op: "switchboard.Release", Kind: roamline.NotFound, Of: string(at), Err: fmt.Errorf("nobody is signed in there")}
	}
	return err
}

// Withdraw ends the binding of a user at a client on the word of an outside
// system, by its name; an empty user is whoever is there. NotFound if nobody
// is there, Conflict if somebody else is.
func (sb *Switchboard) Withdraw(ctx context.Context, user roamline.UserID, at roamline.ClientID, system string) error {
	kind := roamline.NotFound
	ok, err := sb.who.write(ctx, func(t *binding.Table) (roamline.BindingRecord, bool) {
		if b, there := t.At(at); there && user != "" && b.User != user {
			kind = roamline.Conflict
			return roamline.BindingRecord{}, false
		}
		kind = roamline.NotFound
		return t.Release(at, roamline.ReleasedBy(system), time.Now())
	})
	if err == nil && !ok {
		err = &roamline.Error{Op: "switchboard.Withdraw", Kind: kind, Of: string(at), Err: fmt.Errorf("she is not signed in there")}
	}
	return err
}

// Bindings returns who is where now.
func (sb *Switchboard) Bindings() []roamline.Binding {
	sb.who.mu.Lock()
	defer sb.who.mu.Unlock()
	return sb.who.table.All()
}

// At returns who is at a client.
func (sb *Switchboard) At(c roamline.ClientID) (roamline.Binding, bool) {
	sb.who.mu.Lock()
	defer sb.who.mu.Unlock()
	return sb.who.table.At(c)
}

// bind opens a binding and returns when it is routable.
func (w *who) bind(ctx context.Context, id roamline.Identification) (roamline.Binding, error) {
	begun := time.Now()
	if _, err := w.write(ctx, func(t *binding.Table) (roamline.BindingRecord, bool) { return t.Open(id) }); err != nil {
		return roamline.Binding{}, err
	}
	w.touch(id.Client)
	b, ok := w.sb.At(id.Client)
	if !ok || b.User != id.User { // somebody was quicker, the moment after
		return roamline.Binding{}, &roamline.Error{Op: "switchboard.Identify", Kind: roamline.Conflict, Of: string(id.Client)}
	}
	w.sb.Meter.Bound(time.Since(begun))
	w.sb.Log.Info("bound", "user", id.User, "client", id.Client, "method", id.Method)
	return b, nil
}

// write appends the record that decide makes of the table as it is, again as
// often as somebody else was quicker, and returns when the table holds it. It
// reports false if there was nothing to write.
func (w *who) write(ctx context.Context, decide func(*binding.Table) (roamline.BindingRecord, bool)) (bool, error) {
	for {
		w.mu.Lock()
		r, ok := decide(w.table)
		last := w.table.Last()
		w.mu.Unlock()
		if !ok {
			return false, nil
		}
		seq, err := w.sb.Bus.Append(ctx, r, last)
		switch {
		case err == nil:
			return true, w.until(ctx, seq)
		case roamline.KindOf(err) != roamline.Conflict:
			return false, err
		}
		if err := w.until(ctx, last+1); err != nil {
			return false, err
		}
	}
}

// until waits until the table holds the record seq, and the pages were told.
func (w *who) until(ctx context.Context, seq uint64) error {
	stop := context.AfterFunc(ctx, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.turned.Broadcast()
	})
	defer stop()
	w.mu.Lock()
	defer w.mu.Unlock()
	for w.told < seq {
		if err := ctx.Err(); err != nil {
			return &roamline.Error{Op: "switchboard.bind", Kind: roamline.Unavailable, Err: err}
		}
		w.turned.Wait()
	}
	return nil
}

// start folds the log up to now, and follows it from there: one follower for
// the table, one for the history.
func (w *who) start(ctx, run context.Context) error {
	caught := make(chan struct{})
	w.sb.work.Go(func() {
		w.follow(run, func() uint64 { w.mu.Lock(); defer w.mu.Unlock(); return w.table.Last() }, w.fold, func() { close(caught) })
	})
	select {
	case <-caught:
	case <-ctx.Done():
		return &roamline.Error{Op: "switchboard.Start", Kind: roamline.Unavailable, Err: fmt.Errorf("the binding log can't be read: %w", ctx.Err())}
	}
	w.sb.work.Go(func() { w.project(run) })
	w.mu.Lock()
	defer w.mu.Unlock()
	w.started = true
	for _, b := range w.table.All() {
		w.used[b.Client] = time.Now()
		if !w.reached[b.Client] {
			w.expect(b.Client)
		}
	}
	return nil
}

// follow reads the log for as long as run lasts, whatever happens to the bus.
func (w *who) follow(run context.Context, from func() uint64, each func(roamline.BindingRecord) error, caughtUp func()) {
	var once sync.Once
	for run.Err() == nil {
		err := w.sb.Bus.Follow(run, from(), each, func() { once.Do(caughtUp) })
		if run.Err() != nil {
			return
		}
		w.sb.Log.Warn("the binding log was lost, trying again", "err", err)
		select {
		case <-run.Done():
		case <-time.After(time.Second):
		}
	}
}

// fold applies a record and tells the pages.
func (w *who) fold(r roamline.BindingRecord) error {
	w.mu.Lock()
	w.table.Apply(r)
	for _, d := range r.Ended {
		delete(w.used, d.Binding.Client)
	}
	tell := w.started
	w.mu.Unlock()
	if tell {
		w.lead(r)
		w.tell(r)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.told = r.Seq
	w.turned.Broadcast()
	return nil
}

// lead tells the calls where a record brought their people. Of one who merely
// went on they hear where to, not that she left: a call stays behind until it
// can follow. But it stays nowhere that somebody else has taken.
func (w *who) lead(r roamline.BindingRecord) {
	at := roamline.At{Time: time.Now()}
	for _, d := range r.Ended {
		if d.Reason != roamline.MovedOn {
			w.sb.lead(d.Binding.User, roamline.Gone{At: at, User: d.Binding.User, Client: d.Binding.Client})
		}
	}
	if r.Open == nil {
		return
	}
	w.sb.clear(at, *r.Open)
	if w.canBeCalled(r.Open.Client) {
		w.sb.lead(r.Open.User, roamline.Here{At: at, User: r.Open.User, Client: r.Open.Client})
	}
}

func (w *who) canBeCalled(c roamline.ClientID) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.reached[c]
}

// tell says to the pages what a record changed.
func (w *who) tell(r roamline.BindingRecord) {
	for _, d := range r.Ended {
		w.sb.tell(roamline.News{At: r.At, Kind: roamline.NewsReleased, Client: d.Binding.Client, Binding: ptr(d.Binding), Reason: d.Reason, By: r.Open})
	}
	if r.Open != nil {
		w.sb.tell(roamline.News{At: r.At, Kind: roamline.NewsBound, Client: r.Open.Client, Binding: r.Open})
	}
}

// project writes the history, from where it stopped the last time.
func (w *who) project(run context.Context) {
	var done uint64
	for {
		seq, err := w.sb.Store.Projected(run)
		if err == nil {
			done = seq
			break
		}
		w.sb.Log.Warn("the binding history can't be read, trying again", "err", err)
		select {
		case <-run.Done():
			return
		case <-time.After(time.Second):
		}
	}
	w.follow(run, func() uint64 { return done }, func(r roamline.BindingRecord) error {
		if err := w.sb.Store.Project(run, r); err != nil {
			return err
		}
		done = r.Seq
		return nil
	}, func() {})
}
