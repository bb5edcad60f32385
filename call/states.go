package call

import (
	"slices"

	"github.com/roamline/roamline"
)

// routing: the plan is awaited.
func (s *step) routing(ev roamline.Event) {
	r, ok := ev.(roamline.Routed)
	if !ok {
		return
	}
	s.Plan, s.From, s.To, s.Emergency = r.Plan, r.From, r.To, r.Emergency
	s.User, s.CallerBy, s.Grace = r.User, r.CallerBy, r.Grace
	s.change(s.Caller, func(l *roamline.Leg) { l.User = r.CallerBy })
	s.try("")
}

// try goes on to the plan's next stage. Why says how the last one ended.
func (s *step) try(why roamline.Cause) {
	if why != "" {
		s.Cause = why
	}
	s.Callee = ""
	if len(s.Plan) == 0 {
		s.end(s.Cause, "")
		return
	}
	stage := s.Plan[0]
	s.Plan = s.Plan[1:]
	switch stage := stage.(type) {
	case roamline.RingStage:
		s.ring(stage)
	case roamline.AnnounceStage:
		s.announce(stage)
	case roamline.RefuseStage:
		if s.Cause == "" {
			s.Cause = stage.Cause
		}
		s.end(s.Cause, "")
	}
}

// ring calls a stage's targets, and waits for those whom it awaits.
func (s *step) ring(stage roamline.RingStage) {
	s.State = roamline.Ringing
	if stage.For == 0 {
		stage.For = timerC
	}
	s.Stage = stage
	for i, to := range stage.Targets {
		s.open(roamline.Leg{At: to, User: stage.Users[i]})
	}
	switch {
	case len(stage.Targets) > 0:
		s.timer(stage.For)
	case len(stage.Await) > 0 && stage.Wait > 0:
		s.patience()
		s.timer(stage.Wait)
	default:
		s.try(roamline.Unreachable)
	}
}

// patience lets the caller hear that it rings while nobody can be called yet.
func (s *step) patience() {
	if l := s.leg(s.Caller); l.State != roamline.LegRinging {
		l.State = roamline.LegRinging
		s.do(roamline.Alert{ID: s.next(roamline.Alert{}.Op()), Leg: s.Caller})
	}
}

// ringsAt follows a person who is called to the client where she identified.
func (s *step) ringsAt(ev roamline.Here) {
	if !slices.Contains(s.Stage.Await, ev.User) || len(s.Legs) >= maxLegs {
		return
	}
	rung := s.rung()
	for _, id := range rung {
		if s.leg(id).At.Client == ev.Client {
			return
		}
	}
	for _, id := range rung {
		if s.leg(id).User == ev.User {
			s.let(id, roamline.Elsewhere)
		}
	}
	s.open(roamline.Leg{At: roamline.Target{Client: ev.Client}, User: ev.User})
	if len(rung) == 0 {
		s.timer(s.Stage.For)
	}
}

// ringsNot: a person is no longer at a client that rings, or calls from it.
func (s *step) ringsNot(ev roamline.Gone) {
	for _, l := range s.Legs {
		switch {
		case l.At.Client != ev.Client || l.User != ev.User || s.leg(l.ID) == nil:
		case l.ID == s.Caller:
			s.end(roamline.Cancelled, s.Caller)
			return
		default:
			s.lost(l.ID, roamline.Unreachable)
		}
	}
}

// announce speaks to the caller before she is refused, as early media.
func (s *step) announce(stage roamline.AnnounceStage) {
	if s.Cause == "" {
		s.Cause = stage.Cause
	}
	s.State = roamline.Announcing
	id := s.next(roamline.Announce{}.Op())
	s.change(s.Caller, func(l *roamline.Leg) { l.Last = id })
	s.do(roamline.Announce{ID: id, Leg: s.Caller, Prompt: stage.Prompt})
	s.timer(announceFor)
}

