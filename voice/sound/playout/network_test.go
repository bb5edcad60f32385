package playout

import (
	"cmp"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// A network is what lies between a source that talks all the time, in packets
// of 20 ms, and the buffer.
type network struct {
	seed    uint64
	packets int
	jitter  func(r *rand.Rand) int64 // ns
	loss    float64
	ppm     float64                  // the source's clock is so much faster
	outage  func(sent int64) bool    // lost
	hold    func(sent int64) int64   // kept until, 0: not
	silence func(i int) (quiet bool) // nothing is sent
	noise   bool                     // and comfort noise says so
}

// A result is what the listener had of it.
type result struct {
	Figures
	sent, gone   uint64
	delays       []int64 // of each sound, after the fastest possible, ns
	guessed      int
	mute, quiet  int // ticks
	changes      int // of pace
	lastLongMute int
}

const frame = 20 * ms

func (w network) run(t testing.TB) result {
	r := rand.New(rand.NewPCG(w.seed, 7))
	var in []Packet
	var res result
	sentAt := map[uint32]int64{}
	seq, ts := uint16(65500), uint32(math.MaxUint32-4000)
	for i := range w.packets {
		sent := int64(float64(i) * float64(frame) / (1 + w.ppm/1e6))
		k := Packet{SSRC: 1, Seq: seq, TS: ts + uint32(i*160), Body: binary.BigEndian.AppendUint32(nil, uint32(i))}
		if w.silence != nil && w.silence(i) {
			if !w.noise || w.silence(i-1) {
				continue
			}
			k.Payload = 13
		}
		seq++
		res.sent++
		sentAt[uint32(i)] = sent
		if r.Float64() < w.loss || w.outage != nil && w.outage(sent) {
			res.gone++
			continue
		}
		k.At = sent + w.jitter(r)
		if w.hold != nil {
			k.At = max(k.At, w.hold(sent))
		}
		in = append(in, k)
	}
	slices.SortStableFunc(in, func(a, b Packet) int { return cmp.Compare(a.At, b.At) })

	p := New(Config{Clock: 8000})
	last, fifo, muted := -1, int64(0), 0
	for now := int64(3 * ms); now < int64(w.packets)*frame+1000*ms; now += frame {
		for len(in) > 0 && in[0].At <= now {
			p.Put(in[0])
			in = in[1:]
		}
		for fifo < frame {
			f := p.Take(now)
			if f.Kind == Nothing {
				break
			}
			fifo += f.Span
			switch f.Kind {
			case Sound:
				i := binary.BigEndian.Uint32(f.Body)
				if int(i) <= last {
					t.Fatalf("%d after %d", i, last)
				}
				last = int(i)
				res.delays = append(res.delays, now-sentAt[i])
				if f.Pace != Keep {
					res.changes++
				}
				if f.Pace == Shorten {
					fifo -= 5 * ms
				} else if f.Pace == Lengthen {
					fifo += 5 * ms
				}
			case Lost:
				res.guessed++
			case Noise:
				res.quiet++
			}
		}
		if fifo >= frame {
			fifo -= frame
			muted = 0
		} else {
			res.mute++
			if muted++; muted > 10 {
				res.lastLongMute = muted
			}
		}
	}
	res.Figures = p.Figures()
	f := res.Figures
	if f.Received != f.Played+f.Late+f.Doubled+f.Refused+f.Skipped+uint64(p.held) {
		t.Errorf("not every packet is counted once: %+v, %d held", f, p.held)
	}
	return res
}

// at returns the delay below which a part of the sounds was heard, ms.
func (r result) at(part float64) float64 {
	d := slices.Sorted(slices.Values(r.delays))
	return float64(d[int(part*float64(len(d)-1))]) / 1e6
}

// late is the part of what arrived that could not be played, per cent.
func (r result) late() float64 {
	return 100 * float64(r.Late+r.Skipped) / float64(max(r.Received, 1))
}

func uniform(most int64) func(*rand.Rand) int64 {
	return func(r *rand.Rand) int64 { return r.Int64N(most + 1) }
}

// normal is netem's "delay 100ms 20ms distribution normal", cut at the mean.
func normal(deviation int64) func(*rand.Rand) int64 {
	return func(r *rand.Rand) int64 {
		return int64(max(0, 5*float64(deviation)+r.NormFloat64()*float64(deviation))) - 3*deviation
	}
}

const minutes = 3000 // packets

// Each row states the delay that the buffer adds to the fastest packet's, and
// the loss that it adds to the network's.
func TestDelayAndLoss(t *testing.T) {
	second := func(from int64) func(int64) bool {
		return func(sent int64) bool { return sent >= from && sent < from+1000*ms }
	}
	for _, row := range []struct {
		name     string
		network  network
		p50, p98 float64 // ms, at most
		late     float64 // per cent, at most
	}{
		{"a quiet network costs two packets", network{packets: minutes, jitter: uniform(0)}, 45, 45, 0},
		{"jitter of 5 ms", network{packets: minutes, jitter: uniform(5 * ms)}, 45, 50, 0.1},
		{"jitter of 60 ms, reordering", network{packets: 5 * minutes, jitter: uniform(60 * ms)}, 90, 105, 1.5},
		{"jitter of 60 ms and 5 % loss", network{packets: 5 * minutes, jitter: uniform(60 * ms), loss: 0.05}, 90, 105, 1.5},
		{"normal jitter of 20 ms", network{packets: 5 * minutes, jitter: normal(20 * ms)}, 180, 200, 2},
		{"200 ppm fast", network{packets: 10 * minutes, jitter: uniform(10 * ms), ppm: 200}, 50, 65, 0.1},
		{"200 ppm slow", network{packets: 10 * minutes, jitter: uniform(10 * ms), ppm: -200}, 50, 65, 0.1},
		{"1000 ppm fast", network{packets: 10 * minutes, jitter: uniform(10 * ms), ppm: 1000}, 50, 65, 0.1},
		{"1 s lost", network{packets: minutes, jitter: uniform(5 * ms), outage: second(20_000 * ms)}, 45, 50, 0.1},
		{"1 s held up", network{packets: minutes, jitter: uniform(5 * ms), hold: func(sent int64) int64 {
			if second(20_000 * ms)(sent) {
				return 21_000 * ms
			}
			return 0
		}}, 45, 250, 2.5},
		{"everything together", network{packets: 10 * minutes, jitter: uniform(60 * ms), loss: 0.05, ppm: 200, outage: second(20_000 * ms)}, 95, 110, 1.5},
	} {
		t.Run(row.name, func(t *testing.T) {
			for seed := range uint64(3) {
				row.network.seed = seed
				r := row.network.run(t)
				t.Logf("delay %.0f ms, %.0f ms at 98 %%; late %.2f %%; %d guessed of %d gone; mute %d; %d changes of pace; target %d ms",
					r.at(0.5), r.at(0.98), r.late(), r.guessed, r.gone, r.mute, r.changes, r.Target/ms)
				if r.at(0.5) > row.p50 || r.at(0.98) > row.p98 {
					t.Errorf("delay %.0f ms, %.0f ms at 98 %%", r.at(0.5), r.at(0.98))
				}
				if r.late() > row.late {
					t.Errorf("late %.2f %%", r.late())
				}
			}
		})
	}
}
