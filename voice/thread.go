package voice

import (
	"net/netip"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
)

// A thread is one media thread: a loop on an operating system's thread of its
// own. It owns its legs: nobody else touches their state, so a packet meets no
// lock. Everybody else hands it commands.
type thread struct {
	e    *Engine
	io   netio
	keep bool // it may keep its place while it waits: see keepLimit

	mu     sync.Mutex
	queue  []func()
	spare  []func()
	closed bool
	passed handoff // browser packets that another thread's socket received

	now    int64 // ns on the engine's clock, at the last waking
	timers timers
	web    *socket                 // the browsers' port
	plain  []byte                  // scratch: a packet made here
	cipher []byte                  // scratch: a packet encrypted for a trunk
	byAddr map[netip.AddrPort]*leg // ICE-validated addresses
	byName map[string]*leg         // our ICE user name fragments
	stun   stunFront

	rtpHead  rtp.Header // pion's copy of a header
	rtcpHead rtcp.Header

	legs      atomic.Int64
	counts    counts // the thread's own
	published published
}

func newThread(e *Engine, web *socket, byRing bool) (*thread, error) {
	t := &thread{
		e: e, web: web,
		plain: make([]byte, 0, bufferSize), cipher: make([]byte, 0, bufferSize),
		byAddr: map[netip.AddrPort]*leg{}, byName: map[string]*leg{},
	}
	var err error
	if byRing {
		t.io, err = newRingIO(t)
	} else {
		t.io, err = newEpollIO(t)
	}
	if err != nil {
		return nil, err
	}
	if err := t.io.watch(fdOwner{sock: web}); err != nil {
		t.io.free()
		return nil, err
	}
	return t, nil
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

func (t *thread) rouse() { t.io.rouse() }

// mediaNice is the media threads' priority: voice goes before the garbage
// collector's and the database's work (setpriority(2); it is the thread's on
// Linux).
const mediaNice = -11

// run is the loop. It returns when stop was called.
func (t *thread) run() {
	// It stays locked: the thread of the operating system ends with the loop, as
	// its priority is its own. Where we are not allowed to raise it, it is as it
	// was.
	runtime.LockOSThread()
	unix.Setpriority(unix.PRIO_PROCESS, 0, mediaNice)
	if err := t.io.begin(); err != nil {
		t.e.log.Error("media thread", "err", err)
	}
	busy := false
	for {
		began := t.e.clock()
		ms, keep := t.timers.wait(began), t.keep && busy
		if keep && (ms < 0 || ms > keepLimit) {
			ms = keepLimit
		}
		if err := t.io.wait(ms, keep); err != nil && err != unix.EINTR {
			t.e.log.Error("media thread", "err", err)
		}
		t.now = t.e.clock()
		busy = t.now-began < keepLimit*int64(time.Millisecond)
		if t.commands() {
			t.io.end()
			return
		}
		t.io.deliver()
		t.timers.run(t.now)
		t.publish() // before all is sent: who sees an answer sees the count
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
	t.io.free()
	t.web.close()
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
