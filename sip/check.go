package sip

import (
	"strconv"
	"strings"

	"github.com/emiago/sipgo/sip"
)

// Fields that stand at most once in a message (RFC 3261 section 7.3.1: all that
// are not comma-separated lists). Content-Length is judged by bodyLength.
var single = map[string]bool{
	"from": true, "to": true, "call-id": true, "cseq": true, "max-forwards": true,
	"content-type": true, "expires": true, "min-expires": true, "session-expires": true,
	"min-se": true, "rack": true, "rseq": true, "date": true, "subject": true,
	"user-agent": true, "server": true, "organization": true, "priority": true,
	"timestamp": true, "mime-version": true, "replaces": true, "refer-to": true,
}

// Numbers and their greatest value (RFC 3261 sections 8.1.1.5, 20.22, 25.1;
// RFC 3262 section 7; RFC 4028 section 4).
var scalars = map[string]uint64{
	"max-forwards": 255, "expires": 1<<32 - 1, "min-expires": 1<<32 - 1,
	"rseq": 1<<32 - 1, "min-se": 1<<32 - 1, "retry-after": 1<<32 - 1, "session-expires": 1<<32 - 1,
}

// check judges a message by what must hold before anything else is looked at.
// RFC 4475 gives the examples; sipgo's parser lets most of them pass.
func (t *text) check() *fault {
	if t.isRequest() {
		return t.checkRequest()
	}
	return t.checkResponse()
}

func (t *text) checkRequest() *fault {
	method, target, version, flt := splitRequestLine(t.start)
	if flt != nil {
		return flt
	}
	if !strings.EqualFold(version, "SIP/2.0") {
		return &fault{code: sip.StatusVersionNotSupported, reason: "Version Not Supported"}
	}
	if flt := t.checkFields(); flt != nil {
		return flt
	}
	seq, cseqMethod, _ := strings.Cut(t.get("cseq"), " ")
	if n, err := strconv.ParseUint(seq, 10, 32); err != nil || n > 1<<31-1 {
		return bad("CSeq out of range")
	}
	if strings.TrimSpace(cseqMethod) != method {
		return bad("CSeq names another method")
	}
	return checkTarget(target)
}

// splitRequestLine wants exactly two spaces (RFC 3261 section 7.1).
func splitRequestLine(line string) (method, target, version string, flt *fault) {
	parts := strings.Split(line, " ")
	if len(parts) != 3 {
		return "", "", "", bad("Request line with other than two spaces")
	}
	method, target, version = parts[0], parts[1], parts[2]
	name, number, ok := strings.Cut(version, "/")
	if !isToken(method) || !ok || !strings.EqualFold(name, "SIP") || !isVersion(number) || strings.ContainsRune(line, '\t') {
		return "", "", "", bad("Not a request line")
	}
	return method, target, version, nil
}

func isVersion(s string) bool {
	major, minor, ok := strings.Cut(s, ".")
	return ok && digits(major) && digits(minor)
}

func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// checkTarget judges a Request-URI. Another scheme is well formed, whatever
// follows it: who asks is told 416 once he is trusted.
func checkTarget(target string) *fault {
	scheme, rest, ok := strings.Cut(target, ":")
	if !ok || strings.ContainsAny(target, "<>\" ") || !isToken(scheme) {
		return bad("Not a Request-URI")
	}
	if s := strings.ToLower(scheme); s != "sip" && s != "sips" {
		return nil
	}
	var u sip.Uri
	if err := sip.ParseUri(target, &u); err != nil || !validHost(bracketed(u.Host)) || u.Port < 0 || u.Port > 65535 {
		return bad("Not a Request-URI")
	}
	if strings.Contains(rest[strings.LastIndexByte(rest, '@')+1:], "?") { // RFC 3261 section 19.1.1, table 1: no headers
		return bad("Headers in the Request-URI")
	}
	return nil
}

func (t *text) checkResponse() *fault {
	drop := &fault{reason: "not a response"}
	parts := strings.SplitN(t.start, " ", 3)
	if len(parts) < 2 || parts[0] != "SIP/2.0" || len(parts[1]) != 3 || !digits(parts[1]) || parts[1] < "100" || parts[1] >= "700" {
		return drop
	}
	if len(parts) == 2 {
		t.start += " " // an empty reason, its space forgotten
	}
	if t.checkFields() != nil {
		return drop
	}
	seq, _, _ := strings.Cut(t.get("cseq"), " ")
	if n, err := strconv.ParseUint(seq, 10, 32); err != nil || n > 1<<31-1 {
		return drop
	}
	return nil
}

// checkFields judges what requests and responses have in common.
func (t *text) checkFields() *fault {
	seen := make(map[string]bool, len(t.fields))
	for _, f := range t.fields {
		if single[f.name] && seen[f.name] {
			return bad("Several %s", canonicalName(f.name))
		}
		seen[f.name] = true
		if flt := checkField(f); flt != nil {
			return flt
		}
	}
	// RFC 3261 section 8.1.1. Max-Forwards came with it; RFC 2543 knew none.
	for _, name := range []string{"via", "from", "to", "call-id", "cseq"} {
		if !seen[name] {
			return bad("Missing %s", canonicalName(name))
		}
	}
	return nil
}

func checkField(f field) *fault {
	switch f.name {
	case "from", "to":
		if parts, err := splitOutside(f.value, ','); err != nil || len(parts) != 1 {
			return bad("Malformed %s", canonicalName(f.name))
		}
		fallthrough
	case "via", "contact", "route", "record-route":
		if _, err := plainList(f.name, f.value); err != nil {
			return bad("Malformed %s", canonicalName(f.name))
		}
	case "call-id":
		if f.value == "" || strings.ContainsAny(f.value, " \t,") {
			return bad("Malformed Call-ID")
		}
	case "cseq":
		seq, method, ok := strings.Cut(f.value, " ")
		if !ok || !digits(seq) || !isToken(strings.TrimSpace(method)) {
			return bad("Malformed CSeq")
		}
	}
	if limit, ok := scalars[f.name]; ok {
		value, _, _ := strings.Cut(f.value, ";")
		value, _, _ = strings.Cut(value, "(")
		n, err := strconv.ParseUint(strings.TrimSpace(value), 10, 64)
		if err != nil || n > limit {
			if f.name == "retry-after" { // nobody's answer hangs on it
				return nil
			}
			return bad("%s out of range", canonicalName(f.name))
		}
	}
	return nil
}

// bracketed puts an IPv6 address into brackets.
func bracketed(host string) string {
	if strings.Contains(host, ":") && !strings.HasPrefix(host, "[") {
		return "[" + host + "]"
	}
	return host
}
