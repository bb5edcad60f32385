package voice

import (
	"bytes"
	"encoding/binary"
	"net"
	"net/netip"
	"time"

	"github.com/pion/stun/v4"

	"github.com/roamline/roamline"
)

// A webSide is the local side of a leg that speaks ICE and DTLS-SRTP: an
// ICE-lite agent (RFC 8445 section 2.5) that answers checks and makes none.
type webSide struct {
	now   credentials
	prior credentials // of before an ICE restart, until the new ones are used

	renewed bool // ours changed, and theirs are not known yet

	pairs     []pair
	nominated bool
	remote    netip.AddrPort // nominated
	to        sockaddr
	local     netip.Addr // where the far end reaches us, if bound to all addresses

	checked int64 // ns: first valid check
	shake   *handshake
	early   [][]byte // DTLS that came before Connect
	done    bool     // keys are there
	last    lastFlight
}

// credentials are ours of one ICE session.
type credentials struct{ ufrag, pwd string }

// A pair is an address from which a valid check came.
type pair struct {
	addr     netip.AddrPort
	local    netip.Addr
	theirs   string // the user name fragment that the far end gave
	priority uint32
	asked    bool  // it was nominated
	heard    int64 // ns: last valid check
}

const (
	maxPairs   = 8                      // addresses validated for one leg; the one silent longest gives way
	maxEarly   = 4                      // DTLS datagrams kept until Connect
	stalePair  = int64(5 * time.Second) // a pair silent for so long may be taken from its leg
	maxSTUN    = 1024                   // bytes; a check has about 100
	ufragLen   = 8                      // RFC 8839 section 5.4 asks for 4 to 256
	passLen    = 24                     // and for 22 to 256
	quietStale = int64(2 * time.Second) // a nominated pair silent for so long is left for any other
)

// A stunFront is a thread's room for reading and answering checks.
type stunFront struct{ req, res stun.Message }

// known are the attributes that a check may have although they must be
// understood (RFC 8489 section 14; RFC 8445 section 16.1).
func known(a stun.AttrType) bool {
	switch a {
	case stun.AttrUsername, stun.AttrMessageIntegrity, stun.AttrMessageIntegritySHA256,
		stun.AttrPriority, stun.AttrUseCandidate:
		return true
	}
	return a >= 0x8000 // comprehension-optional
}

// readCheck decodes b as a Binding request with a fingerprint; false if it is
// anything else (RFC 8445 section 7.3, RFC 8489 section 14.7). The message
// keeps a copy.
func readCheck(m *stun.Message, b []byte) bool {
	if len(b) < 20 || len(b) > maxSTUN || !stun.IsMessage(b) {
		return false
	}
	if int(binary.BigEndian.Uint16(b[2:]))+20 != len(b) {
		return false
	}
	m.Raw = append(m.Raw[:0], b...)
	if m.Decode() != nil || m.Type != stun.BindingRequest {
		return false
	}
	return stun.Fingerprint.Check(m) == nil
}

// localUfrag returns our half of a check's user name, "ours:theirs"
// (RFC 8445 section 7.2.2).
func localUfrag(m *stun.Message) (ours, theirs []byte, ok bool) {
	name, err := m.Get(stun.AttrUsername)
	if err != nil {
		return nil, nil, false
	}
	return bytes.Cut(name, []byte{':'})
}

// fromICE answers a connectivity check. A stranger learns nothing: what does
// not name an open leg, or does not prove its password, is dropped. Only the
// far end of a validated address is told why it is refused (RFC 8489
// section 9.1.3): its credentials may be those of before a restart.
func (t *thread) fromICE(from netip.AddrPort, local netip.Addr, b []byte) {
	m := &t.stun.req
	if !readCheck(m, b) {
		t.counts.discarded++
		return
	}
	ours, theirs, ok := localUfrag(m)
	if !ok {
		t.refuseKnown(from, local, m, stun.CodeBadRequest)
		return
	}
	l := t.byName[string(ours)]
	if l == nil {
		if !t.passOn(from, local, b, t.e.owners.ofName(ours)) {
			t.refuseKnown(from, local, m, stun.CodeUnauthorized)
		}
		return
	}
	w := l.web
	c := w.now
	if string(ours) == w.prior.ufrag {
		c = w.prior
	}
	pass := stun.NewShortTermIntegrity(c.pwd)
	if !m.Contains(stun.AttrMessageIntegrity) {
		t.refuseKnown(from, local, m, stun.CodeBadRequest)
		return
	}
	expected := l.connected && !(w.renewed && c == w.now)
	if pass.Check(m) != nil || expected && string(theirs) != l.media.Ufrag {
		t.refuseKnown(from, local, m, stun.CodeUnauthorized)
		return
	}
	t.answer(l, m, pass, from, local, string(theirs))
}

// refuseKnown answers with an error if from is the validated address of a leg,
// and drops the check if not.
func (t *thread) refuseKnown(from netip.AddrPort, local netip.Addr, m *stun.Message, code stun.ErrorCode) {
	t.counts.discarded++
	if t.byAddr[from] == nil {
		return
	}
	t.respond(from, local, m, stun.BindingError, code, stun.Fingerprint)
}

