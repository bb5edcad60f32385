package call

import "github.com/roamline/roamline"

// Record returns what remains of c. SIP identifiers and voice figures are the
// switchboard's to add.
func Record(c roamline.Call) roamline.Record {
	r := roamline.Record{
		Call: c.ID, From: c.From, To: c.To, User: c.User, CallerBy: c.CallerBy, Emergency: c.Emergency,
		Direction: direction(c), Cause: c.Cause, EndedBy: "server",
		Offered: c.Offered, Rang: c.Rang, Answered: c.Answered, Ended: c.Ended,
	}
	switch c.EndBy {
	case "":
	case c.Caller:
		r.EndedBy = "caller"
	default:
		r.EndedBy = "callee"
	}
	for _, l := range c.Legs {
		r.Legs = append(r.Legs, roamline.LegRecord{Leg: l.ID, At: l.At, User: l.User, Cause: l.Cause})
	}
	return r
}

// direction is seen from the site: a call for an outside number, or one that
// nobody of ours was called by, crosses its border.
func direction(c roamline.Call) roamline.CallDirection {
	inside := c.Legs[0].At.Client != ""
	switch {
	case inside && c.User == "":
		return roamline.Outbound
	case inside:
		return roamline.Within
	default:
		return roamline.Inbound
	}
}
