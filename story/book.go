// Package story keeps what happened to each call for a while: every SIP
// message, event and decision, so that an administrator can see why a call
// went as it did. It is a bounded memory; the oldest stories are forgotten
// first.
package story

import (
	"slices"
	"sync"

	"github.com/roamline/roamline"
)

const (
	perCall  = 400 // entries; what comes later is counted and dropped
	allCalls = 4000
	perEntry = 8 << 10 // bytes of Body
)

// A Book holds the stories of the last calls: at most 4,000 of them, at most
// 400 entries each. It is safe for concurrent use.
type Book struct {
	mu    sync.Mutex
	pages map[string]*page // by call, or by leg until a call owns it
	owner map[roamline.LegID]string
	order []string // of pages, the oldest first
}

type page struct {
	entries []roamline.TraceEntry
	legs    []roamline.LegID
	more    int
}

// New returns an empty book.
func New() *Book {
	return &Book{pages: map[string]*page{}, owner: map[roamline.LegID]string{}}
}

// Trace writes an entry down.
func (b *Book) Trace(e roamline.TraceEntry) {
	if e.Call == "" && e.Leg == "" {
		return
	}
	if len(e.Body) > perEntry {
		e.Body = e.Body[:perEntry]
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	p := b.page(b.key(e))
	if len(p.entries) >= perCall {
		p.more++
		return
	}
	p.entries = append(p.entries, e)
}

// Own says that a leg belongs to a call: what was written about it before
// becomes part of the call's story.
func (b *Book) Own(leg roamline.LegID, call roamline.CallID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	name := string(call)
	early := b.pages[string(leg)]
	p := b.page(name)
	b.owner[leg] = name
	p.legs = append(p.legs, leg)
	if early != nil {
		p.entries = append(p.entries, early.entries...)
		b.forget(string(leg))
	}
}

// Story returns what is known of a call, in the order of time; nil if nothing
// is.
func (b *Book) Story(call roamline.CallID) []roamline.TraceEntry {
	b.mu.Lock()
	defer b.mu.Unlock()
	p := b.pages[string(call)]
	if p == nil {
		return nil
	}
	story := slices.Clone(p.entries)
	slices.SortStableFunc(story, func(x, y roamline.TraceEntry) int { return x.At.Compare(y.At) })
	for i := range story {
		story[i].Call = call
	}
	return story
}

func (b *Book) key(e roamline.TraceEntry) string {
	if e.Call != "" {
		return string(e.Call)
	}
	if call, ok := b.owner[e.Leg]; ok {
		return call
	}
	return string(e.Leg)
}

func (b *Book) page(name string) *page {
	if p := b.pages[name]; p != nil {
		return p
	}
	for len(b.pages) >= allCalls {
		b.forget(b.order[0])
	}
	p := &page{}
	b.pages[name] = p
	b.order = append(b.order, name)
	return p
}

func (b *Book) forget(name string) {
	if p := b.pages[name]; p != nil {
		for _, leg := range p.legs {
			delete(b.owner, leg)
		}
		delete(b.pages, name)
	}
	if i := slices.Index(b.order, name); i >= 0 {
		b.order = slices.Delete(b.order, i, i+1)
	}
}
