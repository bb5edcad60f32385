package voice

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	batchSize  = 64      // packets in one recvmmsg or sendmmsg
	bufferSize = 2048    // no media packet is longer; what is, is cut and then fails its checks
	kernelRoom = 4 << 20 // asked of the kernel for the browsers' port, bytes
	expedited  = 46 << 2 // DSCP EF (RFC 3246), as voice asks
	nameLen    = unix.SizeofSockaddrInet6
	ctlLen     = 64 // room for one packet-info message
)

// A sockaddr is an address as the kernel wants it.
type sockaddr struct {
	raw [nameLen]byte
	len uint32
}

// sockaddrOf makes a for a socket of IPv6 if v6 is set: then an IPv4 address is
// written as IPv4-mapped.
func sockaddrOf(a netip.AddrPort, v6 bool) (s sockaddr) {
	ip := a.Addr().Unmap()
	if !v6 {
		binary.NativeEndian.PutUint16(s.raw[:], unix.AF_INET)
		binary.BigEndian.PutUint16(s.raw[2:], a.Port())
		if ip.Is4() {
			b := ip.As4()
			copy(s.raw[4:], b[:])
		}
		s.len = unix.SizeofSockaddrInet4
		return s
	}
	binary.NativeEndian.PutUint16(s.raw[:], unix.AF_INET6)
	binary.BigEndian.PutUint16(s.raw[2:], a.Port())
	b := ip.As16()
	copy(s.raw[8:], b[:])
	s.len = unix.SizeofSockaddrInet6
	return s
}

// addrOf reads a kernel address. The scope of a link-local address is not kept.
func addrOf(raw *[nameLen]byte) netip.AddrPort {
	port := binary.BigEndian.Uint16(raw[2:])
	if binary.NativeEndian.Uint16(raw[:]) == unix.AF_INET {
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte(raw[4:8])), port)
	}
	return netip.AddrPortFrom(netip.AddrFrom16([16]byte(raw[8:24])).Unmap(), port)
}

// A socket is one of the engine's own UDP sockets, non-blocking.
type socket struct {
	fd    int
	v6    bool           // IPv6, with IPv4 as mapped addresses if it is bound to [::]
	any   bool           // bound to every address: packets say which one they came to
	local netip.AddrPort // as bound
	place uint64         // of its ringIO's
}

// openSocket binds a UDP socket. shared lets several sockets have the same
// address, among which the kernel spreads the senders (SO_REUSEPORT); such a
// socket also tells and chooses its local address if it is bound to all.
func openSocket(at netip.AddrPort, shared bool) (*socket, error) {
	family := unix.AF_INET
	if at.Addr().Is6() {
		family = unix.AF_INET6
	}
	fd, err := unix.Socket(family, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	s := &socket{fd: fd, v6: family == unix.AF_INET6}
	if err := s.prepare(at.Addr(), shared); err != nil {
		unix.Close(fd)
		return nil, err
	}
	var sa unix.Sockaddr = &unix.SockaddrInet4{Port: int(at.Port()), Addr: as4(at.Addr())}
	if s.v6 {
		sa = &unix.SockaddrInet6{Port: int(at.Port()), Addr: at.Addr().As16()}
	}
	if err := unix.Bind(fd, sa); err != nil {
		unix.Close(fd)
		return nil, os.NewSyscallError("bind", err)
	}
	name, err := unix.Getsockname(fd)
	if err != nil {
		unix.Close(fd)
		return nil, os.NewSyscallError("getsockname", err)
	}
	switch n := name.(type) {
	case *unix.SockaddrInet4:
		s.local = netip.AddrPortFrom(netip.AddrFrom4(n.Addr), uint16(n.Port))
	case *unix.SockaddrInet6:
		s.local = netip.AddrPortFrom(netip.AddrFrom16(n.Addr), uint16(n.Port))
	}
	return s, nil
}

func as4(a netip.Addr) [4]byte {
	if a.Unmap().Is4() {
		return a.Unmap().As4()
	}
	return [4]byte{}
}

func (s *socket) prepare(at netip.Addr, shared bool) error {
	// Marking is a wish: a container may not be allowed to.
	unix.SetsockoptInt(s.fd, unix.IPPROTO_IP, unix.IP_TOS, expedited)
	if s.v6 {
		unix.SetsockoptInt(s.fd, unix.IPPROTO_IPV6, unix.IPV6_TCLASS, expedited)
		only := 1
		if at.IsUnspecified() && shared {
			only = 0
		}
		if err := unix.SetsockoptInt(s.fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, only); err != nil {
			return os.NewSyscallError("setsockopt", err)
		}
	}
	if !shared {
		return nil
	}
	if err := unix.SetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1); err != nil {
		return os.NewSyscallError("setsockopt", err)
	}
	if unix.SetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, kernelRoom) != nil {
		unix.SetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_RCVBUF, kernelRoom)
	}
	unix.SetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_SNDBUF, kernelRoom)
	if !at.IsUnspecified() {
		return nil
	}
	s.any = true
	level, name := unix.IPPROTO_IP, unix.IP_PKTINFO
	if s.v6 {
		level, name = unix.IPPROTO_IPV6, unix.IPV6_RECVPKTINFO
	}
	return os.NewSyscallError("setsockopt", unix.SetsockoptInt(s.fd, level, name, 1))
}