// ringing: one or more callees are called.
func (s *step) ringing(ev roamline.Event) {
	switch ev := ev.(type) {
	case roamline.Progressed:
		s.progressed(ev)
	case roamline.Answered: // the first to answer takes the call
		l := s.leg(ev.Leg)
		if l == nil || l.ID == s.Caller {
			return
		}
		l.State, s.Callee = roamline.LegUp, l.ID
		for _, other := range s.rung() {
			if other != s.Callee {
				s.let(other, roamline.Elsewhere)
			}
		}
		s.State = roamline.Joining
		l = s.leg(s.Callee)
		l.Last = s.next(roamline.Join{}.Op())
		s.do(roamline.Join{ID: l.Last, A: s.Caller, B: s.Callee})
		s.timer(joinFor)
	case roamline.Failed: // a target that can't be called
		for _, id := range s.rung() {
			if s.leg(id).Last == ev.ID {
				s.lost(id, ev.Cause)
				return
			}
		}
	case roamline.VoiceGone: // early media that broke
		if ev.Leg == s.Caller {
			s.end(ev.Cause, "")
		} else if s.leg(ev.Leg) != nil {
			s.lost(ev.Leg, ev.Cause)
		}
	case roamline.Here:
		s.ringsAt(ev)
	case roamline.Gone:
		s.ringsNot(ev)
	case roamline.Fired:
		if ev.Timer == s.Timer {
			why := roamline.NoAnswer
			if len(s.Stage.Targets) == 0 && s.Rang.IsZero() {
				why = roamline.NotThere
			}
			for _, id := range s.rung() {
				s.let(id, why)
			}
			s.try(why)
		}
	}
}

// progressed tells the caller that it rings: once, and again if a callee's side
// begins to speak.
func (s *step) progressed(ev roamline.Progressed) {
	l := s.leg(ev.Leg)
	if l == nil || l.ID == s.Caller {
		return
	}
	early := len(ev.SDP) > 0 && l.At.Trunk != ""
	first := l.State != roamline.LegRinging
	l.State = roamline.LegRinging
	if s.Rang.IsZero() {
		s.Rang = s.now
	} else if first || !early {
		return
	}
	alert := roamline.Alert{ID: s.next(roamline.Alert{}.Op()), Leg: s.Caller}
	if early && len(s.rung()) == 1 {
		alert.Early = l.ID
	}
	s.do(alert)
	s.change(s.Caller, func(l *roamline.Leg) { l.State = roamline.LegRinging })
}

// lost: a callee is gone before it answered, or before its voice path stood.
// Busy and declined are a person's or a network's last word; other causes let
// the plan go on. An awaited person whose client was lost may come back.
func (s *step) lost(id roamline.LegID, why roamline.Cause) {
	user := s.known(id).User
	s.let(id, why)
	if s.State == roamline.Ringing && why == roamline.Unreachable && slices.Contains(s.Stage.Await, user) {
		s.patience()
		return
	}
	if len(s.rung()) > 0 {
		if s.Cause == "" || final(why) {
			s.Cause = why
		}
		return
	}
	if final(s.Cause) {
		why = s.Cause
	}
	if why == roamline.Busy && s.Stage.OnBusy != nil { // where she wants her calls then
		s.Plan, s.Cause = s.Stage.OnBusy, ""
		s.try("")
		return
	}
	if final(why) {
		s.end(why, id)
		return
	}
	s.try(why)
}

// final reports whether a callee's cause ends the call and not only the stage.
func final(c roamline.Cause) bool {
	switch c {
	case roamline.Busy, roamline.Declined, roamline.UnknownNumber, roamline.NotAllowed:
		return true
	}
	return false
}

// joining: a callee has answered; the caller is accepted when the voice path is
// there.
func (s *step) joining(ev roamline.Event) {
	switch ev := ev.(type) {
	case roamline.Done:
		if l := s.leg(s.Callee); l != nil && l.Last == ev.ID {
			s.State, s.Answered, s.Cause = roamline.Talking, s.now, ""
			s.timer(0)
			caller := s.leg(s.Caller)
			caller.State, caller.Last = roamline.LegUp, s.next(roamline.Accept{}.Op())
			s.do(roamline.Accept{ID: caller.Last, Leg: s.Caller})
			for _, late := range s.Later {
				s.here(late)
			}
			s.Later = nil
		}
	case roamline.Here: // she walked on in the moment of answering
		s.Later = append(slices.DeleteFunc(s.Later, func(h roamline.Here) bool { return h.User == ev.User }), ev)
	case roamline.Gone:
		s.Later = slices.DeleteFunc(s.Later, func(h roamline.Here) bool { return h.User == ev.User && h.Client == ev.Client })
		s.ringsNot(ev)
	case roamline.Failed:
		if l := s.leg(s.Callee); l != nil && l.Last == ev.ID {
			s.lost(s.Callee, ev.Cause)
		}
	case roamline.VoiceGone:
		if ev.Leg == s.Callee {
			s.lost(s.Callee, ev.Cause)
		}
	case roamline.Fired:
		if ev.Timer == s.Timer {
			s.lost(s.Callee, roamline.VoiceFailed)
		}
	}
}

