// Package switchboard is where events become commands: it gives each call its
// own goroutine, steps it with call.Step, and carries out what the step asks
// for through the SIP door and the voice engine. It also writes the binding
// log, and is the only one that does.
package switchboard

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/roamline/roamline"
	"github.com/roamline/roamline/binding"
)

// Options are what a switchboard is made of. All fields are needed but Meter.
type Options struct {
	Site    roamline.Site
	Store   roamline.Store
	Bus     roamline.Bus
	Signals Signals
	Voice   Voice
	Story   Story
	Prove   func(context.Context, roamline.Claim) (roamline.Identification, error) // identify.Door.Prove
	Meter   Meter
	Log     *slog.Logger
	// MaxCalls bounds the calls at one time; more are refused. 0: 2000.
	MaxCalls int
}

// Story is where calls' stories are written.
type Story interface {
	roamline.Tracer
	Own(roamline.LegID, roamline.CallID)
}

// Meter takes measurements. It returns at once.
type Meter interface {
	Routed(time.Duration)    // from an INVITE to the INVITEs that it led to
	Bound(time.Duration)     // from a proven identification to a routable binding
	Ended(r roamline.Record) // a call is over
}

// A Switchboard joins callers with people. Its methods may be called from any
// goroutine.
type Switchboard struct {
	Options
	stopping atomic.Bool

	mu    sync.Mutex
	calls map[roamline.CallID]*running
	legs  map[roamline.LegID]*running
	idle  sync.Cond // on mu: no call is left

	who  who
	hub  hub
	done context.CancelFunc
	work sync.WaitGroup
}

// New returns a switchboard. It does nothing before Start.
func New(o Options) *Switchboard {
	if o.MaxCalls == 0 {
		o.MaxCalls = 2000
	}
	if o.Meter == nil {
		o.Meter = noMeter{}
	}
	sb := &Switchboard{
		Options: o,
		calls:   map[roamline.CallID]*running{},
		legs:    map[roamline.LegID]*running{},
	}
	sb.idle.L = &sb.mu
	sb.who = who{sb: sb, table: &binding.Table{}, reached: map[roamline.ClientID]bool{}, leaving: map[roamline.ClientID]*time.Timer{}, used: map[roamline.ClientID]time.Time{}}
	sb.who.turned.L = &sb.who.mu
	return sb
}

// Start reads who is where, ends what a crash left behind, and returns when
// the switchboard can route. It works until Stop.
func (sb *Switchboard) Start(ctx context.Context) error {
	run, cancel := context.WithCancel(context.WithoutCancel(ctx))
	sb.done = cancel
	if err := sb.who.start(ctx, run); err != nil {
		cancel()
		return err
	}
	if err := sb.adoptOrphans(run); err != nil {
		cancel()
		return err
	}
	sb.work.Go(func() { sb.sweep(run) })
	sb.work.Go(func() { sb.tellFigures(run) })
	return nil
}

// Stop refuses new calls, lets the running ones end until ctx does, then ends
// those that are left, and returns how many those were.
func (sb *Switchboard) Stop(ctx context.Context) (cut int) {
	sb.stopping.Store(true)
	gone := make(chan struct{})
	go func() {
		sb.mu.Lock()
		for len(sb.calls) > 0 {
			sb.idle.Wait()
		}
		sb.mu.Unlock()
		close(gone)
	}()
	select {
	case <-gone:
	case <-ctx.Done():
		for _, r := range sb.running() {
			cut++
			r.take(roamline.Stop{At: now(), Cause: roamline.Shutdown})
		}
		<-gone
	}
	if sb.done != nil {
		sb.done()
	}
	sb.who.stop()
	sb.work.Wait()
	sb.hub.close()
	return cut
}

// Take is the Sink of the doors and the engine: it gives an event to the call
// or the client that it is about.
func (sb *Switchboard) Take(ev roamline.Event) {
	switch ev := ev.(type) {
	case roamline.Offered:
		sb.offered(ev)
	case roamline.Reached:
		sb.who.reach(ev.Client, true)
	case roamline.Lost:
		sb.who.reach(ev.Client, false)
	default:
		sb.mu.Lock()
		r := sb.legs[legOf(ev)]
		sb.mu.Unlock()
		if r != nil {
			r.take(ev)
		}
	}
}

// offered opens a call for an INVITE, or refuses it when there is no room.
func (sb *Switchboard) offered(ev roamline.Offered) {
	why := roamline.Cause("")
	sb.mu.Lock()
	switch {
	case sb.stopping.Load():
		why = roamline.Shutdown
	case len(sb.calls) >= sb.MaxCalls:
		why = roamline.TooManyCalls
	}
	if why != "" {
		sb.mu.Unlock()
		if err := sb.Signals.Hangup(ev.Leg, why); err != nil {
			sb.Log.Warn("a call could not be refused", "leg", ev.Leg, "err", err)
		}
		return
	}
	r := newRunning(sb, ev)
	sb.calls[r.call.ID] = r
	sb.legs[ev.Leg] = r
	sb.mu.Unlock()
	sb.Story.Own(ev.Leg, r.call.ID)
	go r.run(ev)
}

