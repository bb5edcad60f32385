package voice

import (
	"net/netip"
	"time"

	"github.com/roamline/roamline"
)

// A trunkSide is the local side of a leg with ports of its own, towards a
// trunk or a phone: RTP on an even port, RTCP on the next (RFC 3550 section 11).
//
// Whom it listens to:
//   - Not symmetric: RTP only from Media.Remote and RTCP only from Media.RTCP,
//     address and port both.
//   - Symmetric (RFC 4961): the source is learned once, from the first valid
//     packet: one with an agreed payload type, and if there are keys, one that
//     they open. It must come from the IP address of the description or of the
//     signalling. If the description's address is private or unspecified and not
//     the signalling's, the far end is behind a NAT that hides its port and maybe
//     its address: for learnWindow after Connect any source will do. Without
//     keys that is a risk the administrator takes by declaring the trunk
//     symmetric.
//   - What was learned holds until Connect brings another Media.Remote. RTCP is
//     then taken from the same IP address only.
type trunkSide struct {
	rtp, rtcp *socket
	port      int

	known    bool           // remote can be sent to
	locked   bool           // remote was learned, or is not to be
	remote   netip.AddrPort // RTP comes from there and goes there
	control  netip.AddrPort // RTCP
	to, ctlT sockaddr
	until    int64 // ns: end of the window in which any source will do
}

// learnWindow is how long after Connect the source of a far end behind NAT may
// be learned from anywhere.
const learnWindow = 5 * time.Second

// aim sets where media comes from and goes to, as agreed in m. What was
// learned before holds if the description says the same as then.
func (s *trunkSide) aim(m, before roamline.Media, again bool, signalled netip.Addr, now int64) {
	if again && m.Remote == before.Remote && m.RTCP == before.RTCP && m.Symmetric == before.Symmetric {
		return
	}
	s.setRemote(m.Remote)
	s.setControl(m.RTCP)
	if m.Mux || !m.RTCP.IsValid() {
		s.setControl(m.Remote)
	}
	s.locked, s.until = !m.Symmetric, 0
	ip := m.Remote.Addr().Unmap()
	if m.Symmetric && ip != signalled && (ip.IsPrivate() || ip.IsUnspecified() || ip.IsLinkLocalUnicast()) {
		s.until = now + int64(learnWindow)
	}
}

func (s *trunkSide) setRemote(a netip.AddrPort) {
	a = netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
	s.remote, s.to = a, sockaddrOf(a, s.rtp.v6)
	// c=0.0.0.0 is the hold of RFC 2543: nothing can be sent there.
	s.known = a.IsValid() && !a.Addr().IsUnspecified() && a.Port() != 0
}

func (s *trunkSide) setControl(a netip.AddrPort) {
	a = netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
	s.control, s.ctlT = a, sockaddrOf(a, s.rtp.v6)
}

// mayLearn reports whether from may become the remote.
func (s *trunkSide) mayLearn(from netip.AddrPort, signalled netip.Addr, now int64) bool {
	if s.locked {
		return false
	}
	ip := from.Addr()
	return ip == s.remote.Addr() || ip == signalled || now < s.until
}

// lock makes from the remote, for good.
func (s *trunkSide) lock(from netip.AddrPort, mux bool) {
	if from != s.remote {
		control := from
		if !mux {
			// Unless told otherwise by its RTCP, the next port (RFC 3550 section 11).
			control = netip.AddrPortFrom(from.Addr(), from.Port()+1)
		}
		s.setRemote(from)
		s.setControl(control)
	}
	s.locked = true
}

// fromTrunk takes one datagram of a leg's own ports.
func (t *thread) fromTrunk(l *leg, from netip.AddrPort, b []byte, onRTCP bool) {
	s := l.trunk
	kind := classify(b)
	if !l.connected || kind != rtpPacket && kind != rtcpPacket {
		t.discard(l)
		return
	}
	if kind == rtcpPacket {
		if t.controlFrom(l, from, onRTCP) {
			t.rtcpIn(l, b)
		} else {
			t.discard(l)
		}
		return
	}
	switch {
	case onRTCP:
		t.discard(l)
	case from == s.remote:
		if t.rtpIn(l, b) {
			s.locked = true
		}
	case s.mayLearn(from, l.signalled, t.now):
		if t.rtpIn(l, b) {
			s.lock(from, l.media.Mux)
		}
	default:
		t.discard(l)
	}
}

// controlFrom reports whether RTCP from this source is the far end's. With a
// learned source the port may differ, and is where our reports then go.
func (t *thread) controlFrom(l *leg, from netip.AddrPort, onRTCP bool) bool {
	s := l.trunk
	switch {
	case from == s.control:
		return true
	case l.media.Mux && !onRTCP && from == s.remote:
		return true
	case l.media.Symmetric && s.locked && onRTCP && from.Addr() == s.remote.Addr():
		s.setControl(from)
		return true
	}
	return false
}
