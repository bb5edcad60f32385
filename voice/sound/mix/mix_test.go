package mix

import (
	"fmt"
	"math"
	"testing"

	"pgregory.net/rapid"
)

const rate = 8000

// sine is a tone whose phase goes on from frame to frame.
func sine(round int, hz, peak float64) []int16 {
	pcm := make([]int16, rate/50)
	for i := range pcm {
		pcm[i] = int16(peak * math.Sin(2*math.Pi*hz*float64(round*len(pcm)+i)/rate))
	}
	return pcm
}

func join(t testing.TB, m *Mixer) int {
	t.Helper()
	leg, ok := m.Join()
	if !ok {
		t.Fatal("no place")
	}
	return leg
}

func rms(pcm []int16) float64 {
	sum := 0.0
	for _, x := range pcm {
		sum += float64(x) * float64(x)
	}
	return math.Sqrt(sum / float64(len(pcm)))
}

// share is how much of pcm is at hz, as a peak.
func share(pcm []int16, hz float64) float64 {
	var a, b float64
	for i, x := range pcm {
		s, c := math.Sincos(2 * math.Pi * hz * float64(i) / rate)
		a += float64(x) * s
		b += float64(x) * c
	}
	return 2 * math.Hypot(a, b) / float64(len(pcm))
}

func TestEachHearsTheOthersAndNotItself(t *testing.T) {
	m := New(rate)
	var legs []int
	heard := map[int][]int16{}
	for range 4 {
		legs = append(legs, join(t, m))
	}
	for round := range 50 {
		for i, leg := range legs {
			m.Put(leg, sine(round, 400+200*float64(i), 3700))
		}
		m.Mix()
		for _, leg := range legs {
			out := make([]int16, m.Frame())
			m.Out(leg, out)
			heard[leg] = append(heard[leg], out...)
		}
	}
	for _, listener := range legs {
		for i, speaker := range legs {
			got := share(heard[listener][1600:], 400+200*float64(i))
			if listener == speaker && got > 40 || listener != speaker && (got < 3000 || got > 4600) {
				t.Errorf("leg %d hears %d at %.0f", listener, speaker, got)
			}
		}
	}
}

func TestAloneThereIsSilence(t *testing.T) {
	m := New(rate)
	leg, out := join(t, m), make([]int16, rate/50)
	for round := range 100 {
		m.Put(leg, sine(round, 440, 30000))
		m.Mix()
		if m.Out(leg, out); rms(out) != 0 {
			t.Fatal("it hears itself")
		}
	}
}

func TestThirtyTwoAndNoMore(t *testing.T) {
	m := New(rate)
	for range Most {
		join(t, m)
	}
	if _, ok := m.Join(); ok {
		t.Fatal("one more")
	}
	m.Leave(7)
	if leg, ok := m.Join(); !ok || leg != 7 {
		t.Error(leg, ok)
	}
}

// Who joins, leaves or loses a packet in the middle of a loud tone makes no
// click: no step much steeper than the tone itself.
func TestNobodyClicks(t *testing.T) {
	m := New(rate)
	listener := join(t, m)
	speaker := -1
	var heard []int16
	for round := range 60 {
		switch round {
		case 10, 40:
			speaker = join(t, m)
		case 30:
			m.Leave(speaker)
			speaker = -1
		}
		if speaker >= 0 && round != 20 && round != 50 { // two packets are lost
			m.Put(speaker, sine(round, 310, 8000)) // not whole in a frame
		}
		m.Mix()
		out := make([]int16, m.Frame())
		m.Out(listener, out)
		heard = append(heard, out...)
	}
	steepest := 8000 * 2 * math.Pi * 310 / rate
	for i := 1; i < len(heard); i++ {
		if d := math.Abs(float64(heard[i]) - float64(heard[i-1])); d > 1.4*steepest {
			t.Errorf("a step of %.0f at %.2f frames, the tone has %.0f", d, float64(i)/160, steepest)
		}
	}
	if l := rms(heard[15*160 : 18*160]); l < 4000 {
		t.Errorf("level %.0f", l)
	}
}