// forget takes a call that is over off the board.
func (sb *Switchboard) forget(r *running) {
	sb.mu.Lock()
	defer sb.mu.Unlock()
	for _, l := range r.call.Legs {
		delete(sb.legs, l.ID)
	}
	delete(sb.calls, r.call.ID)
	if len(sb.calls) == 0 {
		sb.idle.Broadcast()
	}
}

func (sb *Switchboard) running() []*running {
	sb.mu.Lock()
	defer sb.mu.Unlock()
	all := make([]*running, 0, len(sb.calls))
	for _, r := range sb.calls {
		all = append(all, r)
	}
	return all
}

// Fetch brings a running call to the client where its person is, if it did not
// come along by itself. NotFound if it is not running or not hers, Conflict if
// nobody is at the client.
func (sb *Switchboard) Fetch(_ context.Context, id roamline.CallID, to roamline.ClientID) error {
	const op = "switchboard.Fetch"
	b, ok := sb.At(to)
	if !ok {
		return &roamline.Error{Op: op, Kind: roamline.Conflict, Of: string(to), Err: fmt.Errorf("nobody is signed in there")}
	}
	sb.mu.Lock()
	r := sb.calls[id]
	sb.mu.Unlock()
	if r == nil || !slices.ContainsFunc(r.view(false).Call.Legs, func(l roamline.Leg) bool { return l.User == b.User }) {
		return &roamline.Error{Op: op, Kind: roamline.NotFound, Of: string(id)}
	}
	r.take(roamline.Here{At: now(), User: b.User, Client: to})
	return nil
}

// lead tells the calls of a user where she is now, or no longer.
func (sb *Switchboard) lead(u roamline.UserID, ev roamline.Event) {
	for _, r := range sb.running() {
		if concerns(r.view(false).Call, u) {
			r.take(ev)
		}
	}
}

// concerns reports whether a call is, or may yet turn out to be, a user's.
func concerns(c roamline.Call, u roamline.UserID) bool {
	return c.State == roamline.Routing || c.User == u || slices.Contains(c.Stage.Await, u) ||
		slices.ContainsFunc(c.Legs, func(l roamline.Leg) bool { return l.User == u })
}

// clear takes everybody's calls but the user's from a client that is hers now:
// somebody who went on may still have been heard there.
func (sb *Switchboard) clear(at roamline.At, b roamline.Binding) {
	for _, r := range sb.running() {
		for _, l := range r.view(false).Call.Legs {
			if l.At.Client == b.Client && l.User != b.User && l.User != "" {
				r.take(roamline.Gone{At: at, User: l.User, Client: b.Client})
			}
		}
	}
}

// Calls returns the calls that are running, with their voice figures.
func (sb *Switchboard) Calls() []roamline.CallView {
	all := sb.running()
	views := make([]roamline.CallView, 0, len(all))
	for _, r := range all {
		views = append(views, r.view(true))
	}
	return views
}

// End ends a running call; NotFound if it is not running.
func (sb *Switchboard) End(_ context.Context, id roamline.CallID) error {
	sb.mu.Lock()
	r := sb.calls[id]
	sb.mu.Unlock()
	if r == nil {
		return &roamline.Error{Op: "switchboard.End", Kind: roamline.NotFound, Of: string(id)}
	}
	r.take(roamline.Stop{At: now(), Cause: roamline.ByOperator})
	return nil
}

// now is the only clock of this package: the wall time for records, with the
// monotonic reading for durations.
func now() roamline.At { return roamline.At{Time: time.Now()} }

// legOf returns the leg that a door's event is about.
func legOf(ev roamline.Event) roamline.LegID {
	switch ev := ev.(type) {
	case roamline.Progressed:
		return ev.Leg
	case roamline.Answered:
		return ev.Leg
	case roamline.Confirmed:
		return ev.Leg
	case roamline.Reoffered:
		return ev.Leg
	case roamline.Reanswered:
		return ev.Leg
	case roamline.HungUp:
		return ev.Leg
	case roamline.VoiceReady:
		return ev.Leg
	case roamline.FirstVoice:
		return ev.Leg
	case roamline.VoiceGone:
		return ev.Leg
	case roamline.Played:
		return ev.Leg
	case roamline.Pressed:
		return ev.Leg
	}
	return ""
}

type noMeter struct{}

func (noMeter) Routed(time.Duration)  {}
func (noMeter) Bound(time.Duration)   {}
func (noMeter) Ended(roamline.Record) {}
