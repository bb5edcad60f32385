package voice

import (
	"encoding/binary"
	"errors"
	"log/slog"
	"net/netip"
	"os"
	"runtime"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A ringIO reads and sends by io_uring: one system call a round sends what was
// queued and waits for what comes, from whichever sockets.
type ringIO struct {
	t        *thread
	r        *ring
	wake     int // eventfd
	watched  []watched
	unused   []uint64    // places in watched
	idle     []uint64    // places whose request is to be made again
	shape    unix.Msghdr // what a received packet's room looks like
	shapeAny unix.Msghdr // the same, for a socket bound to every address
	out      *outbox
	failed   uint64
	again    bool // unwatch may have taken the thread's rousing: wait must not wait
}

// A watched is a socket with a request to receive, again and again.
type watched struct {
	fdOwner
	asked bool // the request is the kernel's
	ended bool // nobody watches any longer
	fails int  // in a row
}

// Results are told apart by their entry's data: a place in watched, or one of
// these.
const (
	ofSend uint64 = 1<<32 + iota
	ofWake
	ofCancel
)

const (
	// A received packet is preceded by a head of 16 bytes, which says how long
	// each part is, the sender's address, and control messages
	// (struct io_uring_recvmsg_out).
	ringHeadLen = 16
	ringNameLen = 32 // nameLen, so that what follows is aligned

	ringFails  = 8  // errors in a row after which a socket is given up
	ringAtOnce = 32 // packets sent together in the middle of a round
)

func newRingIO(t *thread) (*ringIO, error) {
	r, err := newRing()
	if err != nil {
		return nil, err
	}
	x := &ringIO{t: t, r: r, out: newOutbox(t.web)}
	x.shape.Namelen, x.shapeAny.Namelen = ringNameLen, ringNameLen
	x.shapeAny.SetControllen(ctlLen)
	if x.wake, err = unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC); err != nil {
		r.free()
		return nil, os.NewSyscallError("eventfd", err)
	}
	return x, nil
}

func (x *ringIO) begin() error {
	if err := x.r.enable(); err != nil {
		return err
	}
	x.askWake()
	return nil
}

// askWake asks to be told whenever the eventfd is written to; it needs not be
// read.
func (x *ringIO) askWake() {
	if e := x.r.entry(); e != nil {
		e.op, e.fd, e.len, e.opFlags, e.data = ringOpPollAdd, int32(x.wake), ringPollMulti, unix.POLLIN, ofWake
	}
}

func (x *ringIO) watch(o fdOwner) error {
	at := uint64(len(x.watched))
	if n := len(x.unused); n > 0 {
		at, x.unused = x.unused[n-1], x.unused[:n-1]
	} else {
		x.watched = append(x.watched, watched{})
	}
	x.watched[at] = watched{fdOwner: o}
	o.sock.place = at
	x.idle = append(x.idle, at)
	return nil
}

// ask has the kernel receive at the sockets that it does not yet receive at.
func (x *ringIO) ask() {
	for n := len(x.idle); n > 0; n-- {
		at := x.idle[n-1]
		x.idle = x.idle[:n-1]
		w := &x.watched[at]
		if w.sock == nil || w.asked || w.ended {
			continue
		}
		e := x.r.entry()
		if e == nil {
			x.idle = append(x.idle, at)
			return
		}
		shape := &x.shape
		if w.sock.any {
			shape = &x.shapeAny
		}
		e.op, e.flags, e.prio, e.fd = ringOpRecvmsg, ringBufferSelect, ringRecvMulti, int32(w.sock.fd)
		e.addr, e.len, e.data = uint64(uintptr(unsafe.Pointer(shape))), 1, at
		w.asked = true
	}
}

// unwatch returns when the kernel has let go of the socket: until then the
// request holds it, and its port, beyond close.
func (x *ringIO) unwatch(s *socket) {
	at := s.place
	x.watched[at].ended, x.again = true, true
	// What is queued for the socket must not go to another that gets its number.
	x.flush()
	for tries := 0; x.watched[at].asked && tries < 100; tries++ {
		if tries == 0 {
			x.cancel(at, 0)
		}
		if err := x.r.await(10*time.Millisecond, false); err != nil && err != unix.EINTR && err != unix.ETIME {
			x.t.e.log.Error("leaving a voice port", "err", err)
		}
		x.deliver()
	}
	if x.watched[at].asked {
		x.watched[at].fdOwner = fdOwner{} // its place stays taken
		return
	}
	x.watched[at] = watched{}
	x.unused = append(x.unused, at)
}

func (x *ringIO) cancel(data uint64, how uint32) {
	if e := x.r.entry(); e != nil {
		e.op, e.fd, e.addr, e.opFlags, e.data = ringOpAsyncCancel, -1, data, how, ofCancel
	}
}

func (x *ringIO) wait(ms int, keep bool) error {
	x.ask()
	if x.again {
		x.again, ms = false, 0
	}
	err := x.r.await(time.Duration(ms)*time.Millisecond, keep)
	x.flush()
	if err == unix.ETIME {
		return nil
	}
	return err
}

func (x *ringIO) deliver() {
	for {
		c, ok := x.r.take()
		if !ok {
			break
		}
		switch c.data {
		case ofSend:
			x.failed++
		case ofCancel:
		case ofWake:
			if c.flags&ringMore == 0 {
				x.askWake()
			}
		default:
			x.received(c)
		}
	}
	x.r.offer()
}

