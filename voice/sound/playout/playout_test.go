package playout

import (
	"encoding/binary"
	"testing"
)

// A script puts packets of 20 ms in as they are sent, with what a row changes,
// and takes a frame each 20 ms.
type script struct {
	*Playout
	heard []Frame
	now   int64
}

func newScript(c Config) *script { return &script{Playout: New(c), now: 1000 * ms} }

func (s *script) put(ssrc uint32, seq uint16, ts uint32, payload uint8) {
	s.Put(Packet{At: s.now, SSRC: ssrc, Seq: seq, TS: ts, Payload: payload, Body: binary.BigEndian.AppendUint32(nil, uint32(seq))})
}

func (s *script) take() Frame {
	f := s.Take(s.now)
	s.heard = append(s.heard, f)
	s.now += frame
	return f
}

// count returns how many frames of a kind were heard.
func (s *script) count(k Kind) int {
	n := 0
	for _, f := range s.heard {
		if f.Kind == k {
			n++
		}
	}
	return n
}

func (s *script) last() uint32 {
	for i := len(s.heard) - 1; i >= 0; i-- {
		if f := s.heard[i]; f.Kind == Sound && f.Body != nil {
			return binary.BigEndian.Uint32(f.Body)
		}
	}
	return 0
}

// talk sends n packets in sequence.
func (s *script) talk(ssrc uint32, seq uint16, ts uint32, payload uint8, n int) {
	for i := range n {
		s.put(ssrc, seq+uint16(i), ts+uint32(160*i), payload)
		s.take()
	}
}

func TestDiscontinuities(t *testing.T) {
	for _, row := range []struct {
		name          string
		then          func(s *script)
		resets        uint64
		fresh         int // sounds that follow nothing, the first included
		mostGuess     int
		payload       uint8
		received, out uint64
	}{
		{"none", func(s *script) { s.talk(1, 100, 16000, 0, 20) }, 0, 1, 0, 0, 120, 118},
		{"another SSRC", func(s *script) { s.talk(2, 7, 99, 0, 20) }, 1, 2, 0, 0, 120, 116},
		{"timestamps jump ahead", func(s *script) { s.talk(1, 100, 1<<30, 0, 20) }, 1, 2, 0, 0, 120, 116},
		{"timestamps jump back", func(s *script) { s.talk(1, 100, 8000, 0, 20) }, 1, 2, 0, 0, 120, 116},
		{"numbers jump: the second is believed", func(s *script) { s.talk(1, 40000, 16000, 0, 20) }, 1, 2, 5, 0, 120, 115},
		{"one stray number is not", func(s *script) { s.put(1, 40000, 5, 0); s.talk(1, 100, 16000, 0, 20) }, 0, 1, 0, 0, 121, 118},
		{"another payload type goes on", func(s *script) { s.talk(1, 100, 16000, 8, 20) }, 0, 2, 0, 8, 120, 118},
		{"timestamps stood still for ten seconds", func(s *script) {
			for range 500 {
				s.take()
			}
			s.talk(1, 100, 16000, 0, 20)
		}, 1, 2, 5, 0, 120, 118},
		{"silence without a word", func(s *script) {
			for range 50 {
				s.take()
			}
			s.talk(1, 100, 16000+50*160, 0, 20)
		}, 0, 1, 5, 0, 120, 118},
		{"a digit is no loss", func(s *script) {
			for range 10 {
				s.Pass(100)
				s.take()
			}
			s.talk(1, 101, 16000+10*160, 0, 20)
		}, 0, 1, 0, 0, 120, 118},
		{"everything twice", func(s *script) {
			for i := range 20 {
				s.put(1, uint16(100+i), uint32(16000+i*160), 0)
				s.put(1, uint16(100+i), uint32(16000+i*160), 0)
				s.take()
				s.put(1, uint16(100+i), uint32(16000+i*160), 0)
			}
		}, 0, 1, 0, 0, 160, 118},
		{"in pairs, the second first", func(s *script) {
			for i := 0; i < 20; i += 2 {
				s.put(1, uint16(101+i), uint32(16160+i*160), 0)
				s.put(1, uint16(100+i), uint32(16000+i*160), 0)
				s.take()
				s.take()
			}
		}, 0, 1, 0, 0, 120, 118},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := newScript(Config{Clock: 8000})
			s.talk(1, 0, 0, 0, 100)
			row.then(s)
			f, fresh := s.Figures(), 0
			var payload uint8
			for _, h := range s.heard {
				if h.Fresh {
					fresh++
				}
				if h.Kind == Sound {
					payload = h.Payload
				}
			}
			if f.Resets != row.resets || fresh != row.fresh || payload != row.payload || f.Received != row.received {
				t.Errorf("%d resets, %d fresh, payload type %d: %+v", f.Resets, fresh, payload, f)
			}
			if f.Played < row.out || s.count(Lost) > row.mostGuess {
				t.Errorf("%d played, %d concealed: %+v", f.Played, s.count(Lost), f)
			}
		})
	}
}

