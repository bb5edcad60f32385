// Package dtmf hears digits in the voice band (ITU-T Q.23, Q.24), where a far
// end sends tones and no events of RFC 4733. It is pure and knows no clock.
package dtmf

import "math"

// An Event is the beginning or the end of a digit.
type Event struct {
	Digit byte // '0' to '9', '*', '#', 'A' to 'D'
	End   bool
	At    int64 // samples since the detector began, within 7 ms
}

// Windows of 12.75 ms follow each other by half of it. A digit must be the same
// in five of them: a tone of 40 ms is always heard and one of 20 ms never (ITU-T
// Q.24). A gap of 10 ms is none, one of 40 ms always is.
const (
	hits   = 5
	misses = 5 // windows without it that end a digit

	weakest = 60   // root mean square of a window, of 32768: -55 dBFS
	share   = 0.55 // of all power that is in the two tones
	apart   = 6.3  // the tone of a group is so much stronger than the next: 8 dB
	// The low tone may be 8 dB stronger than the high one, and the high one 4 dB
	// stronger than the low; a short window measures that to 1.5 dB.
	lowTwist  = 8.9
	highTwist = 3.55
	astray    = 0.025 // a tone's frequency, as a part: 1.5 % is a tone, 3.5 % is none
)

var (
	tones = [8]float64{697, 770, 852, 941, 1209, 1336, 1477, 1633}
	keys  = [4]string{"123A", "456B", "789C", "*0#D"}
)

// A Detector hears one voice. The zero value is not usable.
type Detector struct {
	rate     float64
	hop      int
	turn     [8]complex128 // e^jw of each tone
	window   []float64     // two hops
	filled   int
	at       int64
	phase    [8]float64
	phaseOK  bool
	digit    byte // that is on; 0: none
	seen     byte // in the last window
	count    int  // windows in a row that had it
	missed   int  // that had not what is on
	events   []Event
	strength [8]float64
}

// New returns a detector for samples at rate, Hz: 8000 to 48000.
func New(rate int) *Detector {
	hop := rate * 51 / 8000
	d := &Detector{rate: float64(rate), hop: hop, window: make([]float64, 2*hop), filled: hop, events: make([]Event, 0, 16)}
	for i, hz := range tones {
		sin, cos := math.Sincos(2 * math.Pi * hz / float64(rate))
		d.turn[i] = complex(cos, sin)
	}
	return d
}

// Feed hears the next samples and returns what began and ended in them. The
// events are valid until the next call; of more than 16 in one call the oldest
// are kept.
func (d *Detector) Feed(pcm []int16) []Event {
	d.events = d.events[:0]
	for _, x := range pcm {
		d.window[d.filled] = float64(x)
		d.at++
		if d.filled++; d.filled == len(d.window) {
			d.decide(d.hear())
			d.filled = d.hop
			copy(d.window, d.window[d.hop:])
		}
	}
	return d.events
}

// hear returns the digit in the window, 0 if there is none.
func (d *Detector) hear() byte {
	power := 0.0
	for _, x := range d.window {
		power += x * x
	}
	n := float64(len(d.window))
	if power < weakest*weakest*n {
		d.phaseOK = false
		return 0
	}
	var turned [8]float64
	for i, e := range d.turn {
		c := 2 * real(e)
		var s1, s2 float64
		for _, x := range d.window {
			s1, s2 = x+c*s1-s2, s1
		}
		re, im := s1-s2*real(e), s2*imag(e)
		d.strength[i] = re*re + im*im
		phase := math.Atan2(im, re)
		turned[i], d.phase[i] = phase-d.phase[i], phase
	}
	before := d.phaseOK
	d.phaseOK = true
	low, lowClear := strongest(d.strength[:4])
	high, highClear := strongest(d.strength[4:])
	a, b := d.strength[low], d.strength[4+high]
	switch {
	case !lowClear || !highClear || a > lowTwist*b || b > highTwist*a:
		return 0
	case 2*(a+b)/n < share*power: // a tone of power p has p*n/2 in its place
		return 0
	case !before || d.stray(low, turned[low]) || d.stray(4+high, turned[4+high]):
		return 0
	}
	return keys[low][high]
}

// stray reports whether the tone is not the one that it is nearest to: how far
// its phase moved from window to window tells its frequency much better than a
// window does.
func (d *Detector) stray(tone int, turned float64) bool {
	hop := float64(d.hop)
	off := math.Remainder(turned-2*math.Pi*tones[tone]*hop/d.rate, 2*math.Pi)
	return math.Abs(off)*d.rate/(2*math.Pi*hop) > astray*tones[tone]
}

// strongest returns the strongest of a group and whether it stands out.
func strongest(group []float64) (int, bool) {
	best := 0
	for i, x := range group {
		if x > group[best] {
			best = i
		}
	}
	for i, x := range group {
		if i != best && x*apart > group[best] {
			return best, false
		}
	}
	return best, true
}

func (d *Detector) decide(digit byte) {
	if digit != d.seen {
		d.seen, d.count = digit, 0
	}
	d.count++
	if d.digit != 0 {
		if digit == d.digit {
			d.missed = 0
			return
		}
		if d.missed++; d.missed < misses {
			return
		}
		d.event(Event{d.digit, true, d.at - int64((misses+1)*d.hop)})
		d.digit = 0
	}
	// The first window of a tone has no phase to compare with: it counts for one.
	if digit != 0 && d.count >= hits-1 {
		d.digit, d.missed = digit, 0
		d.event(Event{digit, false, d.at - int64((hits+1)*d.hop)})
	}
}

func (d *Detector) event(e Event) {
	e.At = max(e.At, 0)
	if len(d.events) < cap(d.events) {
		d.events = append(d.events, e)
	}
}
