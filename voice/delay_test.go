package voice

import (
	"encoding/binary"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/roamline/roamline"
)

// BenchmarkDelay measures how long a packet takes from send to the far end's
// socket, in stretches of rest and of work by turns: garbage is made and
// collected, and a log written. The kernel stamps what arrives, so that only
// the engine's part can be late. Each packet is one operation.
//
//	go test -run '^$' -bench Delay -benchtime 30000x ./voice
func BenchmarkDelay(b *testing.B) {
	for _, epoll := range []bool{false, true} {
		b.Run(fmt.Sprintf("epoll=%v", epoll), func(b *testing.B) { measureDelay(b, epoll) })
	}
}

const (
	delayGap     = 500 * time.Microsecond // between packets
	delayStretch = 500                    // packets of rest, and then of work
)

func measureDelay(b *testing.B, epoll bool) {
	from, to, at := delayBridge(b, epoll)
	var working atomic.Bool
	ended, done := make(chan struct{}), make(chan struct{})
	go func() { defer close(done); litter(b, &working, ended) }()
	defer func() { close(ended); <-done }()

	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var took [2][]time.Duration
	h := rtpHeader{seq: 1, ssrc: 7}
	p, in, oob := make([]byte, 172), make([]byte, bufferSize), make([]byte, 128)
	lost := 0
	b.ResetTimer()
	for i := range b.N {
		work := i / delayStretch % 2
		working.Store(work == 1)
		putHeader(p, &h)
		h.seq++
		h.ts += 160
		var now unix.Timespec
		unix.ClockGettime(unix.CLOCK_REALTIME, &now)
		if !from.send(p, &at) {
			b.Fatal("not sent")
		}
		n, stamp := stamped(b, to, in, oob)
		if n == 0 {
			lost++
		} else if i%delayStretch > delayStretch/5 { // the rest of the work before is over
			took[work] = append(took[work], time.Duration(stamp-now.Nano()))
		}
		unix.Nanosleep(&unix.Timespec{Nsec: int64(delayGap)}, nil)
	}
	b.StopTimer()
	for work, name := range []string{"rest", "work"} {
		all := took[work]
		slices.Sort(all)
		if n := len(all); n > 0 {
			for _, q := range []struct {
				name string
				of   int
			}{{"p50", n / 2}, {"p99", n * 99 / 100}, {"p99.9", n * 999 / 1000}} {
				b.ReportMetric(float64(all[q.of].Nanoseconds())/1000, q.name+"-"+name+"-us")
			}
		}
	}
	b.ReportMetric(float64(lost), "lost")
}

// stamped reads one packet with the time at which the kernel took it, in ns;
// 0, 0 if none comes.
func stamped(b *testing.B, s *socket, in, oob []byte) (int, int64) {
	fds := []unix.PollFd{{Fd: int32(s.fd), Events: unix.POLLIN}}
	if n, err := unix.Poll(fds, 1000); n == 0 {
		return 0, 0
	} else if err != nil && err != unix.EINTR {
		b.Fatal(err)
	}
	n, k, _, _, err := unix.Recvmsg(s.fd, in, oob, 0)
	if err == unix.EAGAIN {
		return stamped(b, s, in, oob)
	}
	if err != nil {
		b.Fatal(err)
	}
	at := unix.CmsgLen(0)
	if k < at+16 {
		b.Fatal("no stamp")
	}
	return n, int64(binary.NativeEndian.Uint64(oob[at:]))*1e9 + int64(binary.NativeEndian.Uint64(oob[at+8:]))
}

// delayBridge is two plain legs, joined, with the sockets of their far ends.
func delayBridge(b *testing.B, epoll bool) (from, to *socket, at sockaddr) {
	e, err := New(Options{Sink: func(roamline.Event) {}, Sounds: noSounds{}, Threads: 1, Log: slog.New(slog.DiscardHandler), Epoll: epoll,
		BrowserUDP: netip.MustParseAddrPort("127.0.0.1:0"), PortLow: 32000, PortHigh: 32999})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(e.Shutdown)
	var far [2]*socket
	for i, id := range []roamline.LegID{"a", "b"} {
		if far[i], err = openSocket(netip.MustParseAddrPort("127.0.0.1:0"), false); err != nil {
			b.Fatal(err)
		}
		b.Cleanup(far[i].close)
		if err := unix.SetsockoptInt(far[i].fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1); err != nil {
			b.Fatal(err)
		}
		end, err := e.Open(id, roamline.Path{Remote: far[i].local}, roamline.RTP)
		if err != nil {
			b.Fatal(err)
		}
		if err := e.Connect(id, roamline.Media{Codec: roamline.PCMU, Direction: roamline.SendRecv, Transport: roamline.RTP,
			Remote: far[i].local, RTCP: netip.AddrPortFrom(far[i].local.Addr(), 9)}); err != nil {
			b.Fatal(err)
		}
		if i == 0 {
			at = sockaddrOf(netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), end.Addr.Port()), false)
		}
	}
	if err := e.Join("a", "b"); err != nil {
		b.Fatal(err)
	}
	return far[0], far[1], at
}

// litter keeps a heap of pointers, makes garbage and writes a log while
// working is set, until ended is closed.
func litter(b *testing.B, working *atomic.Bool, ended chan struct{}) {
	f, err := os.Create(filepath.Join(b.TempDir(), "log"))
	if err != nil {
		b.Error(err)
		return
	}
	defer f.Close()
	log := slog.New(slog.NewJSONHandler(f, nil))
	heap := make([]*[3]*int, 400_000)
	pause := time.NewTicker(time.Millisecond)
	defer pause.Stop()
	for i := 0; ; {
		select {
		case <-ended:
			return
		case <-pause.C:
		}
		if !working.Load() {
			continue
		}
		for range 10_000 {
			heap[i] = new([3]*int)
			i = (i + 1) % len(heap)
		}
		for range 20 {
			log.Info("call", "call", i, "leg", "a", "state", "talking")
		}
	}
}