// talking: both sides are accepted and joined.
func (s *step) talking(ev roamline.Event) {
	if s.heirs(ev) {
		return
	}
	switch ev := ev.(type) {
	case roamline.Failed:
		if l := s.leg(s.Caller); l != nil && l.Last == ev.ID {
			s.end(ev.Cause, "")
		}
	case roamline.VoiceGone:
		s.silent(ev)
	case roamline.Here:
		s.here(ev)
	case roamline.Gone:
		s.gone(ev)
	case roamline.Fired:
		if ev.Timer == s.Timer {
			s.late()
		}
	case roamline.Flow:
		if other := s.other(ev.Leg); other != "" {
			s.do(roamline.Hold{ID: s.next(roamline.Hold{}.Op()), Leg: other, On: ev.Held})
		}
	case roamline.Pressed:
		if other := s.other(ev.Leg); other != "" {
			s.do(roamline.Dial{ID: s.next(roamline.Dial{}.Op()), Leg: other, Digit: ev.Digit})
		}
	}
}

// silent: a leg's voice path is gone. A person's is looked for again at her
// client, which may have another network now.
func (s *step) silent(ev roamline.VoiceGone) {
	l := s.leg(ev.Leg)
	switch {
	case l == nil:
	case l.At.Client == "" || s.Grace == 0:
		s.end(ev.Cause, "")
	default:
		s.lose(l.ID, ev.Cause)
	}
}

// lose parks a call whose person was lost, and looks for her where she was.
func (s *step) lose(id roamline.LegID, why roamline.Cause) {
	was, moving := *s.leg(id), s.heir(id) != nil
	s.leave(id, why)
	if s.State == roamline.Parked && !moving && why != roamline.Normal {
		s.follow(id, was.At.Client)
	}
}

// announcing: the caller hears a prompt; then she is refused.
func (s *step) announcing(ev roamline.Event) {
	var id roamline.CommandID
	switch ev := ev.(type) {
	case roamline.Done:
		id = ev.ID
	case roamline.Failed: // she can't be spoken to: the code must do
		id = ev.ID
	case roamline.Fired:
		if ev.Timer == s.Timer {
			s.try("")
		}
		return
	default:
		return
	}
	if l := s.leg(s.Caller); l != nil && l.Last == id {
		s.try("")
	}
}

// hungUp: a far end ended its leg. What it held is still to be freed.
func (s *step) hungUp(ev roamline.HungUp) {
	l := s.leg(ev.Leg)
	if l == nil {
		return
	}
	l.Cause = ev.Cause
	switch {
	case s.State == roamline.Ending:
	case l.Takes != "":
		s.leave(l.ID, ev.Cause)
	case s.stays(l, ev.Cause):
		s.lose(l.ID, ev.Cause)
	case l.ID == s.Caller, s.State == roamline.Talking, s.State == roamline.Parked:
		who := l.ID
		if ourWord(ev.Cause) {
			who = ""
		}
		s.end(ev.Cause, who)
	default:
		s.lost(l.ID, ev.Cause)
	}
}

// stays reports whether the call outlives a leg whose far end is gone: its
// client was lost, or the person has another on its way.
func (s *step) stays(l *roamline.Leg, why roamline.Cause) bool {
	if s.State != roamline.Talking || l.At.Client == "" || l.User == "" {
		return false
	}
	return s.heir(l.ID) != nil || why == roamline.Unreachable
}

// ourWord reports whether the server, and not the far end, gave a leg up.
func ourWord(c roamline.Cause) bool {
	switch c {
	case roamline.SessionExpired, roamline.NotAcknowledged, roamline.Unreachable:
		return true
	}
	return false
}

// other returns the leg that talks with id; empty if there is none.
func (s *step) other(id roamline.LegID) roamline.LegID {
	switch id {
	case "":
	case s.Caller:
		return s.Callee
	case s.Callee:
		return s.Caller
	}
	return ""
}
