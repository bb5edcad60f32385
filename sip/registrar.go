package sip

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/roamline/roamline"
)

// Limits of a registration (RFC 3261 section 10.3).
const (
	minExpires  = 60 // seconds; shorter is answered 423
	maxExpires  = 3600
	maxContacts = 10 // of one client
	keepEvery   = 25 * time.Second
	slack       = 5 * time.Second // for a refresh that is on its way when a contact expires
)

// A way is one registered contact with the flow that leads to it.
type way struct {
	contact roamline.Contact
	flow    *flow
	natted  bool // the client does not see its own address
}

// A registrar knows where clients are (RFC 3261 section 10, RFC 5626).
type registrar struct {
	door *Door

	mu      sync.Mutex
	by      map[roamline.ClientID][]way
	udp     map[netip.AddrPort]roamline.ClientID // whose phone is at an address, for the trace
	told    map[roamline.ClientID]bool           // who the sink believes can be called
	box     []roamline.Event
	telling bool
	dirty   map[roamline.ClientID]bool // whose contacts are to be saved
	wake    chan struct{}
	changed chan struct{} // closed and replaced when somebody registers
}

func newRegistrar(d *Door) *registrar {
	return &registrar{door: d, by: make(map[roamline.ClientID][]way), told: make(map[roamline.ClientID]bool),
		udp: make(map[netip.AddrPort]roamline.ClientID), dirty: make(map[roamline.ClientID]bool),
		wake: make(chan struct{}, 1), changed: make(chan struct{})}
}

// unlock tells what happened, in order, as a leg does.
func (r *registrar) unlock() {
	if r.telling {
		r.mu.Unlock()
		return
	}
	r.telling = true
	for len(r.box) > 0 {
		box := r.box
		r.box = nil
		r.mu.Unlock()
		for _, ev := range box {
			r.door.emit(ev)
		}
		r.mu.Lock()
	}
	r.telling = false
	r.mu.Unlock()
}

// put replaces a client's contacts and says whether it can be called.
func (r *registrar) put(c roamline.ClientID, list []way) {
	for _, w := range r.by[c] {
		if w.flow != nil && w.flow.udp != nil && r.udp[w.flow.remote] == c {
			delete(r.udp, w.flow.remote)
		}
	}
	for _, w := range list {
		if w.flow != nil && w.flow.udp != nil {
			r.udp[w.flow.remote] = c
		}
	}
	if len(list) == 0 {
		delete(r.by, c)
	} else {
		r.by[c] = list
	}
	r.tell(c)
	r.dirty[c] = true
	select {
	case r.wake <- struct{}{}:
	default:
	}
	close(r.changed)
	r.changed = make(chan struct{})
}

// tell says that a client can be called, or no longer, if that is news.
func (r *registrar) tell(c roamline.ClientID) {
	reached := slices.ContainsFunc(r.by[c], func(w way) bool { return w.flow != nil })
	switch {
	case reached && !r.told[c]:
		r.told[c] = true
		r.box = append(r.box, roamline.Reached{At: now(), Client: c})
	case !reached && r.told[c]:
		delete(r.told, c)
		r.box = append(r.box, roamline.Lost{At: now(), Client: c})
	}
}

// live is what of a client's contacts can be used now, the newest first.
func (r *registrar) live(c roamline.ClientID) []way {
	t := time.Now()
	var list []way
	for _, w := range r.by[c] {
		if w.contact.Expires.Add(slack).After(t) && w.flow != nil && !w.flow.closed() {
			list = append(list, w)
		}
	}
	slices.Reverse(list)
	return list
}

func (r *registrar) paths(c roamline.ClientID) []roamline.Path {
	r.mu.Lock()
	defer r.mu.Unlock()
	var list []roamline.Path
	for _, w := range r.live(c) {
		list = append(list, roamline.Path{Client: c, Transport: w.flow.transport, Remote: w.flow.remote,
			Voice: clientVoice(w.flow.transport), Symmetric: w.natted})
	}
	return list
}

// way returns the contact that a path means.
func (r *registrar) way(c roamline.ClientID, by roamline.Path) (way, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, w := range r.live(c) {
		if w.flow.transport == by.Transport && w.flow.remote == by.Remote {
			return w, true
		}
	}
	return way{}, false
}

// has reports whether f leads to a contact of c.
func (r *registrar) has(c roamline.ClientID, f *flow) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, w := range r.live(c) {
		if w.flow.same(f) {
			return true
		}
	}
	return false
}

// at returns the client whose phone is at the address of a UDP flow; empty if
// none is.
func (r *registrar) at(f *flow) roamline.ClientID {
	if f.stream() {
		return ""
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.udp[f.remote]
}

func (r *registrar) natted(c roamline.ClientID, f *flow) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, w := range r.by[c] {
		if w.flow.same(f) {
			return w.natted
		}
	}
	return false
}

// flowClosed forgets the contacts that f led to.
func (r *registrar) flowClosed(f *flow) {
	c := f.whose()
	if c == "" {
		return
	}
	r.mu.Lock()
	defer r.unlock()
	list := r.by[c]
	if rest := without(list, func(w way) bool { return w.flow == f }); len(rest) != len(list) {
		r.put(c, rest)
	}
}

