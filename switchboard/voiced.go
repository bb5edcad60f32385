package switchboard

import "github.com/roamline/roamline"

// voiced does the part of an event that is about descriptions and voice, and
// returns what the step must know of it: the event itself, another one, or nil.
func (r *running) voiced(ev roamline.Event) roamline.Event {
	l := r.legs[legOf(ev)]
	if l == nil || l.released {
		return ev
	}
	switch ev := ev.(type) {
	case roamline.Progressed:
		if len(ev.SDP) > 0 && l.session != nil {
			if err := r.settle(l, ev.SDP); err != nil {
				ev.SDP = nil // early media that can't be understood is not passed on
			}
		}
		return ev
	case roamline.Answered:
		if err := r.settle(l, ev.SDP); err != nil {
			r.log.Warn("an answer could not be used", "leg", l.id, "err", err)
			return roamline.HungUp{At: ev.At, Leg: l.id, Cause: causeOf(err)}
		}
	case roamline.Confirmed:
		return r.confirmed(l, ev)
	case roamline.Reoffered:
		return r.reoffered(l, ev)
	case roamline.VoiceReady:
		r.voiceReady(l)
	case roamline.Played:
		if l.speaking != 0 && ev.Prompt == l.prompt {
			r.finish(l.speaking)
			l.speaking = 0
		}
		return nil
	case roamline.VoiceGone:
		if l.joining != 0 {
			r.fail(l.joining, ev.Cause)
			l.joining = 0
			return nil
		}
	case roamline.HungUp:
		l.gone = true
		if l.accepting != 0 {
			r.fail(l.accepting, ev.Cause)
			l.accepting = 0
		}
	}
	return ev
}

// voiceReady ends the commands that waited for the leg's voice.
func (r *running) voiceReady(l *leg) {
	l.ready = true
	if l.joining != 0 {
		r.finish(l.joining)
		l.joining = 0
	}
	if l.speaking != 0 {
		r.speak(l)
	}
}

// confirmed: the far end has acknowledged; its ACK holds the answer if our
// 200 held the offer.
func (r *running) confirmed(l *leg, ev roamline.Confirmed) roamline.Event {
	id := l.accepting
	l.accepting = 0
	if len(ev.SDP) > 0 {
		if err := r.settle(l, ev.SDP); err != nil {
			r.log.Warn("the answer in an ACK could not be used", "leg", l.id, "err", err)
			return roamline.HungUp{At: ev.At, Leg: l.id, Cause: causeOf(err)}
		}
	}
	if id != 0 {
		r.finish(id)
	}
	if l.connected && l.flows() {
		return roamline.Flow{At: ev.At, Leg: l.id, Held: l.held}
	}
	return nil
}

// reoffered answers a change of the session, and says if it means hold.
func (r *running) reoffered(l *leg, ev roamline.Reoffered) roamline.Event {
	changed, err := r.reanswer(l, ev.SDP)
	if err != nil {
		r.log.Warn("a change of a session was refused", "leg", l.id, "err", err)
		if err := r.sb.Signals.Reanswer(l.id, nil, causeOf(err)); err != nil {
			r.log.Warn("and the refusal failed", "leg", l.id, "err", err)
		}
		return nil
	}
	if changed {
		return roamline.Flow{At: ev.At, Leg: l.id, Held: l.held}
	}
	return nil
}
