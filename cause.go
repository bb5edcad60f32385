package roamline

// A Cause says why a leg or a call ended. The SIP door alone turns causes into
// status codes and back.
type Cause string

const (
	Normal          Cause = "normal"            // hung up after an answer
	Cancelled       Cause = "cancelled"         // the caller gave up while it rang
	Elsewhere       Cause = "elsewhere"         // answered or moved at another client
	Busy            Cause = "busy"              // 486
	Declined        Cause = "declined"          // 603
	NoAnswer        Cause = "no answer"         // rang too long: 480
	NotThere        Cause = "not signed in"     // nobody bound: 480
	UnknownNumber   Cause = "unknown number"    // 404
	NotAllowed      Cause = "not allowed"       // 403
	Unreachable     Cause = "unreachable"       // the client or trunk can't be reached: 480, 503 upstream
	Incompatible    Cause = "no common codec"   // 488
	TooManyCalls    Cause = "too many calls"    // the trunk's limit: 486
	Abandoned       Cause = "nobody came back"  // parked until its time was over
	VoiceLost       Cause = "voice lost"        // no packets for too long
	VoiceFailed     Cause = "no voice path"     // ICE or DTLS never came up
	SessionExpired  Cause = "session expired"   // RFC 4028
	NotAcknowledged Cause = "not acknowledged"  // no ACK for our 200
	Shutdown        Cause = "server stopping"   // 503
	Restarted       Cause = "server restarted"  // an orphan of a crash
	Broken          Cause = "internal error"    // 500
	ByOperator      Cause = "ended by operator" // command, page or API
)
