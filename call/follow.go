package call

import (
	"time"

	"github.com/roamline/roamline"
)

// A call has two sides, Caller and Callee. While it talks or is parked, the
// person at a side may go to another client: an heir is opened there, a leg
// that takes the place of the side's present one when it carries voice. A side
// whose leg is gone without an heir waits, parked, for its person.

const (
	// moveFor bounds a move; while it lasts, what is left behind stays.
	moveFor = 10 * time.Second
	// quietFor is how long an heir that is ready may be silent before it takes its
	// place: a phone that suppresses silence sends nothing.
	quietFor = time.Second
	// maxLegs bounds what a call remembers of people who walk.
	maxLegs = 200
)

// here: a person can be called at a client now.
func (s *step) here(ev roamline.Here) {
	for _, side := range []roamline.LegID{s.Caller, s.Callee} {
		if l := s.known(side); l != nil && l.User == ev.User {
			s.follow(side, ev.Client)
			return
		}
	}
}

// follow brings a side to a client. Back where its leg still is, a move that
// is on its way is given up.
func (s *step) follow(side roamline.LegID, to roamline.ClientID) {
	present, heir := s.leg(side), s.heir(side)
	switch {
	case heir != nil && heir.At.Client == to:
		return
	case present == nil || present.At.Client != to:
		if len(s.Legs) >= maxLegs {
			return
		}
		if heir != nil {
			s.let(heir.ID, roamline.Elsewhere)
		}
		was := s.known(side)
		s.open(roamline.Leg{At: roamline.Target{Client: to}, User: was.User, Takes: side, Held: was.Held})
	case heir != nil:
		s.let(heir.ID, roamline.Elsewhere)
	default:
		return
	}
	s.await()
}

// gone: nothing of a person's is to be heard at a client any more.
func (s *step) gone(ev roamline.Gone) {
	for _, l := range s.Legs {
		if l.At.Client == ev.Client && l.User == ev.User && s.leg(l.ID) != nil {
			s.leave(l.ID, roamline.Elsewhere)
		}
	}
}

// leave lets go of one leg of a call that goes on: an heir that can't inherit,
// or a side's present leg, whose side then waits.
func (s *step) leave(id roamline.LegID, why roamline.Cause) {
	l := s.leg(id)
	switch {
	case l == nil:
	case l.Takes != "":
		s.let(id, why)
		s.await()
	case s.leg(s.other(id)) == nil, s.Grace == 0 && s.heir(id) == nil:
		s.end(why, "")
	default:
		held := l.Held
		s.let(id, why)
		s.State, s.Until = roamline.Parked, s.now.Add(s.Grace)
		if !held {
			s.do(roamline.Hold{ID: s.next(roamline.Hold{}.Op()), Leg: s.other(id), On: true})
		}
		s.await()
	}
}

// await sets the timer to the end of what the call waits for.
func (s *step) await() {
	moving := s.heir(s.Caller) != nil || s.heir(s.Callee) != nil
	var wait time.Duration
	if s.State == roamline.Parked {
		wait = max(s.Until.Sub(s.now), time.Millisecond)
	}
	if moving {
		wait = max(wait, moveFor)
	}
	s.timer(wait)
}

// heirs is what happens to a leg that is to take a side's place; it reports
// whether ev was about one.
func (s *step) heirs(ev roamline.Event) bool {
	switch ev := ev.(type) {
	case roamline.Failed:
		for _, side := range []roamline.LegID{s.Caller, s.Callee} {
			if l := s.heir(side); l != nil && l.Last == ev.ID {
				s.leave(l.ID, ev.Cause)
				return true
			}
		}
		return false
	case roamline.Progressed:
		return s.inherits(ev.Leg, func(l *roamline.Leg) {
			if l.State == roamline.LegCalling {
				l.State = roamline.LegRinging
			}
		})
	case roamline.Answered:
		return s.inherits(ev.Leg, func(l *roamline.Leg) {
			l.State = roamline.LegUp
			s.ready(l)
		})
	case roamline.VoiceReady:
		return s.inherits(ev.Leg, s.ready)
	case roamline.FirstVoice:
		return s.inherits(ev.Leg, s.ready)
	case roamline.VoiceGone:
		return s.inherits(ev.Leg, func(l *roamline.Leg) { s.leave(l.ID, ev.Cause) })
	}
	return false
}

// inherits does something to the leg id, if it is an heir.
func (s *step) inherits(id roamline.LegID, do func(*roamline.Leg)) bool {
	l := s.leg(id)
	if l == nil || l.Takes == "" {
		return false
	}
	do(l)
	return true
}

// ready looks whether an heir can take its place. One that says nothing is
// waited for a moment longer.
func (s *step) ready(l *roamline.Leg) {
	switch {
	case l.State != roamline.LegUp || !l.Ready:
	case l.Voiced || l.Held:
		s.inherit(l)
	default:
		s.timer(quietFor)
	}
}

// inherit puts an heir in its place: one command switches the voice, then what
// was there is let go. If the other side is still waited for, there is only
// music to be heard there.
func (s *step) inherit(l *roamline.Leg) {
	left := l.Takes
	if left == s.Caller {
		s.Caller = l.ID
	} else {
		s.Callee = l.ID
	}
	l.Takes = ""
	other := s.leg(s.other(l.ID))
	if other == nil {
		s.do(roamline.Hold{ID: s.next(roamline.Hold{}.Op()), Leg: l.ID, On: true})
		s.let(left, roamline.Elsewhere)
		s.await()
		return
	}
	s.do(roamline.Join{ID: s.next(roamline.Join{}.Op()), A: s.Caller, B: s.Callee})
	if s.State == roamline.Parked && !l.Held {
		s.do(roamline.Hold{ID: s.next(roamline.Hold{}.Op()), Leg: other.ID})
	}
	if other.Held {
		s.do(roamline.Hold{ID: s.next(roamline.Hold{}.Op()), Leg: l.ID, On: true})
	}
	s.State = roamline.Talking
	s.let(left, roamline.Elsewhere)
	s.await()
}

// late: the time is over for an heir, or for a person who is waited for.
func (s *step) late() {
	for _, side := range []roamline.LegID{s.Caller, s.Callee} {
		heir := s.heir(side)
		switch {
		case heir == nil:
		case heir.State == roamline.LegUp && heir.Ready:
			s.inherit(heir)
		default:
			s.let(heir.ID, roamline.NoAnswer)
		}
	}
	switch {
	case s.State != roamline.Parked:
		s.await()
	case s.now.Before(s.Until):
		s.await()
	default:
		s.end(roamline.Abandoned, "")
	}
}

// parked: a side waits for its person, the other hears music.
func (s *step) parked(ev roamline.Event) {
	if s.heirs(ev) {
		return
	}
	switch ev := ev.(type) {
	case roamline.VoiceGone:
		if s.leg(ev.Leg) != nil {
			s.end(ev.Cause, "")
		}
	case roamline.Fired:
		if ev.Timer == s.Timer {
			s.late()
		}
	case roamline.Here:
		s.here(ev)
	case roamline.Gone:
		s.gone(ev)
	}
}

// heir returns the leg that is to take a side's place; nil if none is.
func (s *step) heir(side roamline.LegID) *roamline.Leg {
	for i := range s.Legs {
		if l := &s.Legs[i]; side != "" && l.Takes == side && s.leg(l.ID) != nil {
			return l
		}
	}
	return nil
}

// known returns a leg that the call has or had.
func (s *step) known(id roamline.LegID) *roamline.Leg {
	for i := range s.Legs {
		if s.Legs[i].ID == id {
			return &s.Legs[i]
		}
	}
	return nil
}
