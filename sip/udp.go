package sip

import (
	"errors"
	"net"
	"net/netip"
)

// A socket is one UDP socket of the door.
type socket struct {
	conn  net.PacketConn
	local netip.AddrPort
}

func (s *socket) write(b []byte, to netip.AddrPort) error {
	if c, ok := s.conn.(*net.UDPConn); ok {
		if s.local.Addr().Is6() && to.Addr().Is4() {
			to = netip.AddrPortFrom(netip.AddrFrom16(to.Addr().As16()), to.Port())
		}
		_, err := c.WriteToUDPAddrPort(b, to)
		return err
	}
	_, err := s.conn.WriteTo(b, net.UDPAddrFromAddrPort(to))
	return err
}

// ServeUDP takes SIP over UDP from conn until conn or the door is closed. It
// closes conn. Several sockets may be served, one for each address family.
func (d *Door) ServeUDP(conn net.PacketConn) error {
	s := &socket{conn: conn, local: addrPort(conn.LocalAddr())}
	if !d.addSocket(s) {
		conn.Close()
		return net.ErrClosed
	}
	defer d.removeSocket(s)
	d.start()
	d.registrar.announce()
	buf := make([]byte, 65536)
	for {
		n, from, err := conn.ReadFrom(buf)
		if err != nil {
			if d.isClosed() || errors.Is(err, net.ErrClosed) {
				return net.ErrClosed
			}
			var timeout net.Error
			if errors.As(err, &timeout) && timeout.Timeout() {
				continue
			}
			if d.isTransient(err) {
				continue
			}
			return fault1("sip.ServeUDP", conn.LocalAddr().String(), err)
		}
		if n < 12 { // keepalives (RFC 5626 section 3.5, and zeros)
			continue
		}
		f := &flow{door: d, transport: "udp", udp: s, local: s.local, remote: addrPort(from), inward: true}
		d.datagram(f, buf[:n])
	}
}

// datagram takes one message that came whole.
func (d *Door) datagram(f *flow, b []byte) {
	t, flt := parseDatagram(b)
	if flt == nil {
		flt = t.check()
	}
	if flt != nil {
		d.refuseText(f, &t, flt)
		return
	}
	d.deliver(f, &t)
}

// socketFor chooses the UDP socket that reaches to.
func (d *Door) socketFor(to netip.Addr) *socket {
	d.mu.RLock()
	defer d.mu.RUnlock()
	var dual *socket
	for _, s := range d.sockets {
		a := s.local.Addr()
		switch {
		case a.Is4() == to.Is4() && (a.IsUnspecified() || a.IsLoopback() == to.IsLoopback()):
			return s
		case a.Is6() && a.IsUnspecified(), a.Is4() == to.Is4() && dual == nil:
			dual = s
		}
	}
	return dual
}

// addrPort reads an address as the netip type; IPv4 in IPv6 becomes IPv4.
func addrPort(a net.Addr) netip.AddrPort {
	var ap netip.AddrPort
	switch a := a.(type) {
	case *net.UDPAddr:
		ap = a.AddrPort()
	case *net.TCPAddr:
		ap = a.AddrPort()
	case nil:
		return ap
	default:
		ap, _ = netip.ParseAddrPort(a.String())
	}
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}
