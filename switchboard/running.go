package switchboard

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"github.com/roamline/roamline"
	"github.com/roamline/roamline/call"
	"github.com/roamline/roamline/route"
)

// backlog bounds the events that wait for one call; a call that gets more is
// ended, so that it harms no other.
const backlog = 256

// A running call: one goroutine takes its events one after another, steps the
// call and carries out what the step asks for.
type running struct {
	sb   *Switchboard
	log  *slog.Logger
	from roamline.Path
	dial string

	// owned by the goroutine
	legs  map[roamline.LegID]*leg
	soon  []roamline.Event // what the call's own commands brought, before the queue
	timer *time.Timer
	codec []roamline.Codec // what the caller can hear, in her order

	mu    sync.Mutex
	call  roamline.Call
	queue []roamline.Event
	wake  chan struct{}
}

func newRunning(sb *Switchboard, ev roamline.Offered) *running {
	id := roamline.CallID(roamline.NewID("k_"))
	r := &running{
		sb: sb, log: sb.Log.With("call", id), from: ev.Path, dial: ev.Dialed,
		legs: map[roamline.LegID]*leg{}, wake: make(chan struct{}, 1),
		call: call.New(id, ev),
	}
	r.legs[ev.Leg] = &leg{id: ev.Leg, path: ev.Path, inward: true, theirs: ev.SDP}
	return r
}

