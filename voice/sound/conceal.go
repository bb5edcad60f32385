package sound

import "math"

// A concealer hides lost packets of a waveform codec, by the principle of ITU-T
// G.711 Appendix I: the voice's last period is repeated, after 10 ms the last
// two and after 20 ms the last three, so that it does not buzz; from 10 ms on it
// fades out, to silence at 60 ms; the voice that comes back is faded in over up
// to 10 ms. Unlike there nothing is delayed by 3.75 ms: the first repetition is
// bent to start where the voice broke off, and a period may be as short as
// 2.5 ms (the Appendix: 5), which brought 0.2 dB of spectral distance.
type concealer struct {
	k       int     // samples in 1/8 ms
	history []int16 // the last samples that were played
	before  []int16 // what it was when the loss began
	period  int     // samples; 0: there was nothing but silence
	now     repeat
	old     repeat // what now replaces
	fading  int    // samples that old is still heard for
	lost    int    // samples concealed since the last good one
	bend    float32
}

// A repeat goes round the last periods of what was heard.
type repeat struct{ periods, at int }

// In 1/8 ms, as samples at 8000 Hz.
const (
	shortest = 20             // a period: 400 Hz; of a higher voice two are taken
	longest  = 120            // 67 Hz
	step     = 80             // then more periods are repeated
	silent   = 480            // from here on nothing is played
	compared = 120            // to find the period
	heard    = 3*longest + 30 // 3 periods and a quarter
)

// newConcealer returns a concealer for samples at rate, Hz: a multiple of 8000.
func newConcealer(rate int) concealer {
	k := rate / 8000
	return concealer{k: k, history: make([]int16, k*heard), before: make([]int16, k*heard)}
}

// good takes samples that were received and joins them to what was concealed.
func (c *concealer) good(pcm []int16) {
	if c.lost > 0 {
		// A quarter of a period, and 4 ms for every 10 ms lost after the first 10.
		n := min(c.period/4+max(0, c.lost-c.k*step)*2/5, c.k*step, len(pcm))
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
	n := len(c.history)
	if len(pcm) >= n {
		copy(c.history, pcm[len(pcm)-n:])
		return
	}
	copy(c.history, c.history[len(pcm):])
	copy(c.history[n-len(pcm):], pcm)
}

func (c *concealer) begin() {
	copy(c.before, c.history)
	c.period = c.pitch()
	c.now, c.fading = repeat{periods: 1}, 0
	if c.period > 0 {
		n := len(c.before)
		c.bend = float32(c.before[n-1]) - float32(c.before[n-1-c.period])
	}
}

// next returns the next concealed sample.
func (c *concealer) next() float32 {
	n := c.lost
	c.lost++
	if n >= c.k*silent || c.period == 0 {
		return 0
	}
	if n == c.k*step || n == 2*c.k*step {
		c.old, c.fading = c.now, c.period/4
		c.now.at += c.period // the same phase, one period earlier
		c.now.periods++
	}
	x := c.step(&c.now)
	if c.fading > 0 {
		w := float32(c.fading) / float32(c.period/4+1)
		x += w * (c.step(&c.old) - x)
		c.fading--
	}
	if quarter := c.period / 4; n < quarter {
		x += c.bend * (1 - float32(n+1)/float32(quarter+1))
	}
	if from := c.k * step; n > from {
		x *= 1 - float32(n-from)/float32(c.k*silent-from)
	}
	return x
}

// step returns the next sample of a repetition, whose end is blended into what
// came before its beginning.
func (c *concealer) step(r *repeat) float32 {
	all, n := r.periods*c.period, len(c.before)
	x := float32(c.before[n-all+r.at])
	r.at++
	if left, quarter := all-r.at, c.period/4; left < quarter {
		w := float32(quarter-left) / float32(quarter+1)
		x += w * (float32(c.before[n-all-1-left]) - x)
	}
	if r.at == all {
		r.at = 0
	}
	return x
}

// pitch returns the lag at which the voice is most like itself, 0 for silence:
// by coarse steps first, where the sampling is fine.
func (c *concealer) pitch() int {
	best, found := 0.0, 0
	loud := false
	try := func(lag int) {
		product, energy := c.alike(lag)
		if energy == 0 {
			return
		}
		loud = true
		if like := product / math.Sqrt(energy); like > best {
			best, found = like, lag
		}
	}
	for lag := c.k * shortest; lag <= c.k*longest; lag += c.k {
		try(lag)
	}
	for lag, last := max(found-c.k+1, c.k*shortest), min(found+c.k-1, c.k*longest); found > 0 && lag <= last; lag++ {
		try(lag)
	}
	if found == 0 && loud {
		return c.k * longest // like nothing: noise
	}
	return found
}

// alike returns the product of the last samples with those lag earlier, and the
// energy of these.
func (c *concealer) alike(lag int) (product, energy float64) {
	n := len(c.history)
	recent := c.history[n-c.k*compared:]
	earlier := c.history[n-c.k*compared-lag:][:len(recent)]
	var ab, bb int64
	for i := 0; i < len(recent); i += c.k {
		a, b := int64(recent[i]), int64(earlier[i])
		ab += a * b
		bb += b * b
	}
	return float64(ab), float64(bb)
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
