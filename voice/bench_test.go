package voice

import (
	"log/slog"
	"net"
	"net/netip"
	"testing"

	"github.com/pion/srtp/v3"

	"github.com/roamline/roamline"
)

// noSounds serves tests in which nothing is decoded.
type noSounds struct{}

func (noSounds) Frames(roamline.Prompt, roamline.Codec) ([][]byte, error) {
	return [][]byte{make([]byte, 160), make([]byte, 160)}, nil
}
func (noSounds) Decoder(roamline.Codec) (Decoder, error) { return nil, errFingerprint }
func (noSounds) Encoder(roamline.Codec) (Encoder, error) { return nil, errFingerprint }
func (noSounds) Resampler(int, int) Resampler            { return nil }

// bridge is two legs, joined, that the benchmark feeds on their thread.
func bridge(tb testing.TB, a, b srtp.ProtectionProfile) (e *Engine, from, to *leg) {
	tb.Helper()
	e, err := New(Options{Sink: func(roamline.Event) {}, Sounds: noSounds{}, Threads: 1, Log: slog.New(slog.DiscardHandler),
		BrowserUDP: netip.MustParseAddrPort("127.0.0.1:0"), PortLow: 32000, PortHigh: 32999})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(e.Shutdown)
	sinkhole, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { sinkhole.Close() })
	far := sinkhole.LocalAddr().(*net.UDPAddr).AddrPort()
	one := func(id roamline.LegID, p srtp.ProtectionProfile) *leg {
		m := roamline.Media{Codec: roamline.PCMU, Direction: roamline.SendRecv, Transport: roamline.RTP, Remote: far, RTCP: far}
		if p != 0 {
			m.Transport, m.Ufrag, m.Fingerprint = roamline.DTLS, "u", "sha-256 00"
		}
		if _, err := e.Open(id, roamline.Path{Remote: far}, m.Transport); err != nil {
			tb.Fatal(err)
		}
		if err := e.Connect(id, m); err != nil {
			tb.Fatal(err)
		}
		l := e.legs[id]
		if p != 0 {
			n := 14
			if p == srtp.ProtectionProfileAeadAes128Gcm {
				n = 12
			}
			l.control.thread.do(func() {
				t := l.control.thread
				l.web.pairs = []pair{{addr: far}}
				t.byAddr[far] = l
				l.web.use(&l.web.pairs[0], t)
				l.web.done = true
				l.keys.in, _ = newCryptor(make([]byte, 16), make([]byte, n), p)
				l.keys.out, _ = newCryptor(make([]byte, 16), make([]byte, n), p)
				t.carry(l)
			})
		}
		return l
	}
	from, to = one("a", a), one("b", b)
	if err := e.Join("a", "b"); err != nil {
		tb.Fatal(err)
	}
	return e, from, to
}

// BenchmarkRelay is the way of a packet from the receive buffer to sendto or
// the batch, the system calls of sending included, those of receiving not.
func BenchmarkRelay(b *testing.B) {
	const gcm, sha = srtp.ProtectionProfileAeadAes128Gcm, srtp.ProtectionProfileAes128CmHmacSha1_80
	for _, c := range []struct {
		name     string
		from, to srtp.ProtectionProfile
	}{{"plain-plain", 0, 0}, {"plain-GCM", 0, gcm}, {"GCM-plain", gcm, 0}, {"plain-SHA1", 0, sha}, {"SHA1-plain", sha, 0}} {
		b.Run(c.name, func(b *testing.B) {
			e, from, _ := bridge(b, c.from, c.to)
			b.ReportAllocs()
			t := from.control.thread
			t.do(func() { feedRelay(b, e, t, from, c.from) })
		})
	}
}

// feedRelay hands b.N packets to t as if they had been received.
func feedRelay(b *testing.B, e *Engine, t *thread, from *leg, p srtp.ProtectionProfile) {
	var out *srtp.Context
	if p != 0 {
		n := 14
		if p == srtp.ProtectionProfileAeadAes128Gcm {
			n = 12
		}
		out, _ = newContext(make([]byte, 16), make([]byte, n), p)
	}
	const group = 256
	var packets [group][bufferSize]byte
	var sizes [group]int
	h := rtpHeader{seq: 1, ssrc: 7}
	far := netip.AddrPort{}
	if from.web != nil {
		far = from.web.remote
	} else {
		far = from.trunk.remote
	}
	b.ResetTimer()
	for done := 0; done < b.N; done += group {
		b.StopTimer()
		for i := range packets {
			plain := make([]byte, 172)
			putHeader(plain, &h)
			h.seq++
			h.ts += 160
			if out == nil {
				sizes[i] = copy(packets[i][:], plain)
				continue
			}
			c, _ := out.EncryptRTP(nil, plain, nil)
			sizes[i] = copy(packets[i][:], c)
		}
		b.StartTimer()
		for i := range min(group, b.N-done) {
			t.now += 20_000
			if from.web != nil {
				t.fromBrowser(far, netip.Addr{}, packets[i][:sizes[i]])
			} else {
				t.fromTrunk(from, far, packets[i][:sizes[i]], false)
			}
		}
	}
	b.StopTimer()
	if got := from.recv.total(); got < uint64(b.N) {
		b.Errorf("%d of %d packets taken", got, b.N)
	}
	t.now = e.clock()
}

func TestRelayDoesNotAllocate(t *testing.T) {
	const gcm = srtp.ProtectionProfileAeadAes128Gcm
	for _, c := range []struct {
		name     string
		from, to srtp.ProtectionProfile
	}{{"plain to GCM", 0, gcm}, {"plain to plain", 0, 0}} {
		t.Run(c.name, func(t *testing.T) {
			_, from, _ := bridge(t, c.from, c.to)
			th := from.control.thread
			var allocs float64
			th.do(func() {
				h := rtpHeader{seq: 1, ssrc: 7}
				b := make([]byte, 172, bufferSize)
				allocs = testing.AllocsPerRun(1000, func() {
					putHeader(b, &h)
					h.seq++
					h.ts += 160
					th.fromTrunk(from, from.trunk.remote, b, false)
				})
			})
			if allocs != 0 {
				t.Errorf("%v allocations for a packet", allocs)
			}
		})
	}
}
