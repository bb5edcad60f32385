package roamline

import "time"

// A Record is what remains of a call: one record per call (CDR).
type Record struct {
	Call      CallID
	From      Party
	To        Number
	User      UserID // whose number was called
	CallerBy  UserID // which of our users called
	Direction CallDirection
	Emergency bool
	Offered   time.Time
	Rang      time.Time // zero if it never rang
	Answered  time.Time // zero if never
	Ended     time.Time
	Cause     Cause
	EndedBy   string // "caller", "callee" or "server"
	Legs      []LegRecord
}

// CallDirection is seen from the site.
type CallDirection string

const (
	Inbound   CallDirection = "inbound"
	Outbound  CallDirection = "outbound"
	Within    CallDirection = "internal"
	ThroughUs CallDirection = "transit"
)

// A LegRecord is one leg of a finished call.
type LegRecord struct {
	Leg     LegID
	At      Target
	User    UserID
	SIPCall string // its SIP Call-ID, for comparing with the other end's log
	Cause   Cause
	Voice   Figures
}
