package switchboard

import (
	"github.com/roamline/roamline"
	"github.com/roamline/roamline/offer"
)

// carry carries out one command. What takes time ends later, by an event that
// voiced sees.
func (r *running) carry(c roamline.Command) {
	switch c := c.(type) {
	case roamline.Ring:
		r.ring(c)
	case roamline.Alert:
		r.alert(c)
	case roamline.Join:
		r.join(c)
	case roamline.Accept:
		r.accept(c)
	case roamline.Announce:
		r.announce(c)
	case roamline.Hangup:
		r.hangup(c)
	case roamline.Hold:
		r.outcome(c.ID, r.hold(c))
	case roamline.Dial:
		r.outcome(c.ID, r.sb.Voice.Dial(c.Leg, c.Digit))
	case roamline.SetTimer:
		r.setTimer(c)
	}
}

// outcome ends a command that took no time.
func (r *running) outcome(id roamline.CommandID, err error) {
	if err != nil {
		r.log.Warn("a command failed", "command", id, "err", err)
		r.fail(id, causeOf(err))
		return
	}
	r.finish(id)
}

// ring opens a leg: its voice, an offer with the caller's codecs first so that
// nothing need be transcoded, an INVITE.
func (r *running) ring(c roamline.Ring) {
	paths := r.sb.Signals.Paths(c.To)
	if len(paths) == 0 {
		r.fail(c.ID, roamline.Unreachable)
		return
	}
	l := &leg{id: c.Leg, path: paths[0]}
	r.legs[c.Leg] = l
	r.sb.own(r, c.Leg)
	if err := r.openVoice(l, l.path.Voice); err != nil {
		r.outcome(c.ID, err)
		return
	}
	codecs, mode, direction := r.offerable(c.To), roamline.Manual, roamline.SendRecv
	if like := r.legs[c.Like]; like != nil { // she is talking, and walked there
		codecs, mode = first([]roamline.Codec{like.media.Codec}, speech), roamline.Auto
		if c.Held {
			direction, l.held = roamline.Inactive, true
		}
	}
	sdp := l.session.Offer(codecs, direction)
	r.outcome(c.ID, r.sb.Signals.Invite(c.Leg, c.To, l.path, c.From, mode, sdp))
	l.sipCall = r.sb.Signals.CallID(c.Leg)
}

// alert tells the caller that it rings; a trunk's early media is passed on.
func (r *running) alert(c roamline.Alert) {
	caller := r.legs[c.Leg]
	var sdp []byte
	if early := r.legs[c.Early]; early != nil && early.connected && len(caller.theirs) > 0 {
		if err := r.answer(caller, early.media.Codec); err != nil {
			r.outcome(c.ID, err)
			return
		}
		if err := r.sb.Voice.Join(caller.id, early.id); err != nil {
			r.outcome(c.ID, err)
			return
		}
		sdp = caller.ours
	}
	r.outcome(c.ID, r.sb.Signals.Alert(c.Leg, sdp))
}

// join makes the voice path between the caller and who answered. It is done
// when the callee's side carries; a caller in a browser can't before her 200.
func (r *running) join(c roamline.Join) {
	caller, callee := r.legs[c.A], r.legs[c.B]
	if caller.inward {
		if err := r.answer(caller, callee.media.Codec); err != nil {
			r.outcome(c.ID, err)
			return
		}
	}
	if err := r.sb.Voice.Join(c.A, c.B); err != nil {
		r.outcome(c.ID, err)
		return
	}
	if callee.ready {
		r.finish(c.ID)
		return
	}
	callee.joining = c.ID
}

// accept answers the caller's INVITE. It is done when she has acknowledged.
func (r *running) accept(c roamline.Accept) {
	caller := r.legs[c.Leg]
	if err := r.sb.Signals.Accept(c.Leg, caller.ours); err != nil {
		r.outcome(c.ID, err)
		return
	}
	caller.accepting = c.ID
}

// announce plays a prompt to a caller who is not accepted, as early media. To
// a caller who made no offer there is no way to speak.
func (r *running) announce(c roamline.Announce) {
	caller := r.legs[c.Leg]
	if len(caller.theirs) == 0 {
		r.fail(c.ID, roamline.Incompatible)
		return
	}
	if err := r.answer(caller, roamline.Codec{}); err != nil {
		r.outcome(c.ID, err)
		return
	}
	if err := r.sb.Signals.Alert(c.Leg, caller.ours); err != nil {
		r.outcome(c.ID, err)
		return
	}
	caller.speaking, caller.prompt = c.ID, c.Prompt
	if caller.ready {
		r.speak(caller)
	}
}

// speak starts a prompt on a leg whose voice carries.
func (r *running) speak(l *leg) {
	if err := r.sb.Voice.Play(l.id, l.prompt, false); err != nil {
		id := l.speaking
		l.speaking = 0
		r.outcome(id, err)
	}
}

func (r *running) hold(c roamline.Hold) error {
	if c.On {
		return r.sb.Voice.Play(c.Leg, roamline.HoldMusic, true)
	}
	return r.sb.Voice.Hush(c.Leg)
}

// hangup ends a leg and frees what it held. It never fails.
func (r *running) hangup(c roamline.Hangup) {
	if l := r.legs[c.Leg]; l != nil {
		r.release(l, c.Cause)
	}
	r.finish(c.ID)
}

// release lets a leg go, once.
func (r *running) release(l *leg, why roamline.Cause) {
	if l.released {
		return
	}
	l.released = true
	l.joining, l.accepting, l.speaking = 0, 0, 0
	if l.sipCall == "" {
		l.sipCall = r.sb.Signals.CallID(l.id)
	}
	if !l.gone {
		if err := r.sb.Signals.Hangup(l.id, why); err != nil && roamline.KindOf(err) != roamline.NotFound {
			r.log.Warn("a leg could not be hung up", "leg", l.id, "err", err)
		}
	}
	if l.open {
		f, err := r.sb.Voice.Close(l.id)
		if err == nil {
			l.figures = f
			r.tell(roamline.TraceVoice, voiceLine(l, f))
		}
	}
}

// openVoice opens the local side of a leg's voice.
func (r *running) openVoice(l *leg, t roamline.Transport) error {
	end, err := r.sb.Voice.Open(l.id, l.path, t)
	if err != nil {
		return err
	}
	l.open = true
	l.session = offer.New(end, sessionID())
	return nil
}

// causeOf is why a command failed, for a call's record.
func causeOf(err error) roamline.Cause {
	switch roamline.KindOf(err) {
	case roamline.NotFound, roamline.Unavailable:
		return roamline.Unreachable
	case roamline.Incompatibility, roamline.Invalid:
		return roamline.Incompatible
	case roamline.Exhausted:
		return roamline.TooManyCalls
	case roamline.Forbidden:
		return roamline.NotAllowed
	}
	return roamline.Broken
}