// answer takes a check whose sender proved the password.
func (t *thread) answer(l *leg, m *stun.Message, pass stun.MessageIntegrity, from netip.AddrPort, local netip.Addr, theirs string) {
	var unknown stun.UnknownAttributes
	for _, a := range m.Attributes {
		if !known(a.Type) {
			unknown = append(unknown, a.Type)
		}
	}
	switch {
	case len(unknown) > 0:
		t.respond(from, local, m, stun.BindingError, stun.CodeUnknownAttribute, unknown, pass, stun.Fingerprint)
		return
	case m.Contains(stun.AttrICEControlled):
		// A lite agent is always the controlled one: the far end must switch
		// (RFC 8445 sections 6.1.1 and 7.3.1.1).
		t.respond(from, local, m, stun.BindingError, stun.CodeRoleConflict, pass, stun.Fingerprint)
		return
	}
	if !t.validate(l, m, from, local, theirs) {
		t.discard(l)
		return
	}
	t.respond(from, local, m, stun.BindingSuccess,
		&stun.XORMappedAddress{IP: net.IP(from.Addr().AsSlice()), Port: int(from.Port())}, pass, stun.Fingerprint)
	t.advance(l)
}

func (t *thread) respond(to netip.AddrPort, local netip.Addr, req *stun.Message, kind stun.MessageType, attrs ...stun.Setter) {
	res := &t.stun.res
	res.Reset()
	res.TransactionID = req.TransactionID
	res.SetType(kind)
	res.WriteHeader()
	for _, a := range attrs {
		if err := a.AddTo(res); err != nil {
			t.e.log.Error("STUN response", "err", err)
			return
		}
	}
	res.WriteHeader()
	a := sockaddrOf(to, t.web.v6)
	t.io.put(len(append(t.io.buffer(), res.Raw...)), &a, local)
}

// validate remembers that the far end is at from. An address that another leg
// used a moment ago stays that leg's: a check could carry a forged source.
func (t *thread) validate(l *leg, m *stun.Message, from netip.AddrPort, local netip.Addr, theirs string) bool {
	if o := t.byAddr[from]; o != nil && o != l {
		if p := o.web.find(from); p != nil && t.now-p.heard < stalePair {
			return false
		}
		t.forget(o, from)
	} else if o == nil {
		if other := t.e.owners.ofAddr(from); other != nil && other != t {
			return false
		}
	}
	w := l.web
	p := w.find(from)
	if p == nil {
		if len(w.pairs) == maxPairs {
			t.forget(l, w.quietest().addr)
		}
		w.pairs = append(w.pairs, pair{addr: from})
		p = &w.pairs[len(w.pairs)-1]
		t.byAddr[from] = l
		t.e.owners.setAddr(from, t)
	}
	p.local, p.theirs, p.heard = local, theirs, t.now
	if v, err := m.Get(stun.AttrPriority); err == nil && len(v) == 4 {
		p.priority = uint32(v[0])<<24 | uint32(v[1])<<16 | uint32(v[2])<<8 | uint32(v[3])
	}
	l.lastPacket = t.now
	if w.checked == 0 {
		w.checked = t.now
	}
	if m.Contains(stun.AttrUseCandidate) {
		p.asked = true
		w.choose(p, t)
	}
	return true
}

// choose makes p the pair to send on, if it is to be preferred: a far end that
// nominates several means the one of highest priority (RFC 8445 section 8.1.1),
// unless it fell silent there.
func (w *webSide) choose(p *pair, t *thread) {
	if w.nominated && w.remote != p.addr {
		if old := w.find(w.remote); old != nil && old.priority > p.priority && t.now-old.heard < quietStale {
			return
		}
	}
	w.use(p, t)
}

// use sends to p from now on.
func (w *webSide) use(p *pair, t *thread) {
	w.nominated, w.remote, w.local = true, p.addr, p.local
	w.to = sockaddrOf(p.addr, t.web.v6)
	if w.shake != nil {
		w.shake.aim(w.to, w.local)
	}
}

func (w *webSide) find(a netip.AddrPort) *pair {
	for i := range w.pairs {
		if w.pairs[i].addr == a {
			return &w.pairs[i]
		}
	}
	return nil
}

func (w *webSide) quietest() *pair {
	q := &w.pairs[0]
	for i := range w.pairs {
		if p := &w.pairs[i]; p.addr != w.remote && (q.addr == w.remote || p.heard < q.heard) {
			q = p
		}
	}
	return q
}

// forget takes the address a from the leg.
func (t *thread) forget(l *leg, a netip.AddrPort) {
	w := l.web
	for i := range w.pairs {
		if w.pairs[i].addr == a {
			w.pairs = append(w.pairs[:i], w.pairs[i+1:]...)
			break
		}
	}
	delete(t.byAddr, a)
	t.e.owners.setAddr(a, nil)
	if w.remote == a {
		w.nominated = false
	}
}

// spokeFrom follows the voice: if the far end sends from another address that
// it validated and nominated, it has moved there.
func (t *thread) spokeFrom(l *leg, from netip.AddrPort) {
	w := l.web
	if from == w.remote {
		return
	}
	if p := w.find(from); p != nil && p.asked {
		w.use(p, t)
	}
}

// agreed takes what Connect says of ICE. Pairs made before it count only if
// they gave the user name that was agreed. After an ICE restart the pairs of
// before serve until one of the new session is nominated (RFC 8445 section 9).
func (t *thread) agreed(l *leg, m roamline.Media) {
	w := l.web
	for i := len(w.pairs) - 1; i >= 0; i-- {
		switch p := &w.pairs[i]; {
		case p.theirs == m.Ufrag:
		case l.connected:
			p.priority = 0
		default:
			t.forget(l, p.addr)
		}
	}
	w.renewed = false
}
