// Package pcm is the little sound that the demonstration needs: 8 kHz mono
// samples of 16 bits, G.711, tones, a way to find a tone or a known sound in
// what was heard, and WAV files. It shares nothing with the server's own voice
// engine, so that one can prove the other.
package pcm

import (
	"math"
	"time"
)

// Rate is the sampling rate of everything in this package, in Hz.
const Rate = 8000

// Frame is the number of samples in 20 ms.
const Frame = Rate / 50

// A Source gives sound piece by piece. Fill writes the next len(to) samples,
// silence where it has none, and reports whether more may follow.
type Source interface{ Fill(to []int16) bool }

// Tone returns d of a sine of hz at a quarter of full scale, with 5 ms of fade
// at both ends so that it does not click.
func Tone(hz float64, d time.Duration) []int16 {
	return sweep(hz, hz, d)
}

// Chirp returns d of a sine whose frequency rises from 400 to 3000 Hz. It
// correlates with nothing but itself, which makes it a marker in time.
func Chirp(d time.Duration) []int16 { return sweep(400, 3000, d) }

func sweep(from, to float64, d time.Duration) []int16 {
	const amplitude, fade = 8192, Rate * 5 / 1000
	n := Samples(d)
	out := make([]int16, n)
	phase := 0.0
	for i := range out {
		hz := from + (to-from)*float64(i)/float64(max(n, 1))
		gain := min(1, float64(min(i, n-1-i))/fade)
		out[i] = int16(amplitude * gain * math.Sin(phase))
		phase += 2 * math.Pi * hz / Rate
	}
	return out
}

// Samples returns how many samples d lasts.
func Samples(d time.Duration) int { return int(d * Rate / time.Second) }

// Length returns how long n samples last.
func Length(n int) time.Duration { return time.Duration(n) * time.Second / Rate }

// Steady is a sine of Hz that never ends.
type Steady struct {
	Hz    float64
	phase float64
}

// Fill implements Source.
func (s *Steady) Fill(to []int16) bool {
	for i := range to {
		to[i] = int16(8192 * math.Sin(s.phase))
		s.phase = math.Mod(s.phase+2*math.Pi*s.Hz/Rate, 2*math.Pi)
	}
	return true
}

// A Clip plays samples, Times times over (0: for ever) with Gap of silence
// after each.
type Clip struct {
	Samples []int16
	Gap     time.Duration
	Times   int
	at      int
	played  int
}

// Once returns a source that plays samples and ends.
func Once(samples []int16) *Clip { return &Clip{Samples: samples, Times: 1} }

// Fill implements Source.
func (c *Clip) Fill(to []int16) bool {
	whole := len(c.Samples) + Samples(c.Gap)
	for i := range to {
		to[i] = 0
		if whole == 0 || c.Times > 0 && c.played >= c.Times {
			continue
		}
		if c.at < len(c.Samples) {
			to[i] = c.Samples[c.at]
		}
		if c.at++; c.at == whole {
			c.at = 0
			c.played++
		}
	}
	return whole > 0 && (c.Times == 0 || c.played < c.Times)
}

// Join returns the sounds one after another.
func Join(sounds ...[]int16) []int16 {
	var out []int16
	for _, s := range sounds {
		out = append(out, s...)
	}
	return out
}

// Silence returns d of zeros.
func Silence(d time.Duration) []int16 { return make([]int16, Samples(d)) }
