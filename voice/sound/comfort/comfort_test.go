package comfort

import (
	"bytes"
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

func level(pcm []int16) float64 {
	sum := 0.0
	for _, x := range pcm {
		sum += float64(x) * float64(x)
	}
	return 20 * math.Log10(math.Sqrt(sum/float64(len(pcm)))/32768)
}

func TestPayload(t *testing.T) {
	for _, row := range []struct {
		name  string
		in    []byte
		level int
		order int
		k0    float32
	}{
		{"a level alone", []byte{0x46}, 70, 0, 0},
		{"the reserved bit is ignored", []byte{0xc6}, 70, 0, 0},
		{"127 is no correlation", []byte{40, 127}, 40, 1, 0},
		{"0 is almost -1", []byte{40, 0, 127}, 40, 2, -0.99},
		{"254 is almost 1", []byte{40, 254}, 40, 1, 0.99},
		{"255 is no more", []byte{40, 255}, 40, 1, 0.99},
		{"a step", []byte{40, 137}, 40, 1, 2580.0 / 32768},
		{"too many are left out", append([]byte{40}, make([]byte, 30)...), 40, MaxOrder, -0.99},
	} {
		n, err := Parse(row.in)
		if err != nil || n.Level != row.level || n.Order != row.order || math.Abs(float64(n.K[0]-row.k0)) > 1e-6 {
			t.Errorf("%s: %+v, %v", row.name, n, err)
		}
	}
	if _, err := Parse(nil); err == nil {
		t.Error("nothing was read")
	}
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := Noise{Level: rapid.IntRange(0, 127).Draw(t, "level"), Order: rapid.IntRange(0, MaxOrder).Draw(t, "order")}
		for i := range n.Order {
			n.K[i] = float32(rapid.Float64Range(-0.98, 0.98).Draw(t, "k"))
		}
		b := n.Append(nil)
		m, err := Parse(b)
		if err != nil || m.Level != n.Level || m.Order != n.Order || !bytes.Equal(m.Append(nil), b) {
			t.Fatalf("%+v became %+v, %v", n, m, err)
		}
		for i := range n.Order {
			if math.Abs(float64(m.K[i]-n.K[i])) > 130.0/32768 {
				t.Fatalf("%v became %v", n.K[i], m.K[i])
			}
		}
	})
}

// A room's noise, measured, sent and made again, has its level and its colour.
func TestNoiseIsLikeTheRoom(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for _, row := range []struct {
		name string
		pole float64
		loud float64
	}{{"white", 0, 300}, {"dull", 0.9, 100}, {"bright", -0.7, 100}, {"very quiet", 0.5, 4}} {
		room, y := make([]int16, 8000), 0.0
		for i := range room {
			y = row.pole*y + r.NormFloat64()*row.loud
			room[i] = int16(math.Round(y))
		}
		n, err := Parse(Measure(room, 8).Append(nil))
		if err != nil {
			t.Fatal(err)
		}
		var g Generator
		g.Set(n)
		made := make([]int16, 16000)
		g.Fill(made)
		made = made[8000:]
		if d := level(made) - level(room); math.Abs(d) > 1 {
			t.Errorf("%s: %.1f dB louder", row.name, d)
		}
		again := Measure(made, 8)
		if d := math.Abs(float64(again.K[0] - n.K[0])); d > 0.08 {
			t.Errorf("%s: first coefficient %.2f, %.2f before", row.name, again.K[0], n.K[0])
		}
	}
}

func TestNoiseComesAndGoesSoftly(t *testing.T) {
	var g Generator
	pcm := make([]int16, 160)
	if g.Fill(pcm); level(pcm) > -100 {
		t.Error("noise before there was any")
	}
	g.Set(Noise{Level: 40})
	g.Fill(pcm)
	if l := level(pcm[:8]); l > -50 {
		t.Errorf("begins at %.0f dB", l)
	}
	if g.Fill(pcm); math.Abs(level(pcm)+40) > 1.5 {
		t.Errorf("%.0f dB after 40 ms", level(pcm))
	}
	g.Stop()
	for range 3 {
		g.Fill(pcm)
	}
	if level(pcm) > -80 {
		t.Errorf("%.0f dB after it was stopped", level(pcm))
	}
}

func TestNothingIsAllocated(t *testing.T) {
	var g Generator
	pcm, payload := make([]int16, 160), []byte{50, 90, 140, 120}
	if a := testing.AllocsPerRun(100, func() {
		n, _ := Parse(payload)
		g.Set(n)
		g.Fill(pcm)
		payload = Measure(pcm, 3).Append(payload[:0])
	}); a != 0 {
		t.Errorf("%v allocations", a)
	}
}

// No payload makes the filter run away.
func FuzzComfort(f *testing.F) {
	f.Add([]byte{30}, []byte{0, 255, 0, 255, 0, 255, 0, 255, 0, 255, 0, 255, 0})
	f.Fuzz(func(t *testing.T, a, b []byte) {
		var g Generator
		pcm := make([]int16, 400)
		for _, p := range [][]byte{a, b, a} {
			n, err := Parse(p)
			if err != nil {
				continue
			}
			g.Set(n)
			g.Fill(pcm)
			for _, x := range g.back {
				if x != x || x > 3*overload || x < -3*overload {
					t.Fatalf("%v", g.back)
				}
			}
		}
	})
}
