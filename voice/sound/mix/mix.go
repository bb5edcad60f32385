// Package mix joins the voices of a conference: each leg hears all others and
// not itself (N-1), at one level, without clicks and without overload. The cost
// grows with the legs, not with their square: all are added once, and from the
// sum each leg's own voice is taken.
package mix

// Most is how many legs a conference has at most.
const Most = 32

// A Mixer mixes frames of 20 ms. It is used by one goroutine: in each round Put
// for every leg that has a frame, then Mix, then Out for every leg. Nothing is
// allocated after New but at the first Join of each seat.
type Mixer struct {
	rate  int
	frame int
	sum   []int32
	whole limiter
	seats [Most]*seat
}

// A seat is one leg.
type seat struct {
	taken   bool
	own     []int32 // what it adds to the sum in this round
	last    []int16 // the end of the last frame
	given   bool    // in this round
	spoke   bool    // in the round before
	adding  bool    // own is in the sum
	hearing bool    // it has had a frame
	level   balance
	out     limiter
}

// New returns an empty mixer for samples at rate, Hz: 8000 to 48000.
func New(rate int) *Mixer {
	return &Mixer{rate: rate, frame: rate / 50, sum: make([]int32, rate/50), whole: limiter{gain: 1}}
}

// Frame returns how many samples a frame has.
func (m *Mixer) Frame() int { return m.frame }

// Join returns a leg's place, 0 to Most-1; false if all are taken. What it says
// and what it hears rises from silence.
func (m *Mixer) Join() (leg int, ok bool) {
	for i, s := range m.seats {
		if s == nil {
			s = &seat{own: make([]int32, m.frame), last: make([]int16, m.edge())}
			m.seats[i] = s
		}
		if !s.taken && !s.spoke {
			*s = seat{taken: true, own: s.own, last: s.last, level: balance{gain: 1}, out: limiter{gain: 1}}
			return i, true
		}
	}
	return 0, false
}

// Leave takes a leg out. The others hear it fade in the next round; after that
// its place is free.
func (m *Mixer) Leave(leg int) {
	if s := m.seat(leg); s != nil {
		s.taken, s.given = false, false
	}
}

func (m *Mixer) seat(leg int) *seat {
	if leg < 0 || leg >= Most || m.seats[leg] == nil || !m.seats[leg].taken {
		return nil
	}
	return m.seats[leg]
}

// edge is how long a voice takes to rise and to fall where it begins or breaks
// off, samples: 5 ms.
func (m *Mixer) edge() int { return m.frame / 4 }

// Put gives a leg's frame of this round. A leg without one is silent, as one is
// whose frame has another length.
func (m *Mixer) Put(leg int, pcm []int16) {
	s := m.seat(leg)
	if s == nil || len(pcm) != m.frame {
		return
	}
	from, to := s.level.next(pcm)
	step := (to - from) / float32(m.frame)
	for i, x := range pcm {
		from += step
		s.own[i] = int32(float32(x) * from)
	}
	if !s.spoke {
		for i := range m.edge() {
			s.own[i] = s.own[i] * int32(i) / int32(m.edge())
		}
	}
	copy(s.last, pcm[m.frame-m.edge():])
	s.given = true
}

// Mix adds up what was put.
func (m *Mixer) Mix() {
	clear(m.sum)
	for _, s := range m.seats {
		if s == nil {
			continue
		}
		s.adding = s.given || s.spoke
		if !s.given && s.spoke {
			m.fall(s)
		}
		s.spoke, s.given = s.given, false
		if s.adding {
			for i, x := range s.own {
				m.sum[i] += x
			}
		}
	}
}

// fall has a voice that broke off fade: its end is heard backwards, which goes
// on where it stopped.
func (m *Mixer) fall(s *seat) {
	clear(s.own)
	n := len(s.last)
	for i := range n {
		s.own[i] = int32(float32(s.last[n-1-i]) * s.level.gain * float32(n-i) / float32(n+1))
	}
}

// Out writes what a leg hears in this round: all but itself.
func (m *Mixer) Out(leg int, pcm []int16) {
	s := m.seat(leg)
	if s == nil || len(pcm) != m.frame {
		clear(pcm)
		return
	}
	var own []int32
	if s.adding {
		own = s.own
	}
	s.out.write(m.sum, own, pcm)
	if !s.hearing {
		s.hearing = true
		for i := range m.edge() {
			pcm[i] = int16(int(pcm[i]) * i / m.edge())
		}
	}
}

// Whole writes all voices, for a recording.
func (m *Mixer) Whole(pcm []int16) {
	if len(pcm) == m.frame {
		m.whole.write(m.sum, nil, pcm)
	}
}
