package sound

import "math"

// Hold music, composed for this server: four bars of a plucked arpeggio over
// Fmaj7, Am7, Dm7 and B flat maj7, with a soft low voice and now and then a high
// one. It lies where a telephone carries it, and what rings on at the end rings
// into the beginning, so it repeats without a seam.
const (
	musicStep = 0.4         // s, one of eight in a bar
	musicLoop = 32          // steps: 12.8 s
	musicPeak = 0.25        // of full scale: -12 dBFS, about -26 on average
	middleC   = 261.6255653 // Hz
)

// The notes are semitones above middle C.
var (
	arpeggio = [4][8]int{
		{5, 9, 12, 16, 17, 16, 12, 9},   // F A C E F
		{4, 9, 12, 16, 19, 16, 12, 9},   // E A C E G
		{5, 9, 14, 17, 21, 17, 14, 9},   // F A D F A
		{2, 10, 14, 17, 21, 17, 14, 10}, // D B flat D F A
	}
	low  = [4]int{-7, -3, -10, -2}
	high = map[int]int{4: 24, 7: 21, 12: 19, 15: 16, 20: 24, 22: 26, 23: 24, 28: 21, 31: 22}
)

// music returns one round of the hold music at a sampling rate, Hz.
func music(rate int) []int16 {
	mix := make([]float64, int(musicStep*float64(rate))*musicLoop)
	at := func(step int) int { return step * len(mix) / musicLoop }
	for bar, notes := range arpeggio {
		pluck(mix, at(8*bar), rate, low[bar], 0.55, 2.6)
		pluck(mix, at(8*bar+4), rate, low[bar]+7, 0.3, 1.8)
		for i, note := range notes {
			force := 0.42
			if i%4 == 0 {
				force = 0.55
			}
			pluck(mix, at(8*bar+i), rate, note, force, 1.3)
		}
	}
	for step := range musicLoop {
		if note, ok := high[step]; ok {
			pluck(mix, at(step), rate, note, 0.3, 1.6)
		}
	}
	peak := 0.0
	for _, x := range mix {
		peak = max(peak, math.Abs(x))
	}
	pcm := make([]int16, len(mix))
	for i, x := range mix {
		pcm[i] = int16(math.Round(32767 * musicPeak * x / peak))
	}
	return pcm
}

// pluck adds a string that rings for about lasts seconds: four partials, the
// higher the sooner gone, with an attack of 8 ms.
func pluck(mix []float64, start, rate, note int, force, lasts float64) {
	hz := middleC * math.Pow(2, float64(note)/12)
	for partial, share := range [...]float64{1, 0.35, 0.16, 0.06} {
		w := 2 * math.Pi * hz * float64(partial+1) / float64(rate)
		if w >= 0.85*math.Pi {
			break
		}
		decay := math.Exp(-5 * (1 + 0.7*float64(partial)) / (lasts * float64(rate)))
		level, attack := force*share, 0.008*float64(rate)
		// A rotating pointer: its imaginary part is the sine.
		re, im, c, s := 1.0, 0.0, math.Cos(w), math.Sin(w)
		for i := 0; level > 1e-5 && i < 2*len(mix); i++ {
			mix[(start+i)%len(mix)] += level * min(1, float64(i)/attack) * im
			re, im = re*c-im*s, re*s+im*c
			level *= decay
		}
	}
}
