package sound

import (
	"fmt"
	"math"
	"testing"
)

// sine is a tone of full length without soft edges.
func sine(hz float64, n, rate int) []int16 {
	pcm := make([]int16, n)
	for i := range pcm {
		pcm[i] = int16(math.Round(16384 * math.Sin(2*math.Pi*hz*float64(i)/float64(rate))))
	}
	return pcm
}

func decibel(x float64) float64 { return 20 * math.Log10(max(x, 1e-9)) }

// inFrames converts pcm in frames of 20 ms, as a call does.
func inFrames(t *testing.T, pcm []int16, from, to int) []int16 {
	t.Helper()
	r := newResampler(from, to)
	var all []int16
	out := make([]int16, to/50)
	for at := 0; at+from/50 <= len(pcm); at += from / 50 {
		n := r.Resample(pcm[at:at+from/50], out)
		if n != to/50 {
			t.Fatalf("%d samples out of 20 ms", n)
		}
		all = append(all, out[:n]...)
	}
	return all
}

func TestResampler(t *testing.T) {
	for _, way := range [][2]int{{8000, 48000}, {48000, 8000}, {8000, 16000}, {16000, 48000}, {48000, 16000}} {
		from, to := way[0], way[1]
		slow := float64(min(from, to))
		t.Run(fmt.Sprint(from, " to ", to), func(t *testing.T) {
			for _, part := range []float64{0.0125, 0.0375, 0.125, 0.25, 0.375, 0.425} { // of the slower sampling: 100 to 3400 Hz of 8000
				hz := part * slow
				out := inFrames(t, sine(hz, from, from), from, to)
				middle := out[to/4 : to*3/4]
				near(t, fmt.Sprintf("%.0f Hz, dB", hz), decibel(Level(middle, to, hz)), decibel(0.5), 0.2)
				level := Level(middle, to, hz)
				rest := rms(middle)*rms(middle) - level*level/2 // all that isn't the tone
				if rest := decibel(math.Sqrt(max(0, rest))); rest > -50 {
					t.Errorf("%.0f Hz: %.1f dB besides", hz, rest)
				}
			}
		})
	}
	t.Run("what 8000 Hz can't carry does not come back as an alias", func(t *testing.T) {
		for _, hz := range []float64{4500, 5000, 7000, 8000, 9000, 12000, 16000, 20000} {
			out := inFrames(t, sine(hz, 48000, 48000), 48000, 8000)
			if level := decibel(rms(out[2000:6000]) * math.Sqrt2 / 0.5); level > -58 {
				t.Errorf("%.0f Hz: %.1f dB", hz, level)
			}
		}
	})
	t.Run("what comes from 8000 Hz has no image", func(t *testing.T) {
		for _, hz := range []float64{300, 1000, 2000, 3400} {
			out := inFrames(t, sine(hz, 8000, 8000), 8000, 48000)[12000:36000]
			for _, image := range []float64{8000 - hz, 8000 + hz, 16000 - hz, 16000 + hz} {
				if level := decibel(Level(out, 48000, image) / 0.5); level > -58 {
					t.Errorf("%.0f Hz at %.0f Hz: %.1f dB", hz, image, level)
				}
			}
		}
	})
	t.Run("silence stays silent, a constant stays constant, full scale does not wrap", func(t *testing.T) {
		for _, x := range []int16{0, 1000, math.MaxInt16, math.MinInt16} {
			in := make([]int16, 1600)
			for i := range in {
				in[i] = x
			}
			out := inFrames(t, in, 8000, 48000)
			for _, y := range out[480:] {
				if abs(int(y)-int(x)) > 2 {
					t.Fatalf("%d became %d", x, y)
				}
			}
		}
	})
	t.Run("frames make no difference", func(t *testing.T) {
		in := sine(1000, 8000, 8000)
		whole := make([]int16, 48000)
		if n := newResampler(8000, 48000).Resample(in, whole); n != len(whole) {
			t.Fatal(n)
		}
		for i, x := range inFrames(t, in, 8000, 48000) {
			if x != whole[i] {
				t.Fatalf("sample %d: %d, whole %d", i, x, whole[i])
			}
		}
	})
	t.Run("sampling without a simple ratio", func(t *testing.T) {
		out := make([]int16, 50000)
		n := newResampler(44100, 48000).Resample(sine(1000, 44100, 44100), out)
		near(t, "samples", float64(n), 48000, 1)
		near(t, "level", Level(out[12000:36000], 48000, 1000), 0.5, 0.01)
	})
	t.Run("too little room loses the rest and keeps the time", func(t *testing.T) {
		r := newResampler(8000, 48000)
		out := make([]int16, 960)
		if n := r.Resample(sine(1000, 160, 8000), out[:100]); n != 100 {
			t.Error(n)
		}
		if n := r.Resample(sine(1000, 160, 8000), out); n != 960 {
			t.Error(n)
		}
	})
}

func TestLevel(t *testing.T) {
	tone := Tone(1000, 200, 8000)
	near(t, "the tone", Level(tone[100:1500], 8000, 1000), loudness, 0.002)
	near(t, "beside it", Level(tone[100:1500], 8000, 1400), 0, 0.005)
	near(t, "nothing", Level(nil, 8000, 1000), 0, 0)
	near(t, "full scale", Level(sine(500, 800, 8000), 8000, 500), 0.5, 0.001)
}
