package sip

import (
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/roamline/roamline"
)

// maxTraced bounds the text that a trace keeps of one message, in bytes.
const maxTraced = 8 << 10

// traceIn notes a message that arrived.
func (d *Door) traceIn(f *flow, msg sip.Message) {
	if d.opt.Tracer != nil {
		d.trace(d.nameOf(f), "server", callIDOf(msg), firstLine(msg), msg.String())
	}
}

// traceOut notes a message that leaves.
func (d *Door) traceOut(f *flow, msg sip.Message) {
	if d.opt.Tracer != nil {
		d.trace("server", d.nameOf(f), callIDOf(msg), firstLine(msg), msg.String())
	}
}

// traceText notes a message that could not be read.
func (d *Door) traceText(f *flow, t *text, flt *fault) {
	if d.opt.Tracer == nil {
		return
	}
	var b strings.Builder
	b.WriteString(t.start + "\r\n")
	for _, fd := range t.fields {
		b.WriteString(canonicalName(fd.name) + ": " + fd.value + "\r\n")
	}
	what := "unreadable: " + flt.reason
	if method, _, ok := strings.Cut(t.start, " "); ok {
		what = method + ", " + what
	}
	d.trace(d.nameOf(f), "server", t.get("call-id"), clip(what, 200), b.String())
}

// traceRaw notes a refusal written by hand.
func (d *Door) traceRaw(f *flow, b string) {
	if d.opt.Tracer == nil {
		return
	}
	line, _, _ := strings.Cut(b, "\r\n")
	d.trace("server", d.nameOf(f), "", strings.TrimPrefix(line, "SIP/2.0 "), b)
}

func (d *Door) trace(from, to, callID, line, body string) {
	d.mu.RLock()
	leg := d.byCallID[callID]
	d.mu.RUnlock()
	d.opt.Tracer.Trace(roamline.TraceEntry{At: time.Now(), Leg: leg, Kind: roamline.TraceSIP,
		From: from, To: to, Text: line, Body: redact(clip(body, maxTraced))})
}

// nameOf says who is at the other end, as far as that is known.
func (d *Door) nameOf(f *flow) string {
	if c := f.whose(); c != "" {
		return string(c)
	}
	if t := d.trunks.match(f); t != nil {
		return t.name()
	}
	if c := d.registrar.at(f); c != "" {
		return string(c)
	}
	return f.transport + ":" + f.remote.String()
}

func callIDOf(msg sip.Message) string {
	if id := msg.CallID(); id != nil {
		return id.Value()
	}
	return ""
}

func firstLine(msg sip.Message) string {
	switch m := msg.(type) {
	case *sip.Request:
		return string(m.Method)
	case *sip.Response:
		return strings.TrimPrefix(m.StartLine(), "SIP/2.0 ")
	}
	return ""
}

func clip(s string, n int) string {
	if len(s) > n {
		return s[:n] + "..."
	}
	return s
}

const hidden = "(redacted)"

// redact takes secrets out of a message: credentials, keys of the voice, and
// digits that are dialled by INFO.
func redact(s string) string {
	lines := strings.Split(s, "\r\n")
	digits := false
	for i, line := range lines {
		name, value, ok := strings.Cut(line, ":")
		lower := strings.ToLower(strings.TrimSpace(name))
		switch {
		case ok && (lower == "authorization" || lower == "proxy-authorization" || lower == "authentication-info"):
			scheme, _, _ := strings.Cut(strings.TrimSpace(value), " ")
			lines[i] = name + ": " + scheme + " " + hidden
		case ok && (lower == "content-type" || lower == "c"):
			digits = strings.Contains(strings.ToLower(value), "dtmf")
		case strings.HasPrefix(line, "a=crypto:"):
			lines[i] = redactCrypto(line)
		case strings.HasPrefix(line, "a=ice-pwd:"), strings.HasPrefix(line, "a=key-mgmt:"), strings.HasPrefix(line, "k="):
			key, _, _ := strings.Cut(line, ":")
			if key == line {
				key = "k="
			}
			lines[i] = key + ":" + hidden
		}
	}
	s = strings.Join(lines, "\r\n")
	if digits {
		if end := headEnd([]byte(s)); end > 0 {
			s = s[:end] + hidden
		}
	}
	return s
}

// redactCrypto keeps tag and suite of an SDES key (RFC 4568 section 9.1).
func redactCrypto(line string) string {
	words := strings.SplitN(line, " ", 3)
	if len(words) < 3 {
		return "a=crypto:" + hidden
	}
	return words[0] + " " + words[1] + " inline:" + hidden
}
