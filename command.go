package roamline

import "time"

// A CommandID tells one command of a call from another. Generation counts the
// settings of a call's timer: a stale one changes nothing.
type (
	CommandID  uint64
	Generation uint64
)

// An Op names what a command does, for logs and for Call.Waiting.
type Op string

// A Command is something that must now be done. Commands that carry an ID
// bring exactly one Done or Failed event with that ID back.
type Command interface{ Op() Op }

type (
	// Ring opens a leg to a target: a voice endpoint, an offer, an INVITE. Done:
	// the INVITE is on its way. Progressed, Answered or HungUp follow.
	Ring struct {
		ID   CommandID
		Leg  LegID
		To   Target
		From Party
		User UserID // who is there
		Like LegID  // the leg that it will be joined to, if it is to take another's place
		Held bool   // what it takes the place of was on hold
	}
	// Alert tells the caller that it rings (180). Early media that a callee's
	// side sends is passed on (183) if Early names its leg.
	Alert struct {
		ID    CommandID
		Leg   LegID
		Early LegID
	}
	// Join makes a voice path between two legs. Done: it carries, as far as it
	// can before the caller is accepted. Failed: it never came up.
	Join struct {
		ID   CommandID
		A, B LegID // the caller's and the callee's
	}
	// Accept answers an offered leg (200). Done: acknowledged.
	Accept struct {
		ID  CommandID
		Leg LegID
	}
	// Announce plays a prompt on a leg that is not yet accepted, as early media
	// (183). Done: played to its end.
	Announce struct {
		ID     CommandID
		Leg    LegID
		Prompt Prompt
	}
	// Hangup ends a leg, whatever its state: refuse, CANCEL or BYE. Done: the
	// dialog is over and its voice closed. It never fails.
	Hangup struct {
		ID    CommandID
		Leg   LegID
		Cause Cause
	}
	// Hold plays music on a leg because the other side is on hold, or stops it.
	// Done: it plays, or has stopped.
	Hold struct {
		ID  CommandID
		Leg LegID
		On  bool
	}
	// Dial sends a digit on a leg (RFC 4733, or as the leg agreed). Done: queued.
	Dial struct {
		ID    CommandID
		Leg   LegID
		Digit Digit
	}
	// SetTimer asks for one Fired event with this generation after a time. It
	// replaces the call's earlier timer. After 0 stops it. It has no Done.
	SetTimer struct {
		Timer Generation
		After time.Duration
	}
)

func (Ring) Op() Op     { return "ring" }
func (Alert) Op() Op    { return "alert" }
func (Join) Op() Op     { return "join" }
func (Accept) Op() Op   { return "accept" }
func (Announce) Op() Op { return "announce" }
func (Hangup) Op() Op   { return "hang up" }
func (Hold) Op() Op     { return "hold" }
func (Dial) Op() Op     { return "dial" }
func (SetTimer) Op() Op { return "set timer" }
