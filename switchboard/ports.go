package switchboard

import "github.com/roamline/roamline"

// Signals is what the switchboard asks of the SIP door. Each call returns at
// once; what comes of it arrives as events at the door's Sink. A leg is known
// from the Offered event, or from Invite, until its HungUp event or until
// Hangup has returned; after that every call about it is NotFound and changes
// nothing.
type Signals interface {
	// Paths returns the ways to a client or trunk, best first; empty if it can't
	// be reached now. Every contact of a client is one path; a trunk is one.
	Paths(to roamline.Target) []roamline.Path

	// Invite sends an INVITE with an offer down a path, to be answered as mode
	// says. The door fails over between a trunk's gateways by itself. Progressed,
	// Answered or HungUp follow.
	Invite(leg roamline.LegID, to roamline.Target, by roamline.Path, from roamline.Party, mode roamline.AnswerMode, sdp []byte) error

	// Alert sends 180, or 183 with early media if sdp is not nil.
	Alert(leg roamline.LegID, sdp []byte) error

	// Accept sends 200; sdp is the answer, or an offer if the INVITE held none.
	// Confirmed or HungUp follow.
	Accept(leg roamline.LegID, sdp []byte) error

	// Reoffer sends a re-INVITE; glare and waiting are the door's affair
	// (RFC 3261 section 14.1). Reanswered follows.
	Reoffer(leg roamline.LegID, sdp []byte) error

	// Reanswer answers a Reoffered; a cause refuses it and the session stays as
	// it was.
	Reanswer(leg roamline.LegID, sdp []byte, cause roamline.Cause) error

	// Hangup ends the leg's dialog as its state asks: a final refusal, CANCEL
	// (and ACK with BYE if a 2xx crosses it), or BYE. The door retransmits for as
	// long as the protocol wants; the leg is forgotten by the switchboard now.
	Hangup(leg roamline.LegID, cause roamline.Cause) error

	// CallID returns the SIP Call-ID of the leg's dialog.
	CallID(leg roamline.LegID) string

	// Snapshot returns what Orphan needs to end the leg's dialog after a crash;
	// nil if it has no dialog that outlives one.
	Snapshot(leg roamline.LegID) []byte

	// Orphan ends, with BYE, a dialog that a crashed server left behind. It
	// returns when the far end confirmed, or when trying makes no sense any more.
	Orphan(snapshot []byte) error
}

// Voice is what the switchboard asks of the voice engine. Calls return at
// once, but for the time that opening a socket takes. Events come at the
// engine's Sink. A leg that is not open is NotFound.
type Voice interface {
	// Open makes the local side of a leg, for the transport t, so that the far
	// end of path can send to it. Exhausted if no port is free.
	Open(leg roamline.LegID, path roamline.Path, t roamline.Transport) (roamline.Endpoint, error)

	// Connect tells what was agreed; again after each renegotiation. VoiceReady
	// follows once, VoiceGone at most once. Continuity of SSRC, sequence numbers
	// and timestamps towards the far end is kept across everything.
	Connect(leg roamline.LegID, m roamline.Media) error

	// Join lets two legs hear each other: the payload untouched if their codecs
	// are the same, else transcoded. A leg has at most one other; joining again
	// replaces it.
	Join(a, b roamline.LegID) error

	// Part ends a Join; both hear nothing.
	Part(leg roamline.LegID) error

	// Play plays a prompt to the leg's far end, instead of what it is joined to,
	// once or until Hush. Played follows if it was once.
	Play(leg roamline.LegID, p roamline.Prompt, loop bool) error
	Hush(leg roamline.LegID) error

	// Dial sends digits as RFC 4733 events, one after another; NotFound if the
	// leg agreed to none.
	Dial(leg roamline.LegID, d roamline.Digit) error

	// Figures returns what is known of the leg's voice; Close too, and frees all
	// that the leg held.
	Figures(leg roamline.LegID) (roamline.Figures, error)
	Close(leg roamline.LegID) (roamline.Figures, error)
}
