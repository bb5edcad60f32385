package roamline

import "time"

// CallState is how far a call has come.
type CallState string

const (
	Routing    CallState = "routing"    // offered, plan awaited
	Ringing    CallState = "ringing"    // one or more legs called
	Joining    CallState = "joining"    // answered, the voice path is being made
	Talking    CallState = "talking"    // both sides accepted and joined
	Parked     CallState = "parked"     // one side is gone, the other hears music until its person is back
	Announcing CallState = "announcing" // the caller hears a prompt before the end
	Ending     CallState = "ending"     // legs are being let go
	Over       CallState = "over"       // no leg is left
)

// A Call is legs joined by the server, as the state machine sees it. It holds
// all that is needed to decide and nothing that does: no socket, no timer, no
// clock. It is a value; call.Step returns a new one.
type Call struct {
	ID        CallID
	State     CallState
	From      Party
	To        Number // as dialled, in normal form
	User      UserID // whose number was called; empty for an outside number
	CallerBy  UserID // who calls, if one of our users
	Emergency bool

	Caller LegID // the leg at the caller's side; the last one there, if it is gone
	Callee LegID // at the callee's; empty until answered
	Legs   []Leg // all that were ever opened, in order; the caller's first

	Plan  []Stage       // what remains to be tried
	Stage RingStage     // what is being tried, while it rings
	Grace time.Duration // how long the call waits, parked, for a person who is gone; 0: not at all
	Until time.Time     // until when it does
	Later []Here        // who identified while the voice path was made

	Cause Cause // why the call ends or ended
	EndBy LegID // the leg whose far end ended it; empty: the server

	Offered  time.Time
	Rang     time.Time // first 18x from a callee; zero if none
	Answered time.Time // zero if never
	Ended    time.Time

	LastCommand CommandID        // the last one given out
	Waiting     map[CommandID]Op // commands not yet done
	Timer       Generation       // of the one timer a call has
}

// A Stage is one thing that a route plan tries: RingStage, AnnounceStage or
// RefuseStage.
type Stage interface{ stage() }

// A RingStage calls all targets at once for as long as For; the first answer
// takes the call. Those whom it awaits are called as well wherever they
// identify meanwhile; without a target it waits for one of them for as long as
// Wait.
type RingStage struct {
	Targets []Target
	Users   []UserID // who is at each target; empty beyond trunks
	For     time.Duration
	Await   []UserID
	Wait    time.Duration
	OnBusy  []Stage // what is tried instead of the rest if a target is busy; nil: busy ends the call
}

// An AnnounceStage plays a prompt to the caller as early media and then refuses.
type AnnounceStage struct {
	Prompt Prompt
	Cause  Cause
}

// A RefuseStage ends the call with Cause, unless an earlier stage left a more
// telling one (busy, declined).
type RefuseStage struct{ Cause Cause }

func (RingStage) stage()     {}
func (AnnounceStage) stage() {}
func (RefuseStage) stage()   {}
