package voice

import (
	"container/heap"
	"math"
)

// A timer calls fire on its thread when its time has come. It fires once for
// each time that it was set.
type timer struct {
	due  int64 // ns on the engine's clock
	at   int   // place in the heap, from 1; 0: not set
	fire func(now int64)
}

// timers are those of one thread, ordered by their time.
type timers struct{ heap timerHeap }

// set makes t fire at due, instead of when it was to fire before.
func (ts *timers) set(t *timer, due int64) {
	t.due = due
	if t.at > 0 {
		heap.Fix(&ts.heap, t.at-1)
		return
	}
	heap.Push(&ts.heap, t)
}

func (ts *timers) stop(t *timer) {
	if t.at > 0 {
		heap.Remove(&ts.heap, t.at-1)
	}
}

// run fires what is due at now.
func (ts *timers) run(now int64) {
	for len(ts.heap) > 0 && ts.heap[0].due <= now {
		t := heap.Pop(&ts.heap).(*timer)
		t.fire(now)
	}
}

// wait returns how long nothing will be due, in whole ms, rounded up.
func (ts *timers) wait(now int64) int {
	if len(ts.heap) == 0 {
		return -1
	}
	d := ts.heap[0].due - now
	return int(min(max((d+999_999)/1_000_000, 0), math.MaxInt32))
}

type timerHeap []*timer

func (h timerHeap) Len() int           { return len(h) }
func (h timerHeap) Less(i, j int) bool { return h[i].due < h[j].due }
func (h timerHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].at, h[j].at = i+1, j+1
}
func (h *timerHeap) Push(x any) {
	t := x.(*timer)
	*h = append(*h, t)
	t.at = len(*h)
}
func (h *timerHeap) Pop() any {
	old := *h
	t := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	t.at = 0
	return t
}
