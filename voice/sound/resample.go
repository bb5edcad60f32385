package sound

import (
	"math"
	"sync"
)

// A filter is what all converters between the same two samplings share: a
// low-pass (sinc under a Kaiser window) cut into one phase for each position of
// an output sample between two input samples.
type filter struct {
	up, down int // output samples for input samples, without common factor
	taps     int // of each phase
	phases   [][]float32
}

const (
	// stopBand is how far aliases are suppressed, dB. With 32 samples of the
	// slower side under the window, 8000 Hz pass flat up to 3400 Hz and are
	// suppressed so far from 4500 Hz on.
	stopBand = 60
	sinc     = 32
	// edge is the middle of the filter's slope, as a part of the slower side's
	// Nyquist frequency.
	edge = 0.985
)

var filters sync.Map // [2]int{from, to} -> *filter; as many as the codecs' samplings squared

func filterFor(from, to int) *filter {
	if f, ok := filters.Load([2]int{from, to}); ok {
		return f.(*filter)
	}
	f, _ := filters.LoadOrStore([2]int{from, to}, newFilter(from, to))
	return f.(*filter)
}

func newFilter(from, to int) *filter {
	d := gcd(from, to)
	f := &filter{up: to / d, down: from / d, taps: sinc}
	if to < from { // the window is measured on the slower side
		f.taps = (sinc*from + to - 1) / to
	}
	n := f.taps * f.up
	cut := edge / float64(max(f.up, f.down)) // of the Nyquist frequency of from*up
	beta := 0.1102 * (stopBand - 8.7)
	for p := range f.up {
		phase := make([]float32, f.taps)
		sum := 0.0
		for k := range phase {
			// The newest input sample is at the end of the window.
			t := float64(p+(f.taps-1-k)*f.up) - float64(n-1)/2
			u := 2 * t / float64(n)
			h := cut * sincOf(cut*t) * bessel(beta*math.Sqrt(max(0, 1-u*u))) / bessel(beta)
			phase[k] = float32(h)
			sum += h
		}
		for k := range phase { // each phase passes what is constant unchanged
			phase[k] /= float32(sum)
		}
		f.phases = append(f.phases, phase)
	}
	return f
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

func sincOf(x float64) float64 {
	if x == 0 {
		return 1
	}
	return math.Sin(math.Pi*x) / (math.Pi * x)
}

// bessel is the modified Bessel function of the first kind, order 0.
func bessel(x float64) float64 {
	sum, term := 1.0, 1.0
	for k := 1.0; term > 1e-12*sum; k++ {
		term *= x / (2 * k) * (x / (2 * k))
		sum += term
	}
	return sum
}

// chunk is how many input samples are converted at a time: 20 ms at 48000 Hz.
const chunk = 960

type resampler struct {
	*filter
	past  []float32 // taps-1 samples from before, then room for a chunk
	phase int       // of the next output sample
	skip  int       // input samples until it
}

func newResampler(from, to int) *resampler {
	f := filterFor(from, to)
	return &resampler{filter: f, past: make([]float32, f.taps-1+chunk)}
}

// Resample converts all of in. What finds no room in out is lost.
func (r *resampler) Resample(in, out []int16) int {
	n := 0
	for len(in) > 0 {
		part := in[:min(chunk, len(in))]
		in = in[len(part):]
		n += r.convert(part, out[n:])
	}
	return n
}

func (r *resampler) convert(in, out []int16) int {
	before := r.taps - 1
	for i, x := range in {
		r.past[before+i] = float32(x)
	}
	n := 0
	for r.skip < len(in) {
		if n < len(out) {
			out[n] = clip(dot(r.phases[r.phase], r.past[r.skip:r.skip+r.taps]))
			n++
		}
		r.phase += r.down
		r.skip += r.phase / r.up
		r.phase %= r.up
	}
	r.skip -= len(in)
	copy(r.past, r.past[len(in):len(in)+before])
	return n
}

// dot multiplies four at a time: the sums do not wait for each other.
func dot(a, b []float32) float32 {
	var s0, s1, s2, s3 float32
	b = b[:len(a)]
	for len(a) >= 4 {
		s0 += a[0] * b[0]
		s1 += a[1] * b[1]
		s2 += a[2] * b[2]
		s3 += a[3] * b[3]
		a, b = a[4:], b[4:]
	}
	for i, x := range a {
		s0 += x * b[i]
	}
	return s0 + s1 + s2 + s3
}

// unchanged is the converter between equal samplings.
type unchanged struct{}

func (unchanged) Resample(in, out []int16) int { return copy(out, in) }
