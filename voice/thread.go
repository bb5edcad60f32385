package voice

import (
	"net/netip"
	"runtime"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
)

// A thread is one media thread: an epoll loop on an operating system's thread
// of its own. It owns its legs: nobody else touches their state, so a packet
// meets no lock. Everybody else hands it commands.
type thread struct {
	e    *Engine
	ep   int
	wake int // eventfd

	mu     sync.Mutex
	queue  []func()
	spare  []func()
	closed bool
	passed handoff // browser packets that another thread's socket received

	now    int64 // ns on the engine's clock, at the last waking
	timers timers
	web    *socket // the browsers' port
	in     *inbox
	out    *outbox // towards browsers
	plain  []byte  // scratch: a packet made here
	cipher []byte  // scratch: a packet encrypted for a trunk
	byFD   []fdOwner
	byAddr map[netip.AddrPort]*leg // ICE-validated addresses
	byName map[string]*leg         // our ICE user name fragments
	stun   stunFront

	rtpHead  rtp.Header // pion's copy of a header
	rtcpHead rtcp.Header

	legs      atomic.Int64
	counts    counts // the thread's own
	published published
}

// An fdOwner says whose socket a descriptor is.
type fdOwner struct {
	leg  *leg
	sock *socket
	rtcp bool
}

func newThread(e *Engine, web *socket) (*thread, error) {
	ep, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, err
	}
	wake, err := unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC)
	if err != nil {
		unix.Close(ep)
		return nil, err
	}
	t := &thread{
		e: e, ep: ep, wake: wake, web: web,
		in: newInbox(), out: newOutbox(web),
		plain: make([]byte, 0, bufferSize), cipher: make([]byte, 0, bufferSize),
		byAddr: map[netip.AddrPort]*leg{}, byName: map[string]*leg{},
	}
	// Edge-triggered, the eventfd never needs to be read.
	err = unix.EpollCtl(ep, unix.EPOLL_CTL_ADD, wake, &unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLET, Fd: int32(wake)})
	if err == nil {
		err = t.watch(web.fd, fdOwner{sock: web})
	}
	if err != nil {
		unix.Close(ep)
		unix.Close(wake)
		return nil, err
	}
	return t, nil
}

// watch has the loop read fd for its owner.
func (t *thread) watch(fd int, o fdOwner) error {
	for fd >= len(t.byFD) {
		t.byFD = append(t.byFD, fdOwner{})
	}
	t.byFD[fd] = o
	return unix.EpollCtl(t.ep, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)})
}

func (t *thread) unwatch(fd int) {
	if fd < len(t.byFD) {
		t.byFD[fd] = fdOwner{}
	}
	unix.EpollCtl(t.ep, unix.EPOLL_CTL_DEL, fd, nil)
}

// post has the thread run f soon, after what was posted before; false if the
// thread has ended.
func (t *thread) post(f func()) bool {
	t.mu.Lock()
	if t.closed {
		t.mu.Unlock()
		return false
	}
	t.queue = append(t.queue, f)
	first := len(t.queue) == 1
	t.mu.Unlock()
	if first {
		t.rouse()
	}
	return true
}

// do is post, and waits until f has run.
func (t *thread) do(f func()) bool {
	done := make(chan struct{})
	if !t.post(func() { f(); close(done) }) {
		return false
	}
	<-done
	return true
}

func (t *thread) rouse() {
	one := [8]byte{0: 1}
	unix.Write(t.wake, one[:])
}

// run is the loop. It returns when stop was called.
func (t *thread) run() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	events := make([]unix.EpollEvent, 512)
	for {
		n, err := unix.EpollWait(t.ep, events, t.timers.wait(t.e.clock()))
		if err != nil && err != unix.EINTR {
			t.e.log.Error("media thread", "err", err)
		}
		t.now = t.e.clock()
		if t.commands() {
			return
		}
		for i := range max(n, 0) {
			t.readable(int(events[i].Fd))
		}
		t.timers.run(t.now)
		t.publish() // first: who sees an answer sees the count
		t.out.flush()
	}
}

// commands runs what was posted; true if the thread is to end.
func (t *thread) commands() bool {
	t.mu.Lock()
	q := t.queue
	t.queue, t.spare = t.spare[:0], q
	closed := t.closed
	t.mu.Unlock()
	for i, f := range q {
		f()
		q[i] = nil
	}
	t.passed.take(t)
	return closed
}

// stop ends the loop after the commands that wait.
func (t *thread) stop() {
	t.mu.Lock()
	t.closed = true
	t.mu.Unlock()
	t.rouse()
}

// free gives back what the thread holds of the kernel; the loop has ended.
func (t *thread) free() {
	unix.Close(t.ep)
	unix.Close(t.wake)
	t.web.close()
}

func (t *thread) readable(fd int) {
	if fd >= len(t.byFD) {
		return
	}
	o := t.byFD[fd]
	switch {
	case o.sock == nil: // the eventfd, or closed by a command of this round
	case o.leg == nil:
		t.readBrowsers()
	default:
		t.readTrunk(o)
	}
}

// Trunk sockets bring one packet each 20 ms: a few at once are a burst.
const trunkBatch = 8

func (t *thread) readTrunk(o fdOwner) {
	n := t.in.receive(o.sock, trunkBatch)
	for i := range n {
		t.fromTrunk(o.leg, t.in.from(i), t.in.packet(i), o.rtcp)
	}
}

// readBrowsers takes at most a few batches, so that a flood there leaves the
// trunks their turn.
func (t *thread) readBrowsers() {
	for range 8 {
		n := t.in.receive(t.web, batchSize)
		for i := range n {
			t.fromBrowser(t.in.from(i), t.in.to(t.web, i), t.in.packet(i))
		}
		if n < batchSize {
			return
		}
	}
}

// fromBrowser takes one datagram of the browsers' port.
func (t *thread) fromBrowser(from netip.AddrPort, local netip.Addr, b []byte) {
	kind := classify(b)
	if kind == stunPacket {
		t.fromICE(from, local, b)
		return
	}
	l := t.byAddr[from]
	if l == nil {
		if !t.passOn(from, local, b, t.e.owners.ofAddr(from)) {
			t.counts.discarded++
		}
		return
	}
	l.lastPacket = t.now
	switch kind {
	case dtlsPacket:
		l.dtlsIn(t, b)
	case rtpPacket:
		if t.rtpIn(l, b) {
			t.spokeFrom(l, from)
		}
	case rtcpPacket:
		t.rtcpIn(l, b)
	default:
		t.discard(l)
	}
}

// discard counts a packet of l that was foreign, replayed or malformed.
func (t *thread) discard(l *leg) {
	l.discarded++
	t.counts.discarded++
}
