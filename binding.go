package roamline

import "time"

// A Binding says that a user is at a client. While it is active, calls for the
// user ring there. A Binding is never edited: a new identification ends one
// and opens another.
type Binding struct {
	User   UserID
	Client ClientID
	Proof  Identification // the identification that opened it
	Since  time.Time
}

// A ReleaseReason says why a binding ended.
type ReleaseReason string

const (
	SignedOut       ReleaseReason = "signed out"
	MovedOn         ReleaseReason = "identified elsewhere" // the same user at another client
	TakenOver       ReleaseReason = "another user came"    // another user at the same client
	ByAdmin         ReleaseReason = "administrator"
	ConnectionLost  ReleaseReason = "connection lost"
	IdleTooLong     ReleaseReason = "idle"
	ClientWithdrawn ReleaseReason = "client revoked"
	UserDisabled    ReleaseReason = "user disabled"
)

// A Departure is a binding that ended, and why.
type Departure struct {
	Binding Binding
	Reason  ReleaseReason
}

// A BindingRecord is one entry of the binding log. Everything in it happens at
// once: a take-over ends the user's old binding, ends the binding of whoever
// was at the client, and opens the new one.
type BindingRecord struct {
	Seq   uint64 // its place in the log, given by the log, from 1
	At    time.Time
	Ended []Departure
	Open  *Binding // nil if nothing was opened
}

// A Stay is one line of the binding history: a binding with its end.
type Stay struct {
	Binding Binding
	Until   time.Time // zero while it lasts
	Reason  ReleaseReason
}
