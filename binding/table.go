// Package binding holds the rules of who is where: which bindings an
// identification ends and opens. It is pure; the log that orders the records
// and the clock belong to the caller.
package binding

import (
	"slices"
	"strings"
	"time"

	"github.com/roamline/roamline"
)

// A Table is who is where now: the fold of the binding log. At most one user
// is at a client, and a user is at one client at most. The zero value is
// empty and ready. It is not safe for concurrent use.
type Table struct {
	last uint64
	at   map[roamline.ClientID]roamline.Binding
	of   map[roamline.UserID]roamline.ClientID
}

// Last returns the sequence of the last record applied; 0 if none was.
func (t *Table) Last() uint64 { return t.last }

// At returns who is at client c.
func (t *Table) At(c roamline.ClientID) (roamline.Binding, bool) {
	b, ok := t.at[c]
	return b, ok
}

// Of returns where user u is.
func (t *Table) Of(u roamline.UserID) (roamline.Binding, bool) {
	c, ok := t.of[u]
	if !ok {
		return roamline.Binding{}, false
	}
	return t.at[c], true
}

// All returns every binding, the oldest first.
func (t *Table) All() []roamline.Binding {
	all := make([]roamline.Binding, 0, len(t.at))
	for _, b := range t.at {
		all = append(all, b)
	}
	slices.SortFunc(all, func(a, b roamline.Binding) int {
		if c := a.Since.Compare(b.Since); c != 0 {
			return c
		}
		return strings.Compare(string(a.Client), string(b.Client))
	})
	return all
}

// Open returns the record that binds id.User to id.Client: it ends her binding
// elsewhere and that of whoever is at the client. It reports false, and there
// is nothing to append, if she is there already.
func (t *Table) Open(id roamline.Identification) (roamline.BindingRecord, bool) {
	r := roamline.BindingRecord{At: id.At, Open: &roamline.Binding{
		User: id.User, Client: id.Client, Proof: id, Since: id.At,
	}}
	if old, ok := t.Of(id.User); ok {
		if old.Client == id.Client {
			return roamline.BindingRecord{}, false
		}
		r.Ended = append(r.Ended, roamline.Departure{Binding: old, Reason: roamline.MovedOn})
	}
	if old, ok := t.At(id.Client); ok {
		r.Ended = append(r.Ended, roamline.Departure{Binding: old, Reason: roamline.TakenOver})
	}
	return r, true
}

// Release returns the record that ends the binding at client c. It reports
// false if nobody is there.
func (t *Table) Release(c roamline.ClientID, why roamline.ReleaseReason, at time.Time) (roamline.BindingRecord, bool) {
	b, ok := t.At(c)
	if !ok {
		return roamline.BindingRecord{}, false
	}
	return roamline.BindingRecord{At: at, Ended: []roamline.Departure{{Binding: b, Reason: why}}}, true
}

// Apply folds a record into the table. A record that was applied before
// changes nothing.
func (t *Table) Apply(r roamline.BindingRecord) {
	if r.Seq <= t.last {
		return
	}
	t.last = r.Seq
	if t.at == nil {
		t.at = map[roamline.ClientID]roamline.Binding{}
		t.of = map[roamline.UserID]roamline.ClientID{}
	}
	for _, d := range r.Ended {
		if b, ok := t.at[d.Binding.Client]; ok && b.User == d.Binding.User {
			delete(t.at, b.Client)
			delete(t.of, b.User)
		}
	}
	if r.Open != nil {
		t.at[r.Open.Client] = *r.Open
		t.of[r.Open.User] = r.Open.Client
	}
}
