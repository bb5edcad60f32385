package voice

import (
	"sync"

	"github.com/roamline/roamline"
)

// An outlet hands events to the sink, in order, on a goroutine of its own: a
// slow sink does not hold up a media thread. What waits is bounded by what can
// happen: a leg has few events, and a prompt one for each Play.
type outlet struct {
	sink  roamline.Sink
	mu    sync.Mutex
	ready sync.Cond
	queue []roamline.Event
	ended bool
	done  chan struct{}
}

func newOutlet(sink roamline.Sink) *outlet {
	o := &outlet{sink: sink, done: make(chan struct{})}
	o.ready.L = &o.mu
	go o.run()
	return o
}

func (e *Engine) emit(ev roamline.Event) { e.events.put(ev) }

func (o *outlet) put(ev roamline.Event) {
	o.mu.Lock()
	o.queue = append(o.queue, ev)
	o.mu.Unlock()
	o.ready.Signal()
}

func (o *outlet) run() {
	defer close(o.done)
	for {
		o.mu.Lock()
		for len(o.queue) == 0 && !o.ended {
			o.ready.Wait()
		}
		q, ended := o.queue, o.ended
		o.queue = nil
		o.mu.Unlock()
		if ended {
			return
		}
		for _, ev := range q {
			o.sink(ev)
		}
	}
}

// close drops what waits and returns when the goroutine has ended.
func (o *outlet) close() {
	o.mu.Lock()
	o.ended = true
	o.mu.Unlock()
	o.ready.Signal()
	<-o.done
}