func without(list []way, gone func(way) bool) []way {
	return slices.DeleteFunc(slices.Clone(list), gone)
}

// run saves contacts, lets them expire, and keeps NAT bindings open, until the
// door closes.
func (r *registrar) run() {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	lastKept := time.Now()
	for {
		select {
		case <-r.door.ctx.Done():
			return
		case <-r.wake:
			r.save(r.door.ctx)
		case t := <-tick.C:
			r.expire(t)
			if t.Sub(lastKept) >= keepEvery {
				lastKept = t
				r.keep()
			}
		}
	}
}

// expire forgets contacts that were not refreshed. A connection that carries
// nothing else then is closed.
func (r *registrar) expire(t time.Time) {
	var idle []*flow
	r.mu.Lock()
	for c, list := range r.by {
		rest := without(list, func(w way) bool {
			gone := !w.contact.Expires.Add(slack).After(t)
			if gone && w.flow != nil && w.flow.stream() {
				idle = append(idle, w.flow)
			}
			return gone
		})
		if len(rest) != len(list) {
			r.put(c, rest)
		}
	}
	r.unlock()
	for _, f := range idle {
		if f.idle() {
			f.shut(errStranger)
		}
	}
}

// idle reports whether no call hangs on f.
func (f *flow) idle() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.legs) == 0
}

// keep sends a CRLF pair to phones behind NAT (RFC 5626 section 4.4.1, from our
// side).
func (r *registrar) keep() {
	var flows []*flow
	r.mu.Lock()
	for _, list := range r.by {
		for _, w := range list {
			if w.natted && w.flow != nil && w.flow.udp != nil {
				flows = append(flows, w.flow)
			}
		}
	}
	r.mu.Unlock()
	for _, f := range flows {
		f.send([]byte("\r\n\r\n"))
	}
}

// save writes what changed. Contacts on a connection die with it, so only
// those on UDP are kept.
func (r *registrar) save(ctx context.Context) {
	if r.door.opt.Registrations == nil {
		return
	}
	type change struct {
		client   roamline.ClientID
		contacts []roamline.Contact
	}
	var changes []change
	r.mu.Lock()
	for c := range r.dirty {
		ch := change{client: c}
		for _, w := range r.by[c] {
			if w.contact.Transport == "udp" {
				ch.contacts = append(ch.contacts, w.contact)
			}
		}
		changes = append(changes, ch)
	}
	clear(r.dirty)
	r.mu.Unlock()
	for _, ch := range changes {
		if err := r.door.opt.Registrations.PutContacts(ctx, ch.client, ch.contacts); err != nil && ctx.Err() == nil {
			r.door.log.Error("sip: cannot save the contacts of a client", "client", ch.client, "error", err)
		}
	}
}

// restore reads the contacts of before a restart. Their flows are found when
// sockets are there.
func (r *registrar) restore(ctx context.Context) error {
	if r.door.opt.Registrations == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	all, err := r.door.opt.Registrations.Contacts(ctx)
	if err != nil {
		return fault1("sip.New", "", err)
	}
	t := time.Now()
	for c, contacts := range all {
		for _, ct := range contacts {
			from, err := netip.ParseAddrPort(ct.Source)
			if err != nil || ct.Transport != "udp" || !ct.Expires.After(t) || len(r.by[c]) >= maxContacts {
				continue
			}
			u, err := parseURI(ct.URI)
			if err != nil {
				continue
			}
			r.by[c] = append(r.by[c], way{contact: ct, natted: addrOf(u.Host) != from.Addr()})
		}
	}
	return nil
}

// announce gives restored contacts a socket when there is one, and says who
// can be called by it.
func (r *registrar) announce() {
	r.mu.Lock()
	defer r.unlock()
	for c, list := range r.by {
		for i := range list {
			from, err := netip.ParseAddrPort(list[i].contact.Source)
			if err == nil && list[i].flow == nil {
				list[i].flow = r.door.flowTo("udp", from, "")
			}
		}
		r.tell(c)
	}
}

func (r *registrar) close(ctx context.Context) { r.save(ctx) }

// wait returns a channel that is closed at the next change.
func (r *registrar) wait() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.changed
}

// Reached reports whether a client can be called now.
func (d *Door) Reached(c roamline.ClientID) bool { return len(d.registrar.paths(c)) > 0 }

// Drop forgets a client that was revoked: its contacts are gone, and its
// connections closed. Its calls end as those of a lost client.
func (d *Door) Drop(c roamline.ClientID) {
	d.registrar.mu.Lock()
	d.registrar.put(c, nil)
	d.registrar.unlock()
	d.flows.mu.Lock()
	var hers []*flow
	for f := range d.flows.all {
		if f.whose() == c {
			hers = append(hers, f)
		}
	}
	d.flows.mu.Unlock()
	for _, f := range hers {
		f.shut(errDropped)
	}
}

func parseURI(s string) (sip.Uri, error) {
	var u sip.Uri
	if strings.ContainsAny(s, " \t\r\n<>\"") {
		return u, errAddress
	}
	err := sip.ParseUri(s, &u)
	return u, err
}
