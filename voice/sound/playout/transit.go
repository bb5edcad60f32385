package playout

import "slices"

// The delay is made for all but one packet in fifty of the last 400: eight
// seconds of 20 ms.
const (
	seen     = 400
	covered  = 98 // per cent
	early    = 50 // packets from which on the percentile is believed
	first    = 40 * ms
	tooFar   = 300 * ms // more than that is no jitter
	farTime  = 500 * ms // but so long, and the path has become longer
	ms       = int64(1e6)
	recount  = 50
	urgently = 4
)

// transits are how long the last packets were under way, ns, all with the same
// unknown offset; from them follow the fastest (base) and the delay after it at
// which the others are there (target). A sender's clock that is not ours shows
// as a slow change of all of them, which base follows.
type transits struct {
	ring, sorted [seen]int64
	n, at, fresh int
	base, target int64
	need         int64 // what the target would be without a least
	far          bool
	farSince     int64
}

func (t *transits) reset() { t.n, t.at, t.fresh, t.far, t.target, t.need = 0, 0, 0, false, first, 0 }

// note takes the transit of a packet that came at now.
func (t *transits) note(transit, now int64) {
	if t.n > 0 && transit-t.base > tooFar {
		if !t.far {
			t.far, t.farSince = true, now
		}
		if now-t.farSince < farTime {
			return
		}
		t.reset()
	}
	t.far = false
	if t.n == 0 || transit < t.base {
		t.base = transit
	}
	t.ring[t.at] = transit
	t.at = (t.at + 1) % seen
	t.n = min(t.n+1, seen)
	if t.fresh++; t.fresh >= recount || t.fresh >= urgently && transit-t.base > t.target {
		t.count()
	}
}

func (t *transits) count() {
	t.fresh = 0
	s := t.sorted[:t.n]
	copy(s, t.ring[:t.n])
	slices.Sort(s)
	t.base = s[0]
	t.need = min(s[(t.n-1)*covered/100]-t.base, Most)
	t.target = max(t.need, Least)
	if t.n < early {
		t.target = max(t.target, first)
	}
}
