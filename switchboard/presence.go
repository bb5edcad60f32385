package switchboard

import (
	"context"
	"time"

	"github.com/roamline/roamline"
)

// reach notes that a client can be called, or no longer. A binding outlives its
// client's connection by the grace time.
func (w *who) reach(c roamline.ClientID, here bool) {
	w.mu.Lock()
	if here {
		w.reached[c] = true
		if t := w.leaving[c]; t != nil {
			t.Stop()
			delete(w.leaving, c)
		}
	} else {
		delete(w.reached, c)
		if _, bound := w.table.At(c); bound {
			w.expect(c)
		}
	}
	b, bound := w.table.At(c)
	w.mu.Unlock()
	if here && bound {
		w.sb.lead(b.User, roamline.Here{At: now(), User: b.User, Client: c})
	}
	w.sb.tell(roamline.News{Kind: roamline.NewsReach, Client: c, Reached: here})
}

// expect gives a lost client until grace ends to come back. The caller holds
// w.mu.
func (w *who) expect(c roamline.ClientID) {
	if w.stopped { // the door tells of its connections when it closes
		return
	}
	if t := w.leaving[c]; t != nil {
		t.Stop()
	}
	w.leaving[c] = time.AfterFunc(w.sb.Site.Grace, func() {
		w.mu.Lock()
		gone := !w.reached[c]
		delete(w.leaving, c)
		w.mu.Unlock()
		if gone {
			w.leave(c, roamline.ConnectionLost)
		}
	})
}

// leave ends a binding by the server's own decision.
func (w *who) leave(c roamline.ClientID, why roamline.ReleaseReason) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := w.sb.Release(ctx, c, why); err != nil && roamline.KindOf(err) != roamline.NotFound {
		w.sb.Log.Error("a binding could not be ended", "client", c, "reason", why, "err", err)
	}
}

// touch notes that a client is being used.
func (w *who) touch(c roamline.ClientID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, bound := w.table.At(c); bound {
		w.used[c] = time.Now()
	}
}

// Touch notes that a person used a client; it puts off the end by idle time.
func (sb *Switchboard) Touch(c roamline.ClientID) { sb.who.touch(c) }

// unused ends the bindings that nobody has used for the site's idle time, and
// that are in no call.
func (w *who) unused() {
	if w.sb.Site.Idle == 0 {
		return
	}
	for _, r := range w.sb.running() {
		for _, l := range r.view(false).Call.Legs {
			if l.State != roamline.LegEnded {
				w.touch(l.At.Client)
			}
		}
	}
	w.mu.Lock()
	var idle []roamline.ClientID
	for c, at := range w.used {
		if time.Since(at) >= w.sb.Site.Idle {
			idle = append(idle, c)
		}
	}
	w.mu.Unlock()
	for _, c := range idle {
		w.leave(c, roamline.IdleTooLong)
	}
}

// stop ends the timers of clients that were expected back.
func (w *who) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stopped = true
	for _, t := range w.leaving {
		t.Stop()
	}
}
