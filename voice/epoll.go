package voice

import (
	"net/netip"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// keepLimit bounds a wait in which a thread keeps its place among the
// GOMAXPROCS, in ms. A thread that was roused within it keeps it the next time
// too; a longer wait is an ordinary system call, so that a server at rest
// rests.
//
// The runtime stops such a thread, for the garbage collector, by its signal
// SIGURG. Neither epoll_wait nor io_uring_enter goes on after a signal
// (signal(7)): the thread comes back into Go, where it lets itself be stopped.
// The runtime repeats a signal that came just before the wait, and the bound
// holds even where its signals are off (GODEBUG=asyncpreemptoff=1).
const keepLimit = 5

// An epollIO waits in epoll, reads by recvmmsg, and sends to browsers by
// sendmmsg at the end of a round, to others at once.
type epollIO struct {
	t      *thread
	fd     int
	wake   int // eventfd
	ready  []unix.EpollEvent
	n      int       // of ready
	owners []fdOwner // by descriptor
	in     *inbox
	out    *outbox
}

const (
	epollBatch = 512 // events of one wait
	trunkBatch = 8   // a trunk's socket brings one packet each 20 ms: a few at once are a burst
)

func newEpollIO(t *thread) (*epollIO, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	p := &epollIO{t: t, fd: fd, wake: -1, ready: make([]unix.EpollEvent, epollBatch), in: newInbox(), out: newOutbox(t.web)}
	p.wake, err = unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC)
	if err == nil {
		// Edge-triggered, the eventfd never needs to be read.
		err = p.add(p.wake, unix.EPOLLET)
	}
	if err != nil {
		p.free()
		return nil, os.NewSyscallError("eventfd", err)
	}
	return p, nil
}

func (p *epollIO) add(fd int, how uint32) error {
	return unix.EpollCtl(p.fd, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN | how, Fd: int32(fd)})
}

func (p *epollIO) watch(o fdOwner) error {
	fd := o.sock.fd
	for fd >= len(p.owners) {
		p.owners = append(p.owners, fdOwner{})
	}
	p.owners[fd] = o
	return os.NewSyscallError("epoll_ctl", p.add(fd, 0))
}

// unwatch leaves what waits in the socket, to be read by whoever watches it
// next.
func (p *epollIO) unwatch(s *socket) {
	if s.fd < len(p.owners) {
		p.owners[s.fd] = fdOwner{}
	}
	unix.EpollCtl(p.fd, unix.EPOLL_CTL_DEL, s.fd, nil)
}

func (p *epollIO) wait(ms int, keep bool) (err error) {
	p.out.flush()
	if !keep {
		p.n, err = unix.EpollWait(p.fd, p.ready, ms)
		p.n = max(p.n, 0)
		return err
	}
	n, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(p.fd), uintptr(unsafe.Pointer(&p.ready[0])),
		uintptr(len(p.ready)), uintptr(ms), 0, 0)
	p.n = int(n)
	if errno != 0 {
		p.n, err = 0, errno
	}
	return err
}

func (p *epollIO) deliver() {
	for _, ev := range p.ready[:p.n] {
		if int(ev.Fd) >= len(p.owners) {
			continue
		}
		switch o := p.owners[ev.Fd]; {
		case o.sock == nil: // the eventfd, or closed by a command of this round
		case o.leg == nil:
			p.readBrowsers(o)
		default:
			p.read(o, trunkBatch)
		}
	}
	p.n = 0
}

func (p *epollIO) read(o fdOwner, most int) int {
	n := p.in.receive(o.sock, most)
	for i := range n {
		p.t.arrived(o, p.in.from(i), p.in.to(o.sock, i), p.in.packet(i))
	}
	return n
}

// readBrowsers takes at most a few batches, so that a flood there leaves the
// trunks their turn.
func (p *epollIO) readBrowsers(o fdOwner) {
	for range 8 {
		if p.read(o, batchSize) < batchSize {
			return
		}
	}
}

func (p *epollIO) rouse() {
	one := [8]byte{0: 1}
	unix.Write(p.wake, one[:])
}

func (p *epollIO) send(s *socket, b []byte, to *sockaddr) bool { return s.send(b, to) }

func (p *epollIO) buffer() []byte { return p.out.buffer() }

func (p *epollIO) put(size int, to *sockaddr, local netip.Addr) { p.out.put(size, to, local) }

func (p *epollIO) lost() uint64 { return p.out.lost }
func (p *epollIO) begin() error { return nil }
func (p *epollIO) end()         { p.out.flush() }

func (p *epollIO) free() {
	unix.Close(p.fd)
	if p.wake >= 0 {
		unix.Close(p.wake)
	}
}
