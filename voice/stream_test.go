package voice

import (
	"bytes"
	"net/netip"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var (
	testTime = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	farAddr  = netip.MustParseAddrPort("192.0.2.1:4000")
)

// Whatever the sources do, no sequence number goes out twice, none falls below
// what a former source sent, and timestamps of new ones go on.
func TestSenderNeverRepeats(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := &sender{ssrc: 1, rate: 8000, top: int64(rapid.Uint16Max(0x7fff).Draw(t, "start")), lastTS: rapid.Uint32().Draw(t, "ts")}
		used := map[uint16]bool{}
		now := int64(1)
		in := rtpHeader{seq: rapid.Uint16().Draw(t, "seq"), ts: rapid.Uint32().Draw(t, "in")}
		for range rapid.IntRange(1, 300).Draw(t, "steps") {
			now += rapid.Int64Range(0, 60_000_000).Draw(t, "wait")
			h := in
			top := s.top
			sent := true
			switch rapid.IntRange(0, 5).Draw(t, "what") {
			case 0, 1, 2: // the source goes on, perhaps after loss, perhaps late
				in.seq += uint16(rapid.IntRange(0, 4).Draw(t, "gap"))
				in.ts += 160
				h = in
				h.seq -= uint16(rapid.IntRange(0, 70).Draw(t, "late"))
				sent = s.relay(&h, now)
			case 3: // another source
				s.resync()
				in.seq, in.ts = rapid.Uint16().Draw(t, "other"), rapid.Uint32().Draw(t, "otherTS")
				h = in
				before := s.lastTS
				if sent = s.relay(&h, now); !sent {
					t.Fatal("a new source was refused")
				}
				if d := int32(h.ts - before); s.packets > 0 && d < 160 {
					t.Fatalf("a new source began %d after the last", d)
				}
			case 4: // sound made here
				ts, _ := s.tick(now)
				s.made(&h, ts, now)
			case 5:
				s.skip(in.seq + 1)
				continue
			}
			if !sent {
				continue
			}
			s.packets++
			if used[h.seq] {
				t.Fatalf("sequence number %d went out twice", h.seq)
			}
			used[h.seq] = true
			if s.top < top || s.top > top+maxDropout {
				t.Fatalf("highest number went from %d to %d", top, s.top)
			}
		}
	})
}

func TestReceptionCounts(t *testing.T) {
	type arrival struct {
		ssrc uint32
		seq  uint16
		want verdict
	}
	for _, c := range []struct {
		name           string
		in             []arrival
		received, lost uint64
	}{
		{"in order", []arrival{{1, 10, restart}, {1, 11, next}, {1, 12, next}}, 3, 0},
		{"one lost", []arrival{{1, 10, restart}, {1, 12, next}}, 2, 1},
		{"late is not lost", []arrival{{1, 10, restart}, {1, 12, next}, {1, 11, next}}, 3, 0},
		{"twice counts once", []arrival{{1, 10, restart}, {1, 11, next}, {1, 11, unwanted}, {1, 10, unwanted}}, 2, 0},
		{"over the end", []arrival{{1, 65535, restart}, {1, 0, next}, {1, 65535, unwanted}, {1, 2, next}}, 3, 1},
		{"a jump is believed the second time", []arrival{{1, 10, restart}, {1, 30000, unwanted}, {1, 30001, restart}, {1, 30002, next}}, 3, 0},
		{"a stray jump is not", []arrival{{1, 10, restart}, {1, 30000, unwanted}, {1, 11, next}, {1, 30001, unwanted}}, 2, 0},
		{"another source", []arrival{{1, 10, restart}, {1, 12, next}, {2, 500, restart}, {2, 502, next}}, 4, 2},
		{"before the first", []arrival{{1, 10, restart}, {1, 9, next}}, 2, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			var r reception
			for i, a := range c.in {
				if v := r.take(a.ssrc, a.seq, uint32(a.seq)*160, int64(i)*20_000_000, 8000); v != a.want {
					t.Errorf("packet %d: %d, want %d", i, v, a.want)
				}
			}
			if r.total() != c.received || r.lost() != c.lost {
				t.Errorf("received %d, lost %d; want %d, %d", r.total(), r.lost(), c.received, c.lost)
			}
		})
	}
}

func TestJitterOfSteadyVoiceIsNoneAndOfShakenSome(t *testing.T) {
	var steady, shaken reception
	for i := range 1000 {
		at := int64(i) * 20_000_000
		steady.take(1, uint16(i), uint32(i)*160, at, 8000)
		shaken.take(1, uint16(i), uint32(i)*160, at+int64(i%2)*10_000_000, 8000)
	}
	// Every transit differs from the one before by 10 ms: 80 ticks.
	if steady.jitter > 1 || shaken.jitter < 79 || shaken.jitter > 81 {
		t.Errorf("jitter %v and %v", steady.jitter, shaken.jitter)
	}
}

// Packets in any order and number: what is played is in order, never twice,
// and the buffer stays within its bounds.
func FuzzJitterBuffer(f *testing.F) {
	f.Add([]byte{1, 2, 3, 0x80, 4, 0x80})
	f.Fuzz(func(t *testing.T, script []byte) {
		var j jitterBuffer
		last, any := uint16(0), false
		seq := uint16(65500)
		for _, op := range script {
			if op&0x80 == 0 {
				seq += uint16(op&0x1f) - 8
				j.push(seq, []byte{byte(seq >> 8), byte(seq)})
				any = any && j.played // a packet from far behind is another source
			} else {
				what, p := j.pop()
				if what == packet {
					n := uint16(p[0])<<8 | uint16(p[1])
					if any && int16(n-last) <= 0 {
						t.Fatalf("%d played after %d", n, last)
					}
					last, any = n, true
				}
				if op&1 == 1 {
					j.starve()
				}
			}
			n := 0
			for i := range j.slots {
				if j.slots[i].used {
					n++
				}
			}
			if n != j.count || n > jitterMost {
				t.Fatalf("%d held, %d counted", n, j.count)
			}
		}
	})
}

func TestTimersFireInOrder(t *testing.T) {
	var ts timers
	var got []byte
	at := func(name byte, due int64) *timer {
		tm := &timer{fire: func(int64) { got = append(got, name) }}
		ts.set(tm, due)
		return tm
	}
	at('c', 30)
	moved := at('x', 10)
	at('a', 10)
	at('b', 20)
	ts.stop(at('n', 15))
	ts.set(moved, 40)
	if w := ts.wait(0); w != 1 {
		t.Errorf("waits %d ms for 10 ns", w)
	}
	ts.run(35)
	ts.run(50)
	if !bytes.Equal(got, []byte("abcx")) || ts.wait(60) != -1 {
		t.Errorf("fired %q", got)
	}
}

func TestEventDurationIsScaled(t *testing.T) {
	b := []byte{1, 2, 0x10, 0}
	if scaleEvent(b, 8000, 48000); b[2] != 0x60 {
		t.Errorf("%x", b)
	}
	if scaleEvent(b, 8000, 48000); b[2] != 0xff || b[3] != 0xff {
		t.Errorf("not cut: %x", b)
	}
}
