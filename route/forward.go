package route

import (
	"slices"

	"github.com/roamline/roamline"
)

// maxForwards is how often one call may be sent on. People who forward to each
// other in a ring are found before that; it bounds a long chain.
const maxForwards = 5

// A search looks for somebody who takes a call: the person whose number was
// dialled, and those to whom she and they forward it.
type search struct {
	q Question
	f Facts
	s roamline.Site
}

// person plans a call for a user: the client where she is now, or where she
// wants her calls. By are those who forwarded it to her.
func (h search) person(u roamline.UserID, by []roamline.UserID) ([]roamline.Stage, error) {
	user, err := h.f.User(u)
	if err != nil {
		return nil, err
	}
	b, here := h.f.Of(u)
	c, wait := user.Calls, user.Calls.WaitAt(h.s)
	by = append(slices.Clone(by), u)
	busy := []roamline.Stage{roamline.RefuseStage{Cause: roamline.Busy}}
	absent := refuse(h.s, roamline.NotSignedIn, roamline.NotThere)
	switch {
	case user.Disabled:
		return refuse(h.s, roamline.TryLater, roamline.Unreachable), nil
	case c.Always != "":
		return h.forward(c.Always, by, refuse(h.s, roamline.TryLater, roamline.Unreachable))
	case u == h.q.By:
		return busy, nil
	case c.DoNotDisturb:
		return h.forward(c.Busy, by, busy)
	case !here && c.NotSignedIn != "":
		return h.forward(c.NotSignedIn, by, absent)
	case !here && wait == 0:
		return absent, nil
	}
	ring := roamline.RingStage{For: h.s.RingFor, Await: []roamline.UserID{u}, Wait: wait}
	last := absent
	if here {
		ring.Targets, ring.Users = []roamline.Target{{Client: b.Client}}, []roamline.UserID{u}
		last = refuse(h.s, roamline.NobodyPicked, roamline.NoAnswer)
	}
	if c.Busy != "" {
		if ring.OnBusy, err = h.forward(c.Busy, by, busy); err != nil {
			return nil, err
		}
	}
	rest, err := h.forward(c.NoAnswer, by, last)
	return append([]roamline.Stage{ring}, rest...), err
}

// forward plans the way to n, to which the last of by sends the call. Without
// a number, or where it may not be followed, the call is refused instead.
//
// It leaves by the trunks on her behalf, so to what she may dial herself: that
// is no way for the caller to reach any number but this.
func (h search) forward(n roamline.Number, by []roamline.UserID, refusal []roamline.Stage) ([]roamline.Stage, error) {
	switch {
	case n == "", len(by) > maxForwards, n == h.q.From.Number, slices.Contains(h.s.Emergency, string(n)):
		return refusal, nil
	}
	l, err := h.f.Listing(n)
	to := roamline.UserID(l.To.ID)
	switch {
	case err == nil && slices.Contains(by, to):
		return refusal, nil
	case err == nil:
		return h.person(to, by)
	case roamline.KindOf(err) != roamline.NotFound:
		return nil, err
	case n.International():
		return out(n, h.f, false)
	}
	return refusal, nil
}
