package voice

import (
	"net/netip"

	"github.com/roamline/roamline"
)

// Open makes the local side of a leg for the transport t; AnyKind takes the
// path's. A leg of DTLS that is open already gets fresh ICE credentials, for a
// restart (RFC 8445 section 9): the old ones hold until Connect brings another
// user name fragment of the far end. Conflict if a leg of another transport is
// open, Exhausted if no port is free, Invalid if path.Advertise is no address.
func (e *Engine) Open(id roamline.LegID, path roamline.Path, t roamline.Transport) (roamline.Endpoint, error) {
	if t == roamline.AnyKind {
		t = path.Voice
	}
	if t == roamline.AnyKind {
		t = roamline.RTP
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return roamline.Endpoint{}, &roamline.Error{Op: "voice.Open", Kind: roamline.Unavailable, Of: string(id)}
	}
	if l := e.legs[id]; l != nil {
		return e.reopen(l, path, t)
	}
	l := &leg{id: id, cname: token(16), signalled: path.Remote.Addr().Unmap()}
	l.send.ssrc = random32() | 1
	// Below 2^15, so that the far end's guess of the roll-over counter holds
	// even if the first packets are lost (RFC 3711 section 3.3.1).
	l.send.top = int64(random32() & 0x7fff)
	l.send.lastTS, l.send.rate = random32(), 8000
	l.control.thread = e.idlest()
	var end roamline.Endpoint
	var err error
	switch t {
	case roamline.DTLS:
		end, err = e.openWeb(l, path)
	case roamline.RTP, roamline.SDES:
		end, err = e.openTrunk(l, path, t)
	default:
		err = &roamline.Error{Op: "voice.Open", Kind: roamline.Incompatibility, Of: string(t)}
	}
	if err != nil {
		return roamline.Endpoint{}, err
	}
	l.prepare(e)
	e.legs[id] = l
	th := l.control.thread
	l.owner.Store(th)
	if !th.do(func() { th.adopt(l) }) {
		return roamline.Endpoint{}, &roamline.Error{Op: "voice.Open", Kind: roamline.Unavailable, Of: string(id)}
	}
	return end, nil
}

func (e *Engine) openTrunk(l *leg, path roamline.Path, t roamline.Transport) (roamline.Endpoint, error) {
	bind := e.bindFor(path)
	seen, err := e.seenAs(path, bind)
	if err != nil {
		return roamline.Endpoint{}, err
	}
	rtp, rtcp, err := e.ports.open(bind)
	if err != nil {
		return roamline.Endpoint{}, err
	}
	port := rtp.local.Port()
	l.trunk = &trunkSide{rtp: rtp, rtcp: rtcp, port: int(port)}
	end := roamline.Endpoint{Transport: t, Addr: netip.AddrPortFrom(seen, port), RTCP: netip.AddrPortFrom(seen, port+1),
		SSRC: l.send.ssrc, CNAME: l.cname}
	if t == roamline.SDES {
		end.Keys = freshKeys()
	}
	return end, nil
}

func (e *Engine) openWeb(l *leg, path roamline.Path) (roamline.Endpoint, error) {
	at, err := e.candidates(path)
	if err != nil {
		return roamline.Endpoint{}, err
	}
	l.web = &webSide{now: credentials{token(ufragLen), token(passLen)}}
	return e.webEndpoint(l, at), nil
}

func (e *Engine) webEndpoint(l *leg, at []netip.AddrPort) roamline.Endpoint {
	return roamline.Endpoint{Transport: roamline.DTLS, Addr: at[0], RTCP: at[0], SSRC: l.send.ssrc, CNAME: l.cname,
		Ufrag: l.web.now.ufrag, Pwd: l.web.now.pwd, Candidates: at[1:], Fingerprint: e.print}
}

func (e *Engine) reopen(l *leg, path roamline.Path, t roamline.Transport) (roamline.Endpoint, error) {
	if l.web == nil || t != roamline.DTLS {
		return roamline.Endpoint{}, &roamline.Error{Op: "voice.Open", Kind: roamline.Conflict, Of: string(l.id)}
	}
	at, err := e.candidates(path)
	if err != nil {
		return roamline.Endpoint{}, err
	}
	th, end := l.control.thread, roamline.Endpoint{}
	th.do(func() {
		w := l.web
		th.drop(w.prior.ufrag)
		w.prior, w.now = w.now, credentials{token(ufragLen), token(passLen)}
		w.renewed = true
		th.name(l, w.now.ufrag)
		end = e.webEndpoint(l, at)
	})
	return end, nil
}

// adopt makes the thread own l: from now on it reads its sockets.
func (t *thread) adopt(l *leg) {
	t.legs.Add(1)
	if s := l.trunk; s != nil {
		for _, err := range []error{
			t.io.watch(fdOwner{leg: l, sock: s.rtp}),
			t.io.watch(fdOwner{leg: l, sock: s.rtcp, rtcp: true}),
		} {
			if err != nil {
				t.e.log.Error("reading a voice port", "leg", l.id, "err", err)
			}
		}
		return
	}
	t.name(l, l.web.now.ufrag)
	if l.web.prior.ufrag != "" {
		t.name(l, l.web.prior.ufrag)
	}
	for _, p := range l.web.pairs {
		t.byAddr[p.addr] = l
		t.e.owners.setAddr(p.addr, t)
	}
}

// disown undoes adopt, and returns what led browsers' packets to l.
func (t *thread) disown(l *leg) (addrs []netip.AddrPort, names []string) {
	t.legs.Add(-1)
	if s := l.trunk; s != nil {
		t.io.unwatch(s.rtp)
		t.io.unwatch(s.rtcp)
		return nil, nil
	}
	for _, c := range []credentials{l.web.now, l.web.prior} {
		delete(t.byName, c.ufrag)
		names = append(names, c.ufrag)
	}
	for _, p := range l.web.pairs {
		delete(t.byAddr, p.addr)
		addrs = append(addrs, p.addr)
	}
	return addrs, names
}

func (t *thread) name(l *leg, ufrag string) {
	t.byName[ufrag] = l
	t.e.owners.setName(ufrag, t)
}

func (t *thread) drop(ufrag string) {
	delete(t.byName, ufrag)
	t.e.owners.setName(ufrag, nil)
}
