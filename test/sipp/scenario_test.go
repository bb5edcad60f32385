// Package sipp lets sipp play the carrier behind a trunk, and a pretend browser
// the person called: what a call may come to, each with its codes on the wire
// and its record afterwards.
package sipp

import (
	"fmt"
	"strings"
)

// A step is a piece of a sipp scenario. Steps follow one another; the requests
// of a dialog take their To tag from the response before.
type step string

// scenario joins steps. The variable named seen takes what a check finds.
func scenario(steps ...step) string {
	var b strings.Builder
	b.WriteString("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<scenario name=\"carrier\">\n")
	for _, s := range steps {
		b.WriteString(string(s))
	}
	if strings.Contains(b.String(), `assign_to="seen"`) {
		b.WriteString("<Reference variables=\"seen\"/>\n")
	}
	b.WriteString("</scenario>\n")
	return b.String()
}

// first opens every request. Branches go by the number of the request, so that
// CANCEL and the ACK of a refusal can have that of their INVITE (RFC 3261
// sections 9.1 and 17.1.1.3).
const first = `<send%s><![CDATA[
%[2]s sip:[service]@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/UDP [local_ip]:[local_port];branch=z9hG4bK-[pid]-[call_number]-%[3]s
From: "Carla" <sip:+4930123456@[local_ip]:[local_port]>;tag=c[pid]
To: <sip:[service]@[remote_ip]:[remote_port]>%[4]s
Call-ID: [call_id]
CSeq: %[5]d %[2]s
Contact: <sip:+4930123456@[local_ip]:[local_port]>
Max-Forwards: 70
%[6]sContent-Length: [len]

%[7]s]]></send>
`

// request is a request number seq. It is repeated (Timer A, E) unless it is an
// ACK.
func request(method, branch, tag string, seq int, headers, body string) step {
	repeat := ` retrans="500"`
	if method == "ACK" {
		repeat = ""
	}
	if body != "" {
		headers += "Content-Type: application/sdp\n"
	}
	return step(fmt.Sprintf(first, repeat, method, branch, tag, seq, headers, body))
}

// description is the carrier's SDP; version grows with every change (RFC 3264
// section 8).
func description(version int, direction string) string {
	return fmt.Sprintf(`v=0
o=carrier 1 %d IN IP4 [local_ip]
s=-
c=IN IP4 [local_ip]
t=0 0
m=audio [voice] RTP/AVP 8 101
a=rtpmap:8 PCMA/8000
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-15
a=%s
`, version, direction)
}

// These make requests of the first INVITE's dialog, in the order of their
// numbers: INVITE is 1, re-INVITEs 2 and 3, BYE 9.
var (
	invite      = request("INVITE", "1", "", 1, "", description(1, "sendrecv"))
	inviteTimed = request("INVITE", "1", "", 1, "Supported: timer\nSession-Expires: 1800;refresher=uac\n", description(1, "sendrecv"))
	inviteLate  = request("INVITE", "1", "", 1, "", "")
	hold        = request("INVITE", "2", "[peer_tag_param]", 2, "", description(2, "sendonly"))
	resume      = request("INVITE", "3", "[peer_tag_param]", 3, "", description(3, "sendrecv"))
	ack         = acknowledge(1)
	ackAnswer   = request("ACK", "1a", "[peer_tag_param]", 1, "", description(1, "sendrecv"))
	ackRefusal  = request("ACK", "1", "[peer_tag_param]", 1, "", "")
	cancel      = request("CANCEL", "1", "", 1, "", "")
	bye         = request("BYE", "9", "[peer_tag_param]", 9, "", "")
)

// acknowledge is the ACK of the 2xx to INVITE seq: a transaction of its own.
func acknowledge(seq int) step {
	return request("ACK", fmt.Sprintf("%da", seq), "[peer_tag_param]", seq, "", "")
}

// trying may come, or be overtaken.
const trying step = `<recv response="100" optional="true"></recv>` + "\n"

// status waits for a response, and fails at every other.
func status(code int) step { return step(fmt.Sprintf("<recv response=\"%d\"></recv>\n", code)) }

// described waits for a response with this line in its description.
func described(code int, line string) step {
	return step(fmt.Sprintf("<recv response=\"%d\"><action><ereg regexp=\"%s\" search_in=\"body\" check_it=\"true\" assign_to=\"seen\"/></action></recv>\n", code, line))
}

// headed waits for a response with this in a header.
func headed(code int, header, value string) step {
	return step(fmt.Sprintf("<recv response=\"%d\"><action><ereg regexp=\"%s\" search_in=\"hdr\" header=\"%s:\" check_it=\"true\" assign_to=\"seen\"/></action></recv>\n", code, value, header))
}

// hungUp waits for a BYE with this Reason (RFC 3326), and answers it.
func hungUp(reason string) step {
	return step(fmt.Sprintf(`<recv request="BYE"><action><ereg regexp="%s" search_in="hdr" header="Reason:" check_it="true" assign_to="seen"/></action></recv>
<send><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:]
[last_Call-ID:]
[last_CSeq:]
Content-Length: 0

]]></send>
`, reason))
}

// talk lets the call last, in ms.
func talk(ms int) step { return step(fmt.Sprintf("<pause milliseconds=\"%d\"/>\n", ms)) }
