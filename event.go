package roamline

import "time"

// An Event is something that happened to a leg, a call or a client. Doors and
// the voice engine hand events to a Sink; the switchboard gives each to the
// call that owns it. Events carry their time.
type Event interface{ When() time.Time }

// A Sink takes events. It returns at once and may be called from any
// goroutine.
type Sink func(Event)

// At is embedded in every event: the time at which it happened.
type At struct{ Time time.Time }

// When returns the event's time.
func (a At) When() time.Time { return a.Time }

// Signalling: what the SIP door reports.
type (
	// Offered: an INVITE arrived from a trusted source and opened a leg.
	Offered struct {
		At
		Leg    LegID
		Path   Path   // by which client or trunk it came
		From   Party  // as the source asserts it; a client's is replaced by its user's
		Dialed string // the user part of the Request-URI, not yet normalised
		SDP    []byte // nil: the offer is asked of us (RFC 3261 section 13.2.1)
	}
	// Progressed: a provisional response to our INVITE, above 100.
	Progressed struct {
		At
		Leg  LegID
		Code int
		SDP  []byte // early media, or nil
	}
	// Answered: a 2xx to our INVITE. Its ACK is sent by the door.
	Answered struct {
		At
		Leg LegID
		SDP []byte
	}
	// Confirmed: the ACK for our 2xx, with the answer if the 2xx held the offer.
	Confirmed struct {
		At
		Leg LegID
		SDP []byte
	}
	// Reoffered: a re-INVITE or UPDATE arrived; it waits for Reanswer.
	Reoffered struct {
		At
		Leg LegID
		SDP []byte // nil: an offer is asked of us
	}
	// Reanswered: the response to our own re-INVITE. Cause is empty if it was
	// accepted.
	Reanswered struct {
		At
		Leg   LegID
		SDP   []byte
		Cause Cause
	}
	// HungUp: the far end ended the leg: BYE, CANCEL, a final refusal, no ACK, an
	// expired session, a lost flow. The dialog is over; nothing more follows.
	HungUp struct {
		At
		Leg   LegID
		Cause Cause
		Code  int // the SIP status, if there was one
	}
)

// Voice: what the engine reports.
type (
	// VoiceReady: the leg's voice path carries. Plain RTP is ready when it is
	// connected; DTLS when its keys are there.
	VoiceReady struct {
		At
		Leg LegID
	}
	// FirstVoice: the first packet of the far end was accepted.
	FirstVoice struct {
		At
		Leg LegID
	}
	// VoiceGone: the path failed, or carried nothing for too long while it should.
	VoiceGone struct {
		At
		Leg   LegID
		Cause Cause // VoiceFailed or VoiceLost
	}
	// Played: a prompt came to its end.
	Played struct {
		At
		Leg    LegID
		Prompt Prompt
	}
	// Pressed: the far end sent a digit that was not relayed as RTP (SIP INFO).
	Pressed struct {
		At
		Leg   LegID
		Digit Digit
	}
)

// A Digit is one DTMF event (RFC 4733 section 3.2).
type Digit struct {
	Key      byte // '0'-'9', '*', '#', 'A'-'D'
	Duration time.Duration
}

// Clients: what the SIP door reports of their connections.
type (
	// Reached: a client can be called: it registered a flow or a contact.
	Reached struct {
		At
		Client ClientID
	}
	// Lost: a client can no longer be called: its last flow closed or its last
	// contact expired.
	Lost struct {
		At
		Client ClientID
	}
)

// Where people are: what the switchboard tells the calls of the people whom it
// concerns.
type (
	// Here: a user can be called at a client: she identified there, or the client
	// where she is came back.
	Here struct {
		At
		User   UserID
		Client ClientID
	}
	// Gone: a user is no longer at a client, and has not merely gone to another:
	// she signed out, somebody else took it, it was lost for too long. From then
	// on nothing of hers is heard there.
	Gone struct {
		At
		User   UserID
		Client ClientID
	}
)

// Within a call: what only the switchboard says to call.Step.
type (
	// Routed: the plan for the call.
	Routed struct {
		At
		Plan      []Stage
		From      Party
		To        Number
		User      UserID
		CallerBy  UserID
		Emergency bool
		Grace     time.Duration // see Call.Grace
	}
	// Done: a command was carried out.
	Done struct {
		At
		ID CommandID
	}
	// Failed: a command could not be carried out.
	Failed struct {
		At
		ID    CommandID
		Cause Cause
	}
	// Fired: the call's timer ran out.
	Fired struct {
		At
		Timer Generation
	}
	// Flow: a leg's far end put us on hold, or took us back.
	Flow struct {
		At
		Leg  LegID
		Held bool
	}
	// Stop: end the call now: an operator, a stopping server.
	Stop struct {
		At
		Cause Cause
	}
)
