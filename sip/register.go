package sip

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/roamline/roamline"
)

// register answers a REGISTER of a client that has proved itself (RFC 3261
// section 10.3).
func (d *Door) register(f *flow, s *serverTx, who peer, until time.Time) {
	req := s.req
	if list := unsupported(req); len(list) > 0 {
		s.answer(420, "Bad Extension", sip.NewHeader("Unsupported", strings.Join(list, ", ")))
		return
	}
	if c := f.whose(); c != "" && c != who.client {
		s.answer(403, "Another client is at this connection")
		return
	}
	if !mayRegister(req, who.client) { // RFC 3261 section 10.3, step 4
		s.answer(403, "Not your address")
		return
	}
	asked, flt := readContacts(req)
	if flt != nil {
		s.answer(flt.code, flt.reason)
		return
	}
	for i := range asked {
		a := &asked[i]
		if a.seconds > 0 && a.seconds < minExpires {
			s.answer(423, "Interval Too Brief", sip.NewHeader("Min-Expires", strconv.Itoa(minExpires)))
			return
		}
		a.seconds = min(a.seconds, maxExpires)
		if left := int(time.Until(until) / time.Second); !until.IsZero() && a.seconds > 0 {
			a.seconds = min(a.seconds, max(left, minExpires)) // a contact ends with its token, but leaves time to refresh
		}
	}
	now := d.registrar.update(f, who.client, req, asked)
	res := s.response(200, "OK", sip.NewHeader("Date", time.Now().UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT")))
	outbound := false
	for _, k := range now {
		res.AppendHeader(sip.NewHeader("Contact", contactValue(k)))
		outbound = outbound || k.RegID > 0 && k.Source == f.remote.String()
	}
	if outbound && hasToken(req, "Supported", "outbound") { // RFC 5626 section 6
		res.AppendHeader(sip.NewHeader("Require", "outbound"))
	}
	res.AppendHeader(sip.NewHeader("Supported", "outbound"))
	res.SetBody(nil)
	s.respond(res)
	if f.closed() { // while we were looking
		d.registrar.flowClosed(f)
	}
}

// mayRegister reports whether an address of record is the client's: its
// identifier, or the login that it proved itself by.
func mayRegister(req *sip.Request, c roamline.ClientID) bool {
	to := req.To().Address
	if to.Scheme != "sip" && to.Scheme != "sips" {
		return false
	}
	cred, ok := parseCredentials(header(req, "Authorization"))
	user := userOf(to)
	return user == string(c) || ok && user == cred.user
}

// contactValue writes a contact of a 200 (RFC 3261 section 10.3, step 8).
func contactValue(k roamline.Contact) string {
	left := max(int(time.Until(k.Expires).Round(time.Second)/time.Second), 0)
	v := "<" + k.URI + ">;expires=" + strconv.Itoa(left)
	if k.Instance != "" {
		v += `;+sip.instance="` + escapeName(k.Instance) + `"`
	}
	if k.RegID > 0 {
		v += ";reg-id=" + strconv.Itoa(k.RegID)
	}
	return v
}

// An asked contact is one line of a REGISTER. No URI: all (RFC 3261 section
// 10.2.2).
type askedContact struct {
	contact roamline.Contact
	seconds int
}

// readContacts reads what a REGISTER asks for; nothing asks for the list.
func readContacts(req *sip.Request) ([]askedContact, *fault) {
	otherwise := number(req, "Expires")
	if otherwise < 0 {
		otherwise = maxExpires
	}
	var list []askedContact
	for _, h := range req.GetHeaders("Contact") {
		c, ok := h.(*sip.ContactHeader)
		if !ok {
			return nil, bad("Malformed Contact")
		}
		if c.Address.Wildcard {
			if otherwise != 0 || len(req.GetHeaders("Contact")) != 1 {
				return nil, bad("Wildcard Contact with Expires other than zero")
			}
			return []askedContact{{}}, nil
		}
		if !dialable(c.Address.Scheme) || len(list) >= maxContacts {
			return nil, bad("Contact that can't be registered")
		}
		a := askedContact{contact: roamline.Contact{URI: c.Address.String(), Agent: clip(header(req, "User-Agent"), 128)}, seconds: otherwise}
		for _, p := range c.Params {
			switch strings.ToLower(p.K) {
			case "expires":
				if n, err := strconv.ParseUint(p.V, 10, 31); err == nil {
					a.seconds = int(n)
				}
			case "+sip.instance":
				a.contact.Instance = clip(unquote(p.V), 256)
			case "reg-id":
				a.contact.RegID, _ = strconv.Atoi(p.V)
			}
		}
		list = append(list, a)
	}
	return list, nil
}

// update makes the changes that a REGISTER asks for and returns the contacts
// that the client has then. A request that is older than what is known changes
// nothing (RFC 3261 section 10.3, step 7).
func (r *registrar) update(f *flow, c roamline.ClientID, req *sip.Request, asked []askedContact) []roamline.Contact {
	f.trust(c)
	id, seq := callIDOf(req), req.CSeq().SeqNo
	r.mu.Lock()
	before, was, fresh := r.by[c], r.told[c], false
	list := before
	for _, a := range asked {
		k := a.contact
		k.Transport, k.Source, k.CallID, k.CSeq = f.transport, f.remote.String(), id, seq
		k.Expires = time.Now().Add(time.Duration(a.seconds) * time.Second)
		list = with(list, way{contact: k, flow: f, natted: !f.web() && behindNAT(k, f)}, a.seconds > 0)
		fresh = fresh || a.seconds > 0 && !slices.ContainsFunc(before, func(w way) bool { return w.contact.URI == k.URI })
	}
	if len(asked) > 0 {
		r.put(c, list)
	}
	if fresh && was { // it was started anew, and may be rung again
		r.box = append(r.box, roamline.Reached{At: now(), Client: c})
	}
	var known []roamline.Contact
	for _, w := range list {
		known = append(known, w.contact)
	}
	r.unlock()
	for _, w := range list {
		if w.flow == f {
			r.door.comeBack(c, w, replaced(before, list))
		}
	}
	return known
}

// behindNAT reports whether a contact names another address than the one that it
// comes from: its voice will come from another, too.
func behindNAT(k roamline.Contact, f *flow) bool {
	u, err := parseURI(k.URI)
	return err == nil && addrOf(u.Host) != f.remote.Addr()
}

// with adds, refreshes or, if it does not stay, removes one contact. No URI: all.
func with(list []way, w way, stay bool) []way {
	var left []way
	for _, old := range list {
		k, n := old.contact, w.contact
		same := k.URI == n.URI || n.URI == "" ||
			n.Instance != "" && k.Instance == n.Instance && k.RegID == n.RegID // RFC 5626 section 6
		if same && k.CallID == n.CallID && k.CSeq > n.CSeq {
			same, stay = false, false
		}
		if !same {
			left = append(left, old)
		}
	}
	if !stay {
		return left
	}
	if len(left) >= maxContacts { // the oldest gives way
		left = left[1:]
	}
	return append(left, w)
}

// replaced returns the flows of contacts that were taken off a list.
func replaced(before, after []way) (flows []*flow) {
	for _, w := range before {
		if !slices.ContainsFunc(after, func(a way) bool { return a.flow == w.flow }) {
			flows = append(flows, w.flow)
		}
	}
	return flows
}

// comeBack moves the calls of a client whose connection was lost to the one
// that it registered over now. A contact of another name says that the client
// was started anew, as a page is that was loaded again: it knows nothing of its
// calls, and their legs are over.
func (d *Door) comeBack(c roamline.ClientID, w way, replaced []*flow) {
	f := w.flow
	if !f.stream() {
		return
	}
	u, err := parseURI(w.contact.URI)
	if err != nil {
		return
	}
	d.mu.RLock()
	var legs []*leg
	for _, l := range d.legs {
		if l.peer.client == c {
			legs = append(legs, l)
		}
	}
	d.mu.RUnlock()
	for _, l := range legs {
		l.lock()
		was := l.dialog.flow
		gone := was != nil && was != f && (was.closed() || slices.Contains(replaced, was))
		anew := gone && l.phase != phaseOver && l.dialog.target.User != u.User
		if anew {
			l.end(roamline.Unreachable, 0)
		}
		l.unlock()
		if gone && !anew {
			l.moveTo(f)
		}
	}
}
