package sip

import (
	"github.com/emiago/sipgo/sip"
	"github.com/roamline/roamline"
)

// Hangup is the switchboard's Signals.
func (d *Door) Hangup(id roamline.LegID, cause roamline.Cause) error {
	l, err := d.find("sip.Hangup", id)
	if err != nil {
		return err
	}
	defer l.unlock()
	l.forget()
	l.hangup(cause, nil)
	return nil
}

// hangup ends the dialog as its phase asks (RFC 3261 section 15). done, if not
// nil, is called once when the far end knows, or never will.
func (l *leg) hangup(cause roamline.Cause, done func()) {
	if done == nil {
		done = func() {}
	}
	switch l.phase {
	case phaseIn:
		v := verdictOf(cause)
		if l.invite != nil {
			l.invite.answer(v.code, v.text, sip.NewHeader("Reason", v.reason))
			l.invite = nil
		}
		l.over()
		done()
	case phaseOut:
		if cause == "" {
			cause = roamline.Normal
		}
		l.cancelled = cause
		if l.out != nil && l.out.req != nil {
			l.out.cancel(cause)
		}
		done()
	case phaseAccepted:
		// The callee waits for the ACK before it may send BYE (RFC 3261 section 15).
		l.byeAfter = cause
		if cause == "" {
			l.byeAfter = roamline.Normal
		}
		done()
	case phaseUp:
		l.bye(cause, done)
		l.over()
	default:
		done()
	}
}

// bye ends the dialog. A request of theirs that waits is answered first (RFC 3261
// section 15.1.2).
func (l *leg) bye(cause roamline.Cause, done func()) {
	if s := l.invite; s != nil {
		l.invite = nil
		s.answer(487, "Request Terminated")
	}
	req := l.door.within(&l.dialog, sip.BYE, l.door.way(&l.dialog, l.peer))
	req.AppendHeader(sip.NewHeader("Reason", verdictOf(cause).reason))
	req.SetBody(nil)
	l.ask(req, func(*sip.Response, error) {
		if done != nil {
			done()
		}
	})
}
