package voice

import (
	"log/slog"
	"net"
	"net/netip"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// eachIO runs a test with each way of reading and sending that the kernel
// allows, on a thread of the operating system of its own.
func eachIO(t *testing.T, test func(t *testing.T, th *thread)) {
	for _, byRing := range []bool{false, true} {
		name := "epoll"
		if byRing {
			name = "io_uring"
		}
		t.Run(name, func(t *testing.T) {
			if err := ringWorks(); byRing && err != nil {
				t.Skipf("the kernel does not allow it: %v", err)
			}
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			web, err := openSocket(netip.MustParseAddrPort("127.0.0.1:0"), true)
			if err != nil {
				t.Fatal(err)
			}
			th, err := newThread(&Engine{owners: newOwners(true), log: slog.Default()}, web, byRing)
			if err != nil {
				t.Fatal(err)
			}
			if err := th.io.begin(); err != nil {
				t.Fatal(err)
			}
			test(t, th)
			th.io.end()
			th.free()
		})
	}
}

// turn waits once and takes what came; here every packet is foreign.
func turn(t *testing.T, th *thread) {
	t.Helper()
	if err := th.io.wait(5000, false); err != nil && err != unix.EINTR {
		t.Fatal(err)
	}
	th.io.deliver()
}

func TestMorePacketsThanBuffersAreAllRead(t *testing.T) {
	eachIO(t, func(t *testing.T, th *thread) {
		const sockets, each = 8, 2 * ringBuffers / 8
		for range sockets {
			s, err := openSocket(netip.MustParseAddrPort("127.0.0.1:0"), true)
			if err != nil {
				t.Fatal(err)
			}
			defer s.close()
			if err := th.io.watch(fdOwner{sock: s}); err != nil {
				t.Fatal(err)
			}
			to := sockaddrOf(s.local, s.v6)
			for range each {
				if !s.send([]byte("foreign"), &to) {
					t.Fatal("not sent")
				}
			}
			defer th.io.unwatch(s)
		}
		for th.counts.discarded < sockets*each {
			turn(t, th)
		}
	})
}

func TestASocketThatWasLeftIsFreeAtOnce(t *testing.T) {
	eachIO(t, func(t *testing.T, th *thread) {
		at := netip.MustParseAddrPort("127.0.0.1:0")
		for i := range 20 {
			s, err := openSocket(at, false)
			if err != nil {
				t.Fatalf("time %d: %v", i, err)
			}
			at = s.local
			if err := th.io.watch(fdOwner{sock: s}); err != nil {
				t.Fatal(err)
			}
			if i%2 == 0 {
				to := sockaddrOf(at, s.v6)
				s.send([]byte("foreign"), &to)
				turn(t, th)
			}
			th.io.unwatch(s)
			s.close()
		}
	})
}

func TestWhatIsQueuedIsSentByTheNextWait(t *testing.T) {
	eachIO(t, func(t *testing.T, th *thread) {
		c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		to := sockaddrOf(c.LocalAddr().(*net.UDPAddr).AddrPort(), false)
		const n = 3*batchSize + 1
		for i := range n {
			if i%2 == 0 {
				th.io.put(len(append(th.io.buffer(), byte(i))), &to, netip.Addr{})
			} else if !th.io.send(th.web, []byte{byte(i)}, &to) {
				t.Fatal("not sent")
			}
		}
		th.io.wait(0, false)
		seen := map[byte]bool{}
		for range n {
			var b [8]byte
			c.SetReadDeadline(time.Now().Add(5 * time.Second))
			if k, err := c.Read(b[:]); err != nil || k != 1 {
				t.Fatal(k, err)
			}
			seen[b[0]] = true
		}
		if len(seen) != n || th.io.lost() != 0 {
			t.Errorf("%d of %d, %d lost", len(seen), n, th.io.lost())
		}
	})
}

// The collector must stop all threads, also those that keep their places while
// they wait: if it could not, this would end after the wait of an hour only.
func TestTheCollectorGetsInWhileThreadsKeepTheirPlaces(t *testing.T) {
	eachIO(t, func(t *testing.T, th *thread) {
		raiseProcs(1)
		defer lowerProcs(1)
		if !mayKeepProc() {
			t.Skip("the environment's GOMAXPROCS leaves no place for it")
		}
		var stop atomic.Bool
		collected := make(chan struct{})
		go func() {
			defer close(collected)
			for range 100 {
				_ = make([]byte, 1<<20)
				runtime.GC()
			}
			stop.Store(true)
			th.io.rouse()
		}()
		for !stop.Load() {
			if err := th.io.wait(3600_000, true); err != nil && err != unix.EINTR {
				t.Error(err)
			}
			th.io.deliver()
		}
		<-collected
	})
}

func TestGOMAXPROCSComesBack(t *testing.T) {
	before := runtime.GOMAXPROCS(0)
	raiseProcs(2)
	raiseProcs(1)
	lowerProcs(2)
	lowerProcs(1)
	if now := runtime.GOMAXPROCS(0); now != before {
		t.Errorf("%d, was %d", now, before)
	}
}
