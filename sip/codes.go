package sip

import (
	"strconv"
	"strings"

	"github.com/emiago/sipgo/sip"
	"github.com/roamline/roamline"
)

// A verdict is a cause as SIP says it: the status that refuses an INVITE, and
// the Reason (RFC 3326) of a BYE or CANCEL.
type verdict struct {
	code   int
	text   string
	reason string
}

// verdicts is the only table from causes to SIP.
var verdicts = map[roamline.Cause]verdict{
	roamline.Normal:          {480, "Temporarily Unavailable", `Q.850;cause=16;text="Normal call clearing"`},
	roamline.Cancelled:       {487, "Request Terminated", `SIP;cause=487;text="Cancelled"`},
	roamline.Elsewhere:       {486, "Busy Here", `SIP;cause=200;text="Call completed elsewhere"`},
	roamline.Busy:            {486, "Busy Here", `SIP;cause=486;text="Busy"`},
	roamline.Declined:        {603, "Decline", `SIP;cause=603;text="Declined"`},
	roamline.NoAnswer:        {480, "Temporarily Unavailable", `SIP;cause=480;text="No answer"`},
	roamline.NotThere:        {480, "Temporarily Unavailable", `SIP;cause=480;text="Not signed in"`},
	roamline.UnknownNumber:   {404, "Not Found", `SIP;cause=404;text="Unknown number"`},
	roamline.NotAllowed:      {403, "Forbidden", `SIP;cause=403;text="Not allowed"`},
	roamline.Unreachable:     {480, "Temporarily Unavailable", `SIP;cause=480;text="Unreachable"`},
	roamline.Incompatible:    {488, "Not Acceptable Here", `SIP;cause=488;text="No common codec"`},
	roamline.TooManyCalls:    {486, "Busy Here", `SIP;cause=486;text="Too many calls"`},
	roamline.Abandoned:       {480, "Temporarily Unavailable", `SIP;cause=480;text="Nobody came back"`},
	roamline.VoiceLost:       {480, "Temporarily Unavailable", `Q.850;cause=41;text="Voice lost"`},
	roamline.VoiceFailed:     {488, "Not Acceptable Here", `Q.850;cause=47;text="No voice path"`},
	roamline.SessionExpired:  {480, "Temporarily Unavailable", `SIP;cause=408;text="Session expired"`},
	roamline.NotAcknowledged: {480, "Temporarily Unavailable", `SIP;cause=408;text="No ACK"`},
	roamline.Shutdown:        {503, "Service Unavailable", `SIP;cause=503;text="Server stopping"`},
	roamline.Restarted:       {503, "Service Unavailable", `SIP;cause=503;text="Server restarted"`},
	roamline.Broken:          {500, "Server Internal Error", `SIP;cause=500;text="Internal error"`},
	roamline.ByOperator:      {480, "Temporarily Unavailable", `SIP;cause=480;text="Ended by operator"`},
}

// verdictOf returns the verdict for a cause; that of Broken for one that the
// table does not know.
func verdictOf(c roamline.Cause) verdict {
	if c == "" {
		c = roamline.Normal
	}
	if v, ok := verdicts[c]; ok {
		return v
	}
	return verdicts[roamline.Broken]
}

// causeOf is the only table from final statuses to causes (RFC 3261 section 21).
func causeOf(code int) roamline.Cause {
	switch code {
	case 486, 600:
		return roamline.Busy
	case 603, 607, 608: // RFC 8197, RFC 8688
		return roamline.Declined
	case 480:
		return roamline.NoAnswer
	case 404, 410, 484, 485, 604:
		return roamline.UnknownNumber
	case 401, 402, 403, 407, 433:
		return roamline.NotAllowed
	case 406, 415, 488, 606:
		return roamline.Incompatible
	case 487:
		return roamline.Cancelled
	}
	return roamline.Unreachable
}

// causeOfReason reads why a peer hung up (BYE) or gave up (CANCEL); otherwise
// is what it means if no Reason says more.
func causeOfReason(req *sip.Request, otherwise roamline.Cause) roamline.Cause {
	for _, h := range req.GetHeaders("Reason") {
		parts := strings.Split(h.Value(), ";")
		if !strings.EqualFold(strings.TrimSpace(parts[0]), "SIP") {
			continue
		}
		for _, p := range parts[1:] {
			k, v, _ := strings.Cut(strings.TrimSpace(p), "=")
			if !strings.EqualFold(k, "cause") {
				continue
			}
			if code, _ := strconv.Atoi(v); code == 200 {
				return roamline.Elsewhere
			} else if code == 603 || code == 486 || code == 600 {
				return causeOf(code)
			}
		}
	}
	return otherwise
}

// hopeless reports whether another gateway may do better after this status:
// the gateway, and not the number called, is the matter (RFC 3263 section 4.3).
func hopeless(code int) bool { return code == 408 || code == 502 || code == 503 || code == 504 }
