package roamline

import "time"

// A TraceEntry is one line of a call's story: a SIP message, an event, a
// command, a decision. The story is kept in a bounded memory; secrets and
// dialled digits after the answer are redacted before an entry is made.
type TraceEntry struct {
	At   time.Time
	Call CallID // empty until known; then found by Leg
	Leg  LegID
	Kind TraceKind
	From string // who sent it: "carrier", "server", "Ward 3"; for messages
	To   string
	Text string // one line: "INVITE", "180 Ringing", "ringing -> joining"
	Body string // the whole SIP message, or details
}

// TraceKind says what a line of a story is about.
type TraceKind string

const (
	TraceSIP   TraceKind = "sip"
	TraceEvent TraceKind = "event"
	TraceRoute TraceKind = "route"
	TraceWho   TraceKind = "who"
	TraceVoice TraceKind = "voice"
)

// A Tracer keeps trace entries. It returns at once.
type Tracer interface{ Trace(TraceEntry) }