func TestLossNamesThePacketThatFollows(t *testing.T) {
	s := newScript(Config{Clock: 8000})
	s.talk(1, 0, 0, 0, 10)
	s.take() // 10 is lost
	for i := 11; i < 20; i++ {
		s.put(1, uint16(i), uint32(160*i), 0)
		s.take()
	}
	for _, f := range s.heard {
		if f.Kind == Lost {
			if f.Body == nil || binary.BigEndian.Uint32(f.Body) != 11 || f.Span != frame {
				t.Errorf("%+v", f)
			}
		}
	}
	if s.count(Lost) != 1 || s.Figures().Missing != 1 {
		t.Errorf("%d concealed, %+v", s.count(Lost), s.Figures())
	}
}

func TestComfortNoiseFillsSilence(t *testing.T) {
	s := newScript(Config{Clock: 8000})
	s.talk(1, 0, 0, 0, 50)
	s.put(1, 50, 50*160, 13)
	for range 100 {
		s.take()
	}
	s.talk(1, 51, 150*160, 0, 50)
	described := 0
	for _, f := range s.heard {
		if f.Kind == Noise && f.Body != nil {
			described++
		}
	}
	if n := s.count(Noise); described != 1 || n < 99 || n > 103 || s.count(Lost) != 0 || s.count(Sound) < 97 {
		t.Errorf("%d described of %d noise, %d lost, %d sound", described, n, s.count(Lost), s.count(Sound))
	}
}

func TestOpusRestsAfterTwoBytes(t *testing.T) {
	s := newScript(Config{Clock: 48000, Still: 2})
	put := func(seq, i int, body []byte) {
		s.Put(Packet{At: s.now, SSRC: 1, Seq: uint16(seq), TS: uint32(960 * i), Payload: 111, Body: body})
		s.take()
	}
	for i := range 20 {
		put(i, i, []byte{0, 0, 0, byte(i)})
	}
	put(20, 20, []byte{8, 0})
	for range 19 {
		s.take()
	}
	put(21, 40, []byte{8, 0})
	for range 10 {
		s.take()
	}
	if s.count(Lost) != 0 || s.count(Noise) < 25 {
		t.Errorf("%d lost, %d noise", s.count(Lost), s.count(Noise))
	}
}

// Whatever the length of packets, what is taken in a second is a second.
func TestSpanIsLearned(t *testing.T) {
	for _, span := range []int{10, 20, 30, 40, 60} {
		p, due, sent, sounds := New(Config{Clock: 8000}), int64(0), 0, 0
		for now := int64(0); now < 10_000*ms; now += 5 * ms {
			for ; int64(sent*span)*ms <= now; sent++ {
				p.Put(Packet{At: now, SSRC: 1, Seq: uint16(sent), TS: uint32(sent * span * 8), Body: make([]byte, span*8)})
			}
			for due <= now {
				f := p.Take(now)
				if f.Kind == Nothing {
					due = now + 5*ms
					continue
				}
				if f.Kind == Sound {
					if sounds++; sounds > 5 && f.Span != int64(span)*ms {
						t.Fatalf("%d ms: the span of sound %d is %d", span, sounds, f.Span/ms)
					}
				}
				if f.Kind == Lost && now > 1000*ms {
					t.Errorf("%d ms: concealed at %d", span, now/ms)
				}
				due += f.Span
			}
		}
		if most := sent - sounds; most > 6 {
			t.Errorf("%d ms: %d of %d", span, sounds, sent)
		}
	}
}

