// Package route says where a call goes: from the number that was dialled to
// the user whose number it is, to the client that she is at now. It is pure:
// what it must know it asks of Facts.
package route

import (
	"cmp"
	"slices"
	"strings"

	"github.com/roamline/roamline"
)

// A Question is a call that wants to be routed.
type Question struct {
	Dialed string          // as it came
	From   roamline.Party  // as the source asserts it
	Path   roamline.Path   // the client or trunk that it came by
	By     roamline.UserID // who is at that client; empty if nobody is, or for a trunk
}

// Facts are what routing asks. Errors are of kind NotFound where there is no
// such thing.
type Facts interface {
	Listing(roamline.Number) (roamline.Listing, error)
	Numbers(roamline.UserID) ([]roamline.Number, error) // that lead to her, in their order
	User(roamline.UserID) (roamline.User, error)
	Client(roamline.ClientID) (roamline.Client, error)
	Of(roamline.UserID) (roamline.Binding, bool) // where she is now
	Trunks() ([]roamline.Trunk, error)
}

// Plan answers q. The plan of a call that must not be is one that refuses it;
// an error is only for facts that can't be had.
func Plan(q Question, f Facts, s roamline.Site) (roamline.Routed, error) {
	r := roamline.Routed{From: q.From, CallerBy: q.By}
	to, err := Normalise(q.Dialed, s)
	if err != nil {
		r.To = roamline.Number(strip(q.Dialed))
		r.Plan = refuse(s, roamline.NumberVacant, roamline.UnknownNumber)
		return r, nil
	}
	r.To = to
	inside := q.Path.Client != ""
	if inside {
		if r.From, err = caller(q, to, f); err != nil {
			return r, err
		}
	}
	switch {
	case inside && slices.Contains(s.Emergency, string(to)): // before every other rule
		r.Emergency = true
		r.Plan, err = out(to, f, true)
		return r, err
	case inside && q.By == "":
		r.Plan = []roamline.Stage{roamline.RefuseStage{Cause: roamline.NotAllowed}}
		return r, nil
	}
	l, err := f.Listing(to)
	switch {
	case err == nil:
		r.User = roamline.UserID(l.To.ID)
		r.Plan, err = search{q, f, s}.person(r.User, nil)
	case roamline.KindOf(err) != roamline.NotFound:
	case inside && to.International():
		r.Plan, err = out(to, f, false)
	default: // a trunk's call leaves by a trunk only where one of our users forwards it: no transit, no toll fraud
		r.Plan, err = refuse(s, roamline.NumberVacant, roamline.UnknownNumber), nil
	}
	return r, err
}

// out plans a call through the trunks: those that dial the number, the longest
// prefix first. An emergency call tries every trunk, those meant for it first.
func out(to roamline.Number, f Facts, emergency bool) ([]roamline.Stage, error) {
	trunks, err := f.Trunks()
	if err != nil {
		return nil, err
	}
	type way struct {
		trunk roamline.Trunk
		rank  int
	}
	var ways []way
	for _, t := range trunks {
		rank := prefix(t.Dials, to)
		if emergency {
			rank = 0
			if t.Emergency {
				rank = 1
			}
		}
		if t.Enabled && rank >= 0 {
			ways = append(ways, way{t, rank})
		}
	}
	slices.SortStableFunc(ways, func(a, b way) int {
		return cmp.Or(cmp.Compare(b.rank, a.rank), strings.Compare(a.trunk.Name, b.trunk.Name))
	})
	var plan []roamline.Stage
	for _, w := range ways {
		plan = append(plan, roamline.RingStage{
			Targets: []roamline.Target{{Trunk: w.trunk.ID, Number: to}},
			Users:   []roamline.UserID{""},
		})
	}
	return append(plan, roamline.RefuseStage{Cause: roamline.Unreachable}), nil
}

// prefix returns the length of the longest of dials that to starts with; 0 if
// dials is empty, -1 if none fits.
func prefix(dials []string, to roamline.Number) int {
	if len(dials) == 0 {
		return 0
	}
	longest := -1
	for _, d := range dials {
		if strings.HasPrefix(string(to), d) {
			longest = max(longest, len(d))
		}
	}
	return longest
}

// caller returns how a call from one of our clients shows itself: her own
// caller identity, or her extension to a colleague's extension. From a client
// where nobody is, it is the client's name.
func caller(q Question, to roamline.Number, f Facts) (roamline.Party, error) {
	if q.By == "" {
		c, err := f.Client(q.Path.Client)
		return roamline.Party{Name: c.Name}, err
	}
	u, err := f.User(q.By)
	if err != nil {
		return roamline.Party{}, err
	}
	numbers, err := f.Numbers(q.By)
	if err != nil {
		return roamline.Party{}, err
	}
	p := roamline.Party{Name: u.Name, Private: q.From.Private, Number: u.CallerID}
	for _, n := range numbers {
		switch {
		case !to.International() && !n.International():
			p.Number = n
			return p, nil
		case p.Number == "" && (n.International() || len(numbers) == 1):
			p.Number = n
		}
	}
	return p, nil
}

// refuse ends a plan: with a spoken word first, if the site wants it.
func refuse(s roamline.Site, p roamline.Prompt, c roamline.Cause) []roamline.Stage {
	if s.Announce {
		return []roamline.Stage{roamline.AnnounceStage{Prompt: p, Cause: c}}
	}
	return []roamline.Stage{roamline.RefuseStage{Cause: c}}
}
