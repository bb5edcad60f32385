// Package call is the state machine of a telephone call. It is pure: Step does
// no I/O, reads no clock and draws no random number, so every rule is a row in
// a table test, and a fuzz test shows that no sequence of events leaves a leg
// open.
package call

import (
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/roamline/roamline"
)

const (
	// joinFor bounds the making of a voice path after an answer: ICE and DTLS
	// take milliseconds on a good network and seconds on a bad one.
	joinFor = 12 * time.Second
	// announceFor bounds a prompt, should the engine never say that it ended.
	announceFor = 30 * time.Second
	// timerC bounds a leg that has no ring time of its own (RFC 3261 section
	// 16.6: more than three minutes).
	timerC = 3*time.Minute + 5*time.Second
)

// New returns a call that o opened. It waits for a Routed event.
func New(id roamline.CallID, o roamline.Offered) roamline.Call {
	return roamline.Call{
		ID:      id,
		State:   roamline.Routing,
		From:    o.From,
		Caller:  o.Leg,
		Offered: o.When(),
		Legs: []roamline.Leg{{
			ID:     o.Leg,
			State:  roamline.LegCalling,
			At:     roamline.Target{Client: o.Path.Client, Trunk: o.Path.Trunk},
			Inward: true,
		}},
	}
}

// Step applies ev to c. It returns the call as it is afterwards and what must
// now be done, in order. Neither c nor ev is changed. An event that a state
// does not name changes nothing but the state of the leg it is about.
//
// The call is Over when every leg has ended; it stays so.
func Step(c roamline.Call, ev roamline.Event) (roamline.Call, []roamline.Command) {
	s := &step{Call: c, now: ev.When()}
	if c.State == roamline.Over {
		return c, nil
	}
	s.Legs = slices.Clone(c.Legs)
	s.Waiting = maps.Clone(c.Waiting)
	s.Later = slices.Clone(c.Later)
	s.settle(ev)
	switch ev := ev.(type) {
	case roamline.Stop:
		s.end(ev.Cause, "")
	case roamline.HungUp:
		s.hungUp(ev)
	default:
		s.rule(ev)
	}
	s.close()
	return s.Call, s.commands
}

// A step is a call on its way from one state to the next.
type step struct {
	roamline.Call
	now      time.Time
	commands []roamline.Command
}

// rule hands ev to the rules of the state that the call is in.
func (s *step) rule(ev roamline.Event) {
	switch s.State {
	case roamline.Routing:
		s.routing(ev)
	case roamline.Ringing:
		s.ringing(ev)
	case roamline.Joining:
		s.joining(ev)
	case roamline.Talking:
		s.talking(ev)
	case roamline.Parked:
		s.parked(ev)
	case roamline.Announcing:
		s.announcing(ev)
	}
}

// settle crosses a finished command off the list and keeps the legs true to
// what is known of them, whatever the call's state.
func (s *step) settle(ev roamline.Event) {
	switch ev := ev.(type) {
	case roamline.Done:
		delete(s.Waiting, ev.ID)
		s.released(ev.ID)
	case roamline.Failed:
		delete(s.Waiting, ev.ID)
		s.released(ev.ID)
	case roamline.VoiceReady:
		s.change(ev.Leg, func(l *roamline.Leg) { l.Ready = true })
	case roamline.FirstVoice:
		s.change(ev.Leg, func(l *roamline.Leg) { l.Voiced = true })
	case roamline.Flow:
		s.change(ev.Leg, func(l *roamline.Leg) { l.Held = ev.Held })
	}
}

// released ends the leg whose hang-up command id was.
func (s *step) released(id roamline.CommandID) {
	for i := range s.Legs {
		if s.Legs[i].State == roamline.LegEnding && s.Legs[i].Last == id {
			s.Legs[i].State = roamline.LegEnded
		}
	}
}

// close ends the call when its last leg has.
func (s *step) close() {
	if s.State != roamline.Ending {
		return
	}
	for _, l := range s.Legs {
		if l.State != roamline.LegEnded {
			return
		}
	}
	s.State, s.Ended, s.Waiting = roamline.Over, s.now, nil
}

// leg returns the leg with this identifier; nil if the call has none such or it
// is on its way out.
func (s *step) leg(id roamline.LegID) *roamline.Leg {
	for i := range s.Legs {
		if l := &s.Legs[i]; l.ID == id && l.State != roamline.LegEnding && l.State != roamline.LegEnded {
			return l
		}
	}
	return nil
}

func (s *step) change(id roamline.LegID, do func(*roamline.Leg)) {
	if l := s.leg(id); l != nil {
		do(l)
	}
}

// next gives out a command identifier.
func (s *step) next(op roamline.Op) roamline.CommandID {
	s.LastCommand++
	if s.Waiting == nil {
		s.Waiting = map[roamline.CommandID]roamline.Op{}
	}
	s.Waiting[s.LastCommand] = op
	return s.LastCommand
}

func (s *step) do(c roamline.Command) { s.commands = append(s.commands, c) }

// timer replaces the call's timer; 0 stops it.
func (s *step) timer(after time.Duration) {
	s.Timer++
	s.do(roamline.SetTimer{Timer: s.Timer, After: after})
}

// let ends one leg. Its own end, if it came from the far end, is already known;
// the command frees what the leg holds in any case.
func (s *step) let(id roamline.LegID, why roamline.Cause) {
	l := s.leg(id)
	if l == nil {
		return
	}
	l.State = roamline.LegEnding
	if l.Cause == "" {
		l.Cause = why
	}
	l.Last = s.next(roamline.Hangup{}.Op())
	s.do(roamline.Hangup{ID: l.Last, Leg: id, Cause: why})
}

// end lets every leg go. Who is "" when the server ends the call.
func (s *step) end(why roamline.Cause, who roamline.LegID) {
	if s.State == roamline.Ending {
		return
	}
	s.State, s.Cause, s.EndBy = roamline.Ending, why, who
	s.timer(0)
	for _, l := range slices.Clone(s.Legs) {
		s.let(l.ID, why)
	}
}

// rung returns the callees that are being called or ring.
func (s *step) rung() (ids []roamline.LegID) {
	for _, l := range s.Legs {
		if l.ID != s.Caller && s.leg(l.ID) != nil {
			ids = append(ids, l.ID)
		}
	}
	return ids
}

// open adds a leg and asks for it.
func (s *step) open(l roamline.Leg) {
	l.ID, l.State = roamline.LegID(string(s.ID)+"."+strconv.Itoa(len(s.Legs)+1)), roamline.LegCalling
	l.Last = s.next(roamline.Ring{}.Op())
	s.Legs = append(s.Legs, l)
	s.do(roamline.Ring{ID: l.Last, Leg: l.ID, To: l.At, From: s.far(l.Takes), User: l.User, Like: s.other(l.Takes), Held: l.Held})
}

// far returns who is at the other side of a leg that is to take the place of
// side; the caller, for one that takes none.
func (s *step) far(side roamline.LegID) roamline.Party {
	if side != "" && side == s.Caller {
		return roamline.Party{Number: s.To}
	}
	return s.From
}