func TestSilenceSuppressedCostsNothing(t *testing.T) {
	for _, noise := range []bool{false, true} {
		// Bursts of a second, with pauses of a second.
		w := network{packets: 2 * minutes, jitter: uniform(40 * ms), noise: noise,
			silence: func(i int) bool { return i/50%2 == 1 }}
		r := w.run(t)
		t.Logf("noise %v: delay %.0f ms, %.0f at 98 %%, late %.2f %%, %d changes of pace, %d guessed, %d of noise", noise, r.at(0.5), r.at(0.98), r.late(), r.changes, r.guessed, r.quiet)
		if r.at(0.98) > 85 || r.late() > 1 || noise && r.guessed > 60 || noise && r.quiet < minutes*9/10 {
			t.Errorf("delay %.0f ms, %d guessed, late %.2f, %d of noise", r.at(0.98), r.guessed, r.late(), r.quiet)
		}
	}
}

func TestNothingIsAllocated(t *testing.T) {
	p, body := New(Config{Clock: 8000}), make([]byte, 160)
	seq, now := uint16(0), int64(0)
	step := func() {
		p.Put(Packet{At: now, SSRC: 1, Seq: seq, TS: uint32(seq) * 160, Body: body})
		if seq++; seq%20 == 0 {
			seq++
		}
		p.Take(now)
		now += frame
	}
	for range 2 * slots {
		step()
	}
	if n := testing.AllocsPerRun(1000, step); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// Packets in any order, of any kind, at any time: Put and Take end, nothing is
// heard twice or out of order within a stream, and every packet is counted once.
func FuzzPlayout(f *testing.F) {
	f.Add([]byte{0x01, 0x01, 0x81, 0x01, 0x42, 0xff, 0x80, 0x01, 0x10, 0x81})
	f.Add([]byte{0x60, 0x61, 0x62, 0x63, 0x64, 0x80, 0x80, 0x80, 0x80, 0x30, 0x31, 0x80})
	f.Fuzz(func(t *testing.T, ops []byte) {
		p := New(Config{Clock: 8000, Still: 2})
		var now int64
		seq, ts, ssrc := uint16(65530), uint32(1<<32-500), uint32(1)
		last, any, resets := uint16(0), false, uint64(0)
		ops = ops[:min(len(ops), 1000)] // the numbers go round less than half
		for i := 0; i < len(ops); i++ {
			op := ops[i]
			arg := byte(0)
			if i+1 < len(ops) {
				arg = ops[i+1]
			}
			switch {
			case op >= 0x80: // time passes, the listener takes
				now += int64(op&0x7f) * ms
				k := p.Take(now)
				if k.Kind == Nothing != (k.Span == 0) || len(k.Body) > MaxBody || k.Span > longestSpan {
					t.Fatalf("%+v", k)
				}
				if k.Kind == Sound {
					n := binary.BigEndian.Uint16(k.Body)
					if p.figures.Resets == resets && any && int16(n-last) <= 0 {
						t.Fatalf("%d after %d", n, last)
					}
					last, any, resets = n, true, p.figures.Resets
				}
				continue
			case op >= 0x70: // something jumps
				i++
				switch op & 3 {
				case 0:
					ssrc++
				case 1:
					ts += uint32(arg) << 22
				case 2:
					seq += uint16(arg) << 8
				case 3:
					p.Pass(seq + uint16(arg))
				}
				continue
			}
			n := uint16(op&0x1f) - 8 // mostly onwards, sometimes back
			seq += n
			ts += uint32(int32(int16(n))) * 160
			body := binary.BigEndian.AppendUint16(nil, seq)
			if op&0x20 == 0 {
				body = append(body, arg)
			}
			p.Put(Packet{At: now, SSRC: ssrc, Seq: seq, TS: ts, Payload: op >> 6 * 13, Body: body})
		}
		g, held := p.figures, 0
		for i := range p.slots {
			if p.slots[i].held {
				held++
			}
		}
		if held != p.held || g.Received != g.Played+g.Late+g.Doubled+g.Refused+g.Skipped+uint64(held) {
			t.Fatalf("%d held, %d counted: %+v", held, p.held, g)
		}
	})
}

func BenchmarkPutTake(b *testing.B) {
	p, body := New(Config{Clock: 8000}), make([]byte, 160)
	seq, now := uint16(0), int64(0)
	b.ReportAllocs()
	for b.Loop() {
		p.Put(Packet{At: now + int64(seq%7)*ms, SSRC: 1, Seq: seq, TS: uint32(seq) * 160, Body: body})
		seq++
		p.Take(now + 7*ms)
		now += frame
	}
}