// take queues an event for the call. It returns at once.
func (r *running) take(ev roamline.Event) {
	r.mu.Lock()
	if len(r.queue) >= backlog {
		r.queue = append(r.queue[:0], roamline.Stop{At: now(), Cause: roamline.Broken})
	} else {
		r.queue = append(r.queue, ev)
	}
	r.mu.Unlock()
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// run is the call's goroutine, from its offer to its record.
func (r *running) run(ev roamline.Offered) {
	defer r.sb.forget(r)
	defer r.mend()
	r.log.Info("call offered", "leg", ev.Leg, "from", ev.From.Number, "trunk", ev.Path.Trunk, "client", ev.Path.Client)
	r.plan(ev)
	for r.call.State != roamline.Over {
		for _, ev := range r.events() {
			r.handle(ev)
		}
	}
	r.stopTimer()
	r.file()
}

// events returns what has come since the last time; it waits for the first.
func (r *running) events() []roamline.Event {
	for {
		r.mu.Lock()
		q := r.queue
		r.queue = nil
		r.mu.Unlock()
		if len(q) > 0 {
			return q
		}
		<-r.wake
	}
}

// mend keeps a bug in one call from harming another: the call is ended, its
// legs are let go, its record is written.
func (r *running) mend() {
	bug := recover()
	if bug == nil {
		return
	}
	r.log.Error("a call broke", "bug", bug, "stack", string(debug.Stack()))
	r.stopTimer()
	for _, l := range r.legs {
		r.release(l, roamline.Broken)
	}
	r.mu.Lock()
	r.call.State, r.call.Cause, r.call.Ended = roamline.Over, roamline.Broken, now().Time
	r.mu.Unlock()
	r.file()
}

// plan asks where the call goes and hands the answer to the step.
func (r *running) plan(ev roamline.Offered) {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	q := route.Question{Dialed: ev.Dialed, From: ev.From, Path: ev.Path}
	if ev.Path.Client != "" {
		if b, ok := r.sb.At(ev.Path.Client); ok {
			q.By = b.User
			r.sb.who.touch(ev.Path.Client)
		}
	}
	routed, err := route.Plan(q, facts{ctx, r.sb}, r.sb.Site)
	if err != nil {
		r.log.Error("a call could not be routed", "err", err)
		routed.Plan = []roamline.Stage{roamline.RefuseStage{Cause: roamline.Broken}}
	}
	routed.At, routed.Grace = now(), r.sb.Site.Grace
	r.codec = heard(ev.SDP)
	if b, ok := (facts{ctx, r.sb}).Of(routed.User); ok {
		r.tell(roamline.TraceWho, fmt.Sprintf("%s is at %s since %s by %s", r.sb.nameOf(b.User), r.sb.place(roamline.Target{Client: b.Client}),
			b.Since.Format("15:04:05"), b.Proof.Method))
	}
	r.tell(roamline.TraceRoute, fmt.Sprintf("%s dialled: %s", routed.To, planned(routed, r.sb)))
	r.handle(routed)
	r.sb.Meter.Routed(time.Since(ev.When()))
}

// handle brings one event, and all that follows from it at once, through the
// step.
func (r *running) handle(ev roamline.Event) {
	r.soon = append(r.soon[:0], ev)
	for len(r.soon) > 0 {
		ev := r.soon[0]
		r.soon = r.soon[1:]
		if ev = r.voiced(ev); ev == nil {
			continue
		}
		was, caller, callee := r.call.State, r.call.Caller, r.call.Callee
		next, cmds := call.Step(r.call, ev)
		r.mu.Lock()
		r.call = next
		r.mu.Unlock()
		if next.State != was {
			r.tell(roamline.TraceEvent, fmt.Sprintf("%s → %s", was, next.State))
			r.log.Debug("call", "state", next.State, "was", was)
		}
		if next.State == roamline.Joining && was != next.State {
			r.keep() // from here on a far end would wait for our BYE
		}
		for _, c := range cmds {
			r.carry(c)
		}
		switch {
		case next.State != was:
			r.changed()
		case next.Caller != caller || next.State == roamline.Talking && next.Callee != callee:
			r.tell(roamline.TraceEvent, "moved to "+r.sb.place(r.whereTo(caller, callee)))
			r.changed()
		}
	}
}

// whereTo returns where the side of a call went that is not as it was.
func (r *running) whereTo(caller, callee roamline.LegID) roamline.Target {
	for _, l := range r.call.Legs {
		if l.ID == r.call.Caller && l.ID != caller || l.ID == r.call.Callee && l.ID != callee {
			return l.At
		}
	}
	return roamline.Target{}
}

// changed keeps and tells a new state.
func (r *running) changed() {
	switch r.call.State {
	case roamline.Ringing, roamline.Talking, roamline.Parked:
		r.keep()
	}
	r.sb.tell(roamline.News{Kind: roamline.NewsCall, Call: ptr(r.view(false))})
}

// done and failed report the end of a command to the step.
func (r *running) finish(id roamline.CommandID) {
	r.soon = append(r.soon, roamline.Done{At: now(), ID: id})
}

func (r *running) fail(id roamline.CommandID, why roamline.Cause) {
	r.soon = append(r.soon, roamline.Failed{At: now(), ID: id, Cause: why})
}

// view is the call as people see it.
func (r *running) view(figures bool) roamline.CallView {
	r.mu.Lock()
	v := roamline.CallView{Call: r.call}
	r.mu.Unlock()
	if figures {
		v.Figures = map[roamline.LegID]roamline.Figures{}
		for _, l := range v.Call.Legs {
			if f, err := r.sb.Voice.Figures(l.ID); err == nil {
				v.Figures[l.ID] = f
			}
		}
	}
	return v
}

// tell writes a line of the call's story.
func (r *running) tell(kind roamline.TraceKind, text string) {
	r.sb.Story.Trace(roamline.TraceEntry{At: time.Now(), Call: r.call.ID, Kind: kind, Text: text})
}

func (r *running) setTimer(c roamline.SetTimer) {
	r.stopTimer()
	if c.After > 0 {
		r.timer = time.AfterFunc(c.After, func() { r.take(roamline.Fired{At: now(), Timer: c.Timer}) })
	}
}

func (r *running) stopTimer() {
	if r.timer != nil {
		r.timer.Stop()
	}
}

func ptr[T any](v T) *T { return &v }
