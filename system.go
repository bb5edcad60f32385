package roamline

import "time"

// A System is something outside that is trusted to say who is where: badge
// readers, a single sign-on appliance, a virtual desktop broker. It shows a
// secret, of which the store keeps a hash (SystemHash).
type System struct {
	ID      SystemID
	Name    string // unique and never empty; stands in the history beside what it said
	Enabled bool   // else nothing that it says is taken

	// It may speak for the clients at Places, or at places within those, and for
	// Clients. Both empty: for none.
	Places  []PlaceID
	Clients []ClientID

	Created time.Time
	Rev     Rev
}

// ReleasedBy is the reason of a release that the system called name asked for.
func ReleasedBy(name string) ReleaseReason { return ReleaseReason("outside: " + name) }
