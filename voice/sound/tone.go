package sound

import "math"

// loudness is the peak of a tone, as a part of full scale: -13 dBFS, that is
// -16 dBFS as root mean square, or about -10 dBm0 at a gateway.
const loudness = 0.224

// soft is how long a tone takes to rise and to fall, seconds: no click.
const soft = 0.005

// Tone returns a sine of hz that lasts ms at the sampling rate (Hz), with soft
// edges, its peak at -13 dBFS.
func Tone(hz float64, ms, rate int) []int16 {
	pcm := make([]int16, rate*ms/1000)
	for i := range pcm {
		t := float64(i) / float64(rate)
		left := float64(len(pcm)-1-i) / float64(rate)
		rise := min(1, min(t, left)/soft)
		shape := 0.5 - 0.5*math.Cos(math.Pi*rise)
		pcm[i] = int16(math.Round(32767 * loudness * shape * math.Sin(2*math.Pi*hz*t)))
	}
	return pcm
}

// Level returns how strong the frequency hz is in pcm, sampled at rate (Hz): the
// peak of the sine that would explain it, as a part of full scale (0 to 1). It
// is Goertzel's algorithm over all of pcm: n samples tell frequencies apart that
// differ by rate/n.
func Level(pcm []int16, rate int, hz float64) float64 {
	if len(pcm) == 0 {
		return 0
	}
	w := 2 * math.Pi * hz / float64(rate)
	c := 2 * math.Cos(w)
	var s1, s2 float64
	for _, x := range pcm {
		s1, s2 = float64(x)+c*s1-s2, s1
	}
	power := s1*s1 + s2*s2 - c*s1*s2
	return 2 * math.Sqrt(max(0, power)) / float64(len(pcm)) / 32768
}

// cadence returns a tone that sounds for on and rests for off, ms.
func cadence(hz float64, on, off, rate int) []int16 {
	return append(Tone(hz, on, rate), make([]int16, rate*off/1000)...)
}