func (x *ringIO) received(c ringResult) {
	w := &x.watched[c.data]
	if c.flags&ringMore == 0 {
		w.asked = false
		x.idle = append(x.idle, c.data)
	}
	if c.flags&ringHasBuffer == 0 {
		x.refused(w, unix.Errno(-c.res))
		return
	}
	w.fails = 0
	id := uint16(c.flags >> 16)
	if b := x.r.buffer(id); c.res >= ringHeadLen+ringNameLen {
		x.open(w.fdOwner, b[:c.res])
	}
	x.r.give(id)
}

// open takes a received packet apart and hands it to the thread.
func (x *ringIO) open(o fdOwner, b []byte) {
	if o.sock == nil {
		return
	}
	at := ringHeadLen + ringNameLen
	local := netip.Addr{}
	if o.sock.any {
		n := int(binary.NativeEndian.Uint32(b[4:]))
		local = o.sock.localOf((*[ctlLen]byte)(b[at:]), n)
		at += ctlLen
	}
	x.t.arrived(o, addrOf((*[nameLen]byte)(b[ringHeadLen:])), local, b[at:])
}

// refused notes that a request ended without a packet. That there was no
// buffer is nothing: what came waits in the socket.
func (x *ringIO) refused(w *watched, errno unix.Errno) {
	switch {
	case w.ended || errno == unix.ENOBUFS || errno == unix.ECANCELED:
		return
	case w.fails < ringFails:
		w.fails++
		return
	}
	w.ended = true
	x.t.e.log.Error("reading a voice port", "port", w.sock.local.Port(), "err", error(errno))
}

func (x *ringIO) buffer() []byte {
	if x.out.n == ringAtOnce {
		x.flush()
	}
	return x.out.bufs[x.out.n][:0]
}

func (x *ringIO) put(size int, to *sockaddr, local netip.Addr) { x.queue(x.out.sock, size, to, local) }

func (x *ringIO) send(s *socket, b []byte, to *sockaddr) bool {
	room := x.buffer()
	if len(b) == 0 || len(b) > cap(room) {
		return false
	}
	x.queue(s, len(append(room, b...)), to, netip.Addr{})
	return true
}

// queue asks for the packet that was written to buffer to be sent, or lost if
// the socket's room is full (MSG_DONTWAIT).
func (x *ringIO) queue(s *socket, size int, to *sockaddr, local netip.Addr) {
	e := x.r.entry()
	if e == nil {
		x.failed++
		return
	}
	e.flags, e.fd, e.data, e.opFlags = ringSkipSuccess, int32(s.fd), ofSend, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL
	if s.any && local.IsValid() {
		h := x.out.fill(s, size, to, local)
		e.op, e.addr, e.len = ringOpSendmsg, uint64(uintptr(unsafe.Pointer(h))), 1
		return
	}
	i := x.out.n
	x.out.n++
	x.out.names[i] = *to
	e.op, e.addr, e.len = ringOpSend, uint64(uintptr(unsafe.Pointer(&x.out.bufs[i][0]))), uint32(size)
	e.off, e.addrLen = uint64(uintptr(unsafe.Pointer(&x.out.names[i].raw[0]))), uint16(to.len)
}

// flush submits what the kernel has not yet. Of what it does not take, no
// packet may stay: its buffer is used again.
func (x *ringIO) flush() {
	if err := x.r.submit(); err != nil {
		x.failed += x.r.withdraw()
		x.t.e.log.Error("sending voice", "err", err)
	}
	x.out.n = 0
}

func (x *ringIO) lost() uint64 { return x.failed }

func (x *ringIO) rouse() {
	one := [8]byte{0: 1}
	unix.Write(x.wake, one[:])
}

// end has the kernel let go of all.
func (x *ringIO) end() {
	x.flush()
	for i := range x.watched {
		x.watched[i].ended = true
	}
	x.cancel(0, ringCancelAll|ringCancelAny)
	x.r.poll()
	x.r.poll()
}

func (x *ringIO) free() {
	x.r.free()
	unix.Close(x.wake)
}

// ringWorks makes a ring and has it receive a packet that it sent, so that a
// kernel that knows io_uring but forbids it, or lacks a part that we need, is
// found out at the start. It returns what is wrong.
func ringWorks() error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	s, err := openSocket(netip.MustParseAddrPort("127.0.0.1:0"), false)
	if err != nil {
		return err
	}
	defer s.close()
	x, err := newRingIO(&thread{web: s, e: &Engine{log: slog.New(slog.DiscardHandler)}})
	if err != nil {
		return err
	}
	defer x.free()
	if err := x.begin(); err != nil {
		return err
	}
	if err := x.watch(fdOwner{sock: s}); err != nil {
		return err
	}
	to := sockaddrOf(s.local, s.v6)
	x.send(s, []byte("works"), &to)
	err = errors.New("io_uring does not receive")
	for range 10 {
		if e := x.wait(100, false); e != nil && e != unix.EINTR {
			return os.NewSyscallError("io_uring_enter", e)
		}
		c, ok := x.r.take()
		if ok && c.data == s.place && c.flags&(ringHasBuffer|ringMore) == ringHasBuffer|ringMore {
			err = nil
			break
		}
		if ok && c.data < ofSend {
			err = os.NewSyscallError("io_uring_enter", unix.Errno(-min(c.res, 0)))
			break
		}
	}
	x.end()
	return err
}
