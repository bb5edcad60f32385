package roamline

// LegState is how far a leg's dialog has come.
type LegState string

const (
	LegCalling LegState = "calling" // INVITE on its way
	LegRinging LegState = "ringing" // 18x sent or received
	LegUp      LegState = "up"      // accepted
	LegEnding  LegState = "ending"  // asked to end, not yet confirmed
	LegEnded   LegState = "ended"
)

// A Leg is one side of a call: a SIP dialog with its voice.
type Leg struct {
	ID     LegID
	State  LegState
	At     Target    // the client or trunk at its far end
	User   UserID    // who is there; empty beyond a trunk
	Ready  bool      // its voice path carries
	Held   bool      // its far end put us on hold
	Cause  Cause     // why it ended
	Inward bool      // it was offered to us; false: we called
	Voiced bool      // a packet of its far end was accepted
	Takes  LegID     // the leg whose place it is to take when it is ready; empty: none
	Last   CommandID // the last command about it that its state waits for
}

// AnswerMode says whether a leg is answered by a person or at once by her
// client (RFC 5373).
type AnswerMode string

const (
	Manual AnswerMode = ""
	Auto   AnswerMode = "Auto" // the person is talking already, and walked there
)

// A Target is where a leg can be opened: at a client, or through a trunk to a
// number.
type Target struct {
	Client ClientID
	Trunk  TrunkID
	Number Number // dialled through the trunk, in normal form
}
