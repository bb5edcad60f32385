package voice

import (
	"net/netip"
	"unsafe"

	"golang.org/x/sys/unix"
)

// An inbox receives packets of one socket at a time, many with one system
// call. A packet stays until the next receive.
type inbox struct {
	hdrs  [batchSize]unix.Mmsghdr
	iovs  [batchSize]unix.Iovec
	names [batchSize][nameLen]byte
	ctls  [batchSize][ctlLen]byte
	bufs  [batchSize][bufferSize]byte
	used  int // headers that the kernel wrote to
}

func newInbox() *inbox {
	in := &inbox{used: batchSize}
	for i := range in.hdrs {
		in.iovs[i].Base = &in.bufs[i][0]
		in.iovs[i].SetLen(bufferSize)
		h := &in.hdrs[i].Hdr
		h.Name = &in.names[i][0]
		h.Iov = &in.iovs[i]
		h.SetIovlen(1)
		h.Control = &in.ctls[i][0]
	}
	return in
}

// receive takes up to most packets that wait at s and returns how many.
func (in *inbox) receive(s *socket, most int) int {
	for i := range in.used {
		h := &in.hdrs[i].Hdr
		h.Namelen = nameLen
		h.SetControllen(ctlLen)
	}
	n, _, errno := unix.RawSyscall6(unix.SYS_RECVMMSG, uintptr(s.fd), uintptr(unsafe.Pointer(&in.hdrs[0])), uintptr(most), unix.MSG_DONTWAIT, 0, 0)
	if errno != 0 {
		in.used = 0
		return 0
	}
	in.used = int(n)
	return int(n)
}

func (in *inbox) packet(i int) []byte       { return in.bufs[i][:in.hdrs[i].Len] }
func (in *inbox) from(i int) netip.AddrPort { return addrOf(&in.names[i]) }

func (in *inbox) to(s *socket, i int) netip.Addr {
	if !s.any {
		return netip.Addr{}
	}
	return s.localOf(&in.ctls[i], int(in.hdrs[i].Hdr.Controllen))
}

// An outbox gathers packets for one socket and sends them together.
type outbox struct {
	sock  *socket
	hdrs  [batchSize]unix.Mmsghdr
	iovs  [batchSize]unix.Iovec
	names [batchSize]sockaddr
	ctls  [batchSize][ctlLen]byte
	bufs  [batchSize][bufferSize]byte
	n     int
	lost  uint64 // packets that the kernel did not take
}

func newOutbox(s *socket) *outbox {
	o := &outbox{sock: s}
	for i := range o.hdrs {
		o.iovs[i].Base = &o.bufs[i][0]
		h := &o.hdrs[i].Hdr
		h.Name = &o.names[i].raw[0]
		h.Iov = &o.iovs[i]
		h.SetIovlen(1)
	}
	return o
}

// buffer returns the room for the next packet, empty. It is sent once put was
// called.
func (o *outbox) buffer() []byte {
	if o.n == batchSize {
		o.flush()
	}
	return o.bufs[o.n][:0]
}

// put queues the packet of size bytes that was written to buffer.
func (o *outbox) put(size int, to *sockaddr, local netip.Addr) {
	o.fill(o.sock, size, to, local)
}

// fill prepares it for the socket s and returns its message.
func (o *outbox) fill(s *socket, size int, to *sockaddr, local netip.Addr) *unix.Msghdr {
	o.iovs[o.n].SetLen(size)
	o.names[o.n] = *to
	h := &o.hdrs[o.n].Hdr
	h.Namelen = to.len
	h.Control = nil
	h.SetControllen(0)
	if s.any && local.IsValid() {
		h.Control = &o.ctls[o.n][0]
		h.SetControllen(s.putLocal(&o.ctls[o.n], local))
	}
	o.n++
	return h
}

// flush sends what is queued. A packet that the kernel refuses is lost, as on
// any network.
func (o *outbox) flush() {
	for i := 0; i < o.n; {
		n, _, errno := unix.RawSyscall6(unix.SYS_SENDMMSG, uintptr(o.sock.fd), uintptr(unsafe.Pointer(&o.hdrs[i])), uintptr(o.n-i),
			unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, 0, 0)
		if errno != 0 || n == 0 {
			o.lost++
			i++
			continue
		}
		i += int(n)
	}
	o.n = 0
}
