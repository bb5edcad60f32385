package voice

import "net/netip"

// A netio reads and sends for one thread: by io_uring (ringio.go) where the
// kernel allows it, else by epoll (epoll.go). All methods but free are called
// on the thread, and watch also before it runs.
type netio interface {
	// begin is called once, when the thread runs.
	begin() error
	// watch has deliver bring what comes to o's socket.
	watch(o fdOwner) error
	// unwatch ends that; what came before is delivered first. The socket may be
	// closed then.
	unwatch(s *socket)
	// wait sends what is queued and returns when something came, the thread was
	// roused, or after ms; -1: no limit. If keep is set the thread keeps its
	// place among the GOMAXPROCS meanwhile: see keepLimit.
	wait(ms int, keep bool) error
	// deliver hands the thread what came.
	deliver()

	// buffer returns the room for the next packet to a browser, empty; it is
	// sent, in the next wait or before, once put was called.
	buffer() []byte
	put(size int, to *sockaddr, local netip.Addr)
	// send sends a packet of another socket, at once or soon; false if it is
	// known that it was lost. b may be changed afterwards.
	send(s *socket, b []byte, to *sockaddr) bool
	// lost counts the packets that the kernel did not take.
	lost() uint64

	rouse() // wait returns; from any goroutine
	end()   // nothing more is read; what was queued is sent
	free()  // after the thread has ended
}

const (
	ioRing  = "io_uring"
	ioEpoll = "epoll"
)

// IO returns how voice is read and sent on this machine: "io_uring", or "epoll"
// with what stands against the other. It tries, which takes about 1 ms.
func IO() (string, error) {
	if err := ringWorks(); err != nil {
		return ioEpoll, err
	}
	return ioRing, nil
}

// An fdOwner says whose socket a descriptor is; the browsers' has no leg.
type fdOwner struct {
	leg  *leg
	sock *socket
	rtcp bool
}

// arrived takes one datagram of any of the thread's sockets. b is the thread's
// until arrived returns.
func (t *thread) arrived(o fdOwner, from netip.AddrPort, local netip.Addr, b []byte) {
	if o.leg != nil {
		t.fromTrunk(o.leg, from, b, o.rtcp)
		return
	}
	t.fromBrowser(from, local, b)
}
