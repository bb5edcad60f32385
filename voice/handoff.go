package voice

import (
	"net/netip"
	"sync"
)

// Where there are several threads, the kernel picks the socket that a
// browser's packet comes to. The thread that received it passes it on to the
// one that owns the leg. A handoff holds what was passed to one thread.
type handoff struct {
	mu      sync.Mutex
	packets []passedPacket // a ring, made when first needed
	head, n int
}

type passedPacket struct {
	from  netip.AddrPort
	local netip.Addr
	size  int
	buf   [maxPacket]byte
}

const handoffSize = 512 // packets; what does not fit is lost, as on any network

// put copies a packet into the ring; false if it is full. first is set if the
// ring was empty, and its thread must be roused.
func (h *handoff) put(from netip.AddrPort, local netip.Addr, b []byte) (ok, first bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.packets == nil {
		h.packets = make([]passedPacket, handoffSize)
	}
	if h.n == len(h.packets) || len(b) > maxPacket {
		return false, false
	}
	p := &h.packets[(h.head+h.n)%len(h.packets)]
	p.from, p.local = from, local
	p.size = copy(p.buf[:], b)
	h.n++
	return true, h.n == 1
}

// take gives the thread what was passed to it.
func (h *handoff) take(t *thread) {
	h.mu.Lock()
	n := h.n
	h.mu.Unlock()
	for range n {
		// The slot is ours until head moves on.
		p := &h.packets[h.head]
		t.fromBrowser(p.from, p.local, p.buf[:p.size])
		h.mu.Lock()
		h.head = (h.head + 1) % len(h.packets)
		h.n--
		h.mu.Unlock()
	}
}

// passOn hands a packet to the thread that owns its leg; false if nobody, or
// this thread, does.
func (t *thread) passOn(from netip.AddrPort, local netip.Addr, b []byte, owner *thread) bool {
	if owner == nil || owner == t {
		return false
	}
	ok, first := owner.passed.put(from, local, b)
	if first {
		owner.rouse()
	}
	return ok
}

// owners says which thread a browser's packets belong to. It is asked only for
// what a thread does not know itself, and never where there is one thread.
type owners struct {
	single bool
	mu     sync.RWMutex
	addr   map[netip.AddrPort]*thread
	name   map[string]*thread
}

func newOwners(single bool) *owners {
	return &owners{single: single, addr: map[netip.AddrPort]*thread{}, name: map[string]*thread{}}
}

func (o *owners) ofAddr(a netip.AddrPort) *thread {
	if o.single {
		return nil
	}
	o.mu.RLock()
	defer o.mu.RUnlock()
	return o.addr[a]
}

func (o *owners) ofName(ufrag []byte) *thread {
	if o.single {
		return nil
	}
	o.mu.RLock()
	defer o.mu.RUnlock()
	return o.name[string(ufrag)]
}

func (o *owners) setAddr(a netip.AddrPort, t *thread) {
	if o.single {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	put(o.addr, a, t)
}

func (o *owners) setName(ufrag string, t *thread) {
	if o.single {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	put(o.name, ufrag, t)
}

// move gives what from owned to another thread, or to nobody.
func (o *owners) move(addrs []netip.AddrPort, names []string, from, to *thread) {
	if o.single {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, a := range addrs {
		if o.addr[a] == from {
			put(o.addr, a, to)
		}
	}
	for _, n := range names {
		if o.name[n] == from {
			put(o.name, n, to)
		}
	}
}

func put[K comparable](m map[K]*thread, k K, t *thread) {
	if t == nil {
		delete(m, k)
		return
	}
	m[k] = t
}
