package sound

import "math"

// A concealer hides lost packets of a waveform codec at 8000 Hz, after the idea
// of ITU-T G.711 Appendix I: the last pitch period is repeated, fading out, and
// the voice that comes back is faded in. Unlike there nothing is delayed by
// 3.75 ms: the first repetition is bent to start where the voice broke off.
type concealer struct {
	history [heard]int16 // the last samples that were played
	cycle   [longest]float32
	period  int     // samples of cycle in use
	at      int     // next sample of cycle
	lost    int     // samples concealed since the last good one
	bend    float32 // what the first concealed sample is off by
}

const (
	heard    = 2*longest + 80
	shortest = 40       // samples of a pitch period: 200 Hz
	longest  = 120      // 67 Hz
	keep     = 80       // concealed samples at full level: 10 ms
	silent   = 480      // from here on nothing is played: 60 ms
	returns  = 40       // the voice that comes back fades in over 5 ms
	window   = 2 * keep // samples compared to find the pitch
)

// good takes samples that were received and joins them to what was concealed.
func newConcealer(int) concealer { return concealer{} }
func (c *concealer) good(pcm []int16) {
	if c.lost > 0 {
		n := min(returns, len(pcm))
		for i := range n {
			w := float32(i+1) / float32(n+1)
			pcm[i] = clip(w*float32(pcm[i]) + (1-w)*c.next())
		}
		c.lost = 0
	}
	c.remember(pcm)
}

// fill writes a guess to pcm.
func (c *concealer) fill(pcm []int16) {
	if c.lost == 0 {
		c.begin()
	}
	for i := range pcm {
		pcm[i] = clip(c.next())
	}
	c.remember(pcm)
}

func (c *concealer) remember(pcm []int16) {
	if len(pcm) >= heard {
		copy(c.history[:], pcm[len(pcm)-heard:])
		return
	}
	copy(c.history[:], c.history[len(pcm):])
	copy(c.history[heard-len(pcm):], pcm)
}

// begin finds the pitch period and makes the cycle to be repeated: the last
// period, its end blended into what came before its beginning.
func (c *concealer) begin() {
	c.period = c.pitch()
	c.at = 0
	last := c.history[heard-c.period:]
	for i, x := range last {
		c.cycle[i] = float32(x)
	}
	blend := c.period / 4
	for i := range blend {
		w := float32(i+1) / float32(blend)
		k := c.period - blend + i
		c.cycle[k] = (1-w)*c.cycle[k] + w*float32(c.history[heard-2*c.period+k])
	}
	c.bend = float32(c.history[heard-1]) - float32(c.history[heard-1-c.period])
}

// next returns the next concealed sample.
func (c *concealer) next() float32 {
	if c.lost >= silent || c.period == 0 {
		c.lost++
		return 0
	}
	x := c.cycle[c.at]
	if c.at++; c.at == c.period {
		c.at = 0
	}
	if quarter := c.period / 4; c.lost < quarter {
		x += c.bend * (1 - float32(c.lost+1)/float32(quarter+1))
	}
	if c.lost > keep {
		x *= 1 - float32(c.lost-keep)/float32(silent-keep)
	}
	c.lost++
	return x
}

// pitch returns the lag at which the voice is most like itself.
func (c *concealer) pitch() int {
	recent := c.history[heard-window:]
	best, found := -math.MaxFloat64, longest
	for lag := shortest; lag <= longest; lag++ {
		var product, energy float64
		for i, x := range recent {
			y := float64(c.history[heard-window-lag+i])
			product += float64(x) * y
			energy += y * y
		}
		if energy == 0 {
			continue
		}
		if like := product / math.Sqrt(energy); like > best {
			best, found = like, lag
		}
	}
	return found
}

func clip(x float32) int16 {
	switch {
	case x >= math.MaxInt16:
		return math.MaxInt16
	case x <= math.MinInt16:
		return math.MinInt16
	case x < 0:
		return int16(x - 0.5)
	}
	return int16(x + 0.5)
}