func TestVoicesComeToOneLevel(t *testing.T) {
	m := New(rate)
	listener, loud, quiet := join(t, m), join(t, m), join(t, m)
	var heard []int16
	for round := range 500 {
		// Syllables: half on, half off.
		if round/10%2 == 0 {
			m.Put(loud, sine(round, 500, 14000))
			m.Put(quiet, sine(round, 900, 1100))
		} else {
			m.Put(loud, sine(round, 500, 20))
			m.Put(quiet, sine(round, 900, 20))
		}
		m.Mix()
		out := make([]int16, m.Frame())
		if m.Out(listener, out); round >= 480 && round < 490 {
			heard = append(heard, out...)
		}
	}
	apart := 20 * math.Log10(share(heard, 500)/share(heard, 900))
	if math.Abs(apart) > 3 {
		t.Errorf("%.1f dB apart, 22 dB before", apart)
	}
}

func TestNoiseIsNotRaised(t *testing.T) {
	m := New(rate)
	listener, noisy, out := join(t, m), join(t, m), make([]int16, rate/50)
	for round := range 1000 {
		m.Put(noisy, sine(round, 500, 60))
		m.Mix()
		m.Out(listener, out)
	}
	if l := rms(out) * math.Sqrt2; l > 70 {
		t.Errorf("noise of 60 became %.0f", l)
	}
}

// However many shout, nothing wraps round, and the curve is smooth.
func TestNothingOverloads(t *testing.T) {
	m := New(rate)
	var legs []int
	for range Most {
		legs = append(legs, join(t, m))
	}
	out, worst := make([]int16, rate/50), 0.0
	var last int16
	for round := range 200 {
		for _, leg := range legs {
			m.Put(leg, sine(round, 250, 32000))
		}
		m.Mix()
		m.Out(legs[3], out)
		for i, x := range out {
			if round > 2 {
				worst = max(worst, math.Abs(float64(x)-float64(last)))
			}
			last = out[i]
		}
	}
	if l := rms(out); l < 10000 || worst > 7000 {
		t.Errorf("level %.0f, steepest step %.0f", l, worst)
	}
}

func TestCurveRisesAndStaysWithin(t *testing.T) {
	last := int16(math.MinInt16)
	for x := float32(-2e6); x < 2e6; x += 97 {
		y := bend(x)
		if y < last {
			t.Fatalf("falls at %v", x)
		}
		if last = y; x > -bendsAt && x < bendsAt && math.Abs(float64(y)-float64(x)) > 0.51 {
			t.Fatalf("%v became %d", x, y)
		}
	}
}

// In any order of doings, the places are counted and nothing is out of bounds.
func TestAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m, in := New(rate), map[int]bool{}
		out := make([]int16, rate/50)
		for range rapid.IntRange(1, 200).Draw(t, "doings") {
			leg := rapid.IntRange(-1, Most).Draw(t, "leg")
			switch rapid.IntRange(0, 4).Draw(t, "what") {
			case 0:
				if l, ok := m.Join(); ok {
					if in[l] {
						t.Fatalf("%d was given twice", l)
					}
					in[l] = true
				} else if len(in) == 0 {
					t.Fatal("no place")
				}
			case 1:
				m.Leave(leg)
				delete(in, leg)
			case 2:
				m.Put(leg, sine(leg, 300, 30000)[:rapid.SampledFrom([]int{160, 160, 80}).Draw(t, "n")])
			case 3:
				m.Mix()
			case 4:
				m.Out(leg, out)
				if !in[leg] && rms(out) != 0 {
					t.Fatalf("%d is not here and hears", leg)
				}
			}
		}
	})
}

func TestNothingIsAllocated(t *testing.T) {
	m, pcm := New(rate), sine(0, 300, 8000)
	a, b := join(t, m), join(t, m)
	if n := testing.AllocsPerRun(50, func() {
		m.Put(a, pcm)
		m.Put(b, pcm)
		m.Mix()
		m.Out(a, pcm)
		m.Whole(pcm)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// The cost of a leg is the same in a small conference and a large one.
func BenchmarkRound(b *testing.B) {
	for _, n := range []int{2, 4, 8, 16, 32} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			m, pcm, out := New(rate), sine(0, 300, 8000), make([]int16, rate/50)
			for range n {
				join(b, m)
			}
			for b.Loop() {
				for leg := range n {
					m.Put(leg, pcm)
				}
				m.Mix()
				for leg := range n {
					m.Out(leg, out)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/leg")
		})
	}
}
