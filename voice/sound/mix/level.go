package mix

import "math"

// A balance brings a voice to the level of the others, slowly: it follows what
// stands out of the noise and lets pauses be, so that noise is not raised.
type balance struct {
	gain   float32
	speech float64 // mean power of what was said
	floor  float64 // of the noise
	heard  int     // frames of speech so far
}

const (
	wanted   = 0.08 * 0.08 * 32768 * 32768 // mean power of speech: -22 dBFS
	quietest = 0.003 * 0.003 * 32768 * 32768
	strong   = 4    // times a voice is raised at most: 12 dB
	weak     = 0.25 // or lowered
	believed = 25   // frames of speech before anything is done: half a second
	quick    = 1.02 // times the gain may change in a frame: 8 dB in a second
)

// next returns the gain at the beginning and at the end of a frame.
func (b *balance) next(pcm []int16) (from, to float32) {
	sum := int64(0)
	for _, x := range pcm {
		sum += int64(x) * int64(x)
	}
	power := float64(sum) / float64(len(pcm))
	if b.heard == 0 && b.floor == 0 || power < b.floor {
		b.floor = power
	} else {
		b.floor += b.floor*0.01 + 1e-3 // it rises by 2 dB in a second
	}
	from = b.gain
	if power < quietest || power < 10*b.floor && power < wanted/4 {
		return from, from
	}
	b.heard++
	b.speech += (power - b.speech) / float64(min(b.heard, 100)) // over two seconds
	if b.heard < believed {
		return from, from
	}
	aim := float32(min(max(math.Sqrt(wanted/b.speech), weak), strong))
	b.gain = min(max(aim, b.gain/quick), b.gain*quick)
	return from, b.gain
}

// A limiter keeps a sum within 16 bits: slowly by its gain, and what is left by
// a curve that is straight up to bendsAt and never reaches the end.
type limiter struct{ gain float32 }

const (
	bendsAt  = 23000
	recovers = 1.012 // times the gain rises in a frame: 5 dB in a second
	end      = 32767
)

// write writes sum without own, limited, to pcm.
func (l *limiter) write(sum, own []int32, pcm []int16) {
	peak := int32(0)
	if own == nil {
		for _, x := range sum[:len(pcm)] {
			peak = max(peak, x, -x)
		}
	} else {
		own = own[:len(pcm)]
		for i, x := range sum[:len(pcm)] {
			x -= own[i]
			peak = max(peak, x, -x)
		}
	}
	from := l.gain
	l.gain = min(1, l.gain*recovers)
	if p := float32(peak); p*l.gain > bendsAt {
		l.gain = bendsAt / p
	}
	g, step := from, (l.gain-from)/float32(len(pcm))
	for i, x := range sum[:len(pcm)] {
		if own != nil {
			x -= own[i]
		}
		g += step
		pcm[i] = bend(float32(x) * g)
	}
}

func bend(x float32) int16 {
	switch {
	case x > bendsAt:
		over := x - bendsAt
		x = bendsAt + over*(end-bendsAt)/(over+end-bendsAt)
	case x < -bendsAt:
		over := -x - bendsAt
		x = -bendsAt - over*(end-bendsAt)/(over+end-bendsAt)
	}
	if x < 0 {
		return int16(x - 0.5)
	}
	return int16(x + 0.5)
}
