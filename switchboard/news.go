package switchboard

import (
	"context"
	"sync"
	"time"

	"github.com/roamline/roamline"
)

// unread bounds the news that wait for one watcher. One that is slower is cut
// and starts again with the present state.
const unread = 512

// A hub passes news to whoever watches.
type hub struct {
	mu       sync.Mutex
	watchers map[chan roamline.News]struct{}
	closed   bool
}

// Watch returns the present state as news, then NewsReady, then each change.
// The channel is closed when ctx ends or the watcher is too slow.
func (sb *Switchboard) Watch(ctx context.Context) <-chan roamline.News {
	ch := make(chan roamline.News, unread)
	sb.hub.mu.Lock()
	defer sb.hub.mu.Unlock()
	if sb.hub.closed {
		close(ch)
		return ch
	}
	present := sb.present()
	if len(present) >= unread {
		ch = make(chan roamline.News, len(present)+unread)
	}
	for _, n := range present {
		ch <- n
	}
	if sb.hub.watchers == nil {
		sb.hub.watchers = map[chan roamline.News]struct{}{}
	}
	sb.hub.watchers[ch] = struct{}{}
	context.AfterFunc(ctx, func() { sb.hub.drop(ch) })
	return ch
}

// present is what is so now, in the words of news.
func (sb *Switchboard) present() []roamline.News {
	at := time.Now()
	var news []roamline.News
	sb.who.mu.Lock()
	for _, b := range sb.who.table.All() {
		news = append(news, roamline.News{At: at, Kind: roamline.NewsBound, Client: b.Client, Binding: ptr(b)})
	}
	for c := range sb.who.reached {
		news = append(news, roamline.News{At: at, Kind: roamline.NewsReach, Client: c, Reached: true})
	}
	sb.who.mu.Unlock()
	for _, v := range sb.Calls() {
		news = append(news, roamline.News{At: at, Kind: roamline.NewsCall, Call: ptr(v)})
	}
	return append(news, roamline.News{At: at, Kind: roamline.NewsReady})
}

// Tell passes news on that others than the switchboard have: a trunk's state.
func (sb *Switchboard) Tell(n roamline.News) { sb.tell(n) }

func (sb *Switchboard) tell(n roamline.News) {
	if n.At.IsZero() {
		n.At = time.Now()
	}
	sb.hub.mu.Lock()
	defer sb.hub.mu.Unlock()
	for ch := range sb.hub.watchers {
		select {
		case ch <- n:
		default:
			delete(sb.hub.watchers, ch)
			close(ch)
		}
	}
}

func (h *hub) drop(ch chan roamline.News) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, ok := h.watchers[ch]; ok {
		delete(h.watchers, ch)
		close(ch)
	}
}

func (h *hub) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	for ch := range h.watchers {
		close(ch)
	}
	h.watchers = nil
}

func (h *hub) watched() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.watchers) > 0
}

// tellFigures tells the voice figures of talking calls once a second, while
// somebody watches.
func (sb *Switchboard) tellFigures(run context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-run.Done():
			return
		case <-tick.C:
		}
		if !sb.hub.watched() {
			continue
		}
		for _, v := range sb.Calls() {
			if v.Call.State == roamline.Talking {
				sb.tell(roamline.News{Kind: roamline.NewsCall, Call: ptr(v)})
			}
		}
	}
}