func (s *socket) close() {
	if s != nil {
		unix.Close(s.fd)
	}
}

// send sends b to a; false if the kernel did not take it. It may be called
// from any thread.
func (s *socket) send(b []byte, a *sockaddr) bool {
	if len(b) == 0 {
		return false
	}
	_, _, errno := unix.RawSyscall6(unix.SYS_SENDTO, uintptr(s.fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)),
		unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, uintptr(unsafe.Pointer(&a.raw)), uintptr(a.len))
	return errno == 0
}

// sendFrom is send for a socket bound to every address, from the address that
// the far end knows.
func (s *socket) sendFrom(b []byte, a *sockaddr, local netip.Addr) bool {
	if !s.any || !local.IsValid() {
		return s.send(b, a)
	}
	if len(b) == 0 {
		return false
	}
	var ctl [ctlLen]byte
	iov := unix.Iovec{Base: &b[0]}
	iov.SetLen(len(b))
	h := unix.Msghdr{Name: &a.raw[0], Namelen: a.len, Iov: &iov, Control: &ctl[0]}
	h.SetIovlen(1)
	h.SetControllen(s.putLocal(&ctl, local))
	_, _, errno := unix.RawSyscall(unix.SYS_SENDMSG, uintptr(s.fd), uintptr(unsafe.Pointer(&h)), unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
	return errno == 0
}

// putLocal writes the control message that chooses the source address
// (ip(7), ipv6(7)) and returns its length.
func (s *socket) putLocal(ctl *[ctlLen]byte, local netip.Addr) int {
	h := (*unix.Cmsghdr)(unsafe.Pointer(ctl))
	*ctl = [ctlLen]byte{}
	if s.v6 {
		h.Level, h.Type = unix.IPPROTO_IPV6, unix.IPV6_PKTINFO
		h.SetLen(unix.CmsgLen(unix.SizeofInet6Pktinfo))
		b := local.As16()
		copy(ctl[unix.CmsgLen(0):], b[:])
		return unix.CmsgSpace(unix.SizeofInet6Pktinfo)
	}
	h.Level, h.Type = unix.IPPROTO_IP, unix.IP_PKTINFO
	h.SetLen(unix.CmsgLen(unix.SizeofInet4Pktinfo))
	b := as4(local)
	copy(ctl[unix.CmsgLen(0)+4:], b[:])
	return unix.CmsgSpace(unix.SizeofInet4Pktinfo)
}

// localOf reads the address that a packet came to from its control message.
func (s *socket) localOf(ctl *[ctlLen]byte, n int) netip.Addr {
	if n < unix.CmsgLen(unix.SizeofInet4Pktinfo) {
		return netip.Addr{}
	}
	h := (*unix.Cmsghdr)(unsafe.Pointer(ctl))
	at := unix.CmsgLen(0)
	switch {
	case h.Level == unix.IPPROTO_IPV6 && h.Type == unix.IPV6_PKTINFO:
		return netip.AddrFrom16([16]byte(ctl[at : at+16])).Unmap()
	case h.Level == unix.IPPROTO_IP && h.Type == unix.IP_PKTINFO:
		return netip.AddrFrom4([4]byte(ctl[at+8 : at+12]))
	}
	return netip.Addr{}
}

// inUse reports whether err says that another holds the port.
func inUse(err error) bool { return errors.Is(err, unix.EADDRINUSE) }
