package sip

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/emiago/sipgo/sip"
)

// Bounds of one message. A description of voice with many candidates stays
// well under them.
const (
	maxHead    = 32 << 10 // bytes of start line and header fields
	maxBody    = 64 << 10 // bytes
	maxFields  = 200
	maxMessage = maxHead + maxBody
)

// A field is one header field in its plain form: the name long and lower case,
// the value unfolded and trimmed.
type field struct{ name, value string }

// A text is a message taken apart as far as that can be done without
// understanding it.
type text struct {
	start  string // start line
	fields []field
	body   []byte
}

// A fault says why a message is not accepted and how it is answered. Code 0:
// not at all.
type fault struct {
	code   int
	reason string
	final  bool // on a stream the end of the message is unknown: close it
}

func (f *fault) Error() string { return strconv.Itoa(f.code) + " " + f.reason }

func bad(format string, args ...any) *fault {
	return &fault{code: sip.StatusBadRequest, reason: fmt.Sprintf(format, args...)}
}

// Compact names of RFC 3261 section 20 and its successors.
var longName = map[string]string{
	"a": "accept-contact", "b": "referred-by", "c": "content-type", "d": "request-disposition",
	"e": "content-encoding", "f": "from", "i": "call-id", "j": "reject-contact", "k": "supported",
	"l": "content-length", "m": "contact", "n": "identity-info", "o": "event", "r": "refer-to",
	"s": "subject", "t": "to", "u": "allow-events", "v": "via", "x": "session-expires", "y": "identity",
}

// headEnd returns the length of the head of a message, its empty line
// included; 0 if it is not complete.
func headEnd(b []byte) int {
	i := bytes.Index(b, []byte("\r\n\r\n"))
	if i < 0 {
		return 0
	}
	return i + 4
}

// takeApart splits a head (to its empty line) into start line and fields,
// joining folded lines (RFC 3261 section 7.3.1). It returns what it found even
// beside a fault, so that the fault can be answered.
func takeApart(head []byte) (text, *fault) {
	var t text
	if len(head) > maxHead {
		return t, &fault{code: 513, reason: "Message Too Large", final: true}
	}
	lines := strings.Split(strings.TrimSuffix(string(head), "\r\n\r\n"), "\r\n")
	t.start = lines[0]
	var flt *fault
	for _, line := range lines[1:] {
		if line == "" {
			continue
		}
		if strings.ContainsAny(line, "\r\n") {
			return t, bad("Bare CR or LF in the header")
		}
		if line[0] == ' ' || line[0] == '\t' {
			if len(t.fields) == 0 {
				flt = bad("Continuation without a header field")
				continue
			}
			last := &t.fields[len(t.fields)-1]
			last.value = strings.TrimSpace(last.value + " " + strings.TrimSpace(line))
			continue
		}
		name, value, ok := strings.Cut(line, ":")
		name = strings.ToLower(strings.TrimRight(name, " \t"))
		if !ok || !isToken(name) {
			flt = bad("Header field without a name")
			continue
		}
		if long, ok := longName[name]; ok {
			name = long
		}
		if len(t.fields) == maxFields {
			return t, bad("Too many header fields")
		}
		t.fields = append(t.fields, field{name, strings.TrimSpace(value)})
	}
	if strings.ContainsAny(t.start, "\r\n") {
		return t, bad("Bare CR or LF in the start line")
	}
	return t, flt
}

// get returns the first value of a field; empty if there is none.
func (t *text) get(name string) string {
	for _, f := range t.fields {
		if f.name == name {
			return f.value
		}
	}
	return ""
}

// isRequest reports whether the start line is not a status line.
func (t *text) isRequest() bool { return !strings.HasPrefix(t.start, "SIP/") }

// bodyLength returns the body's length by Content-Length; -1 if there is none.
// Several that differ are a way to smuggle a message in (RFC 4475 section
// 3.3.9); sipgo's parser would take the last.
func (t *text) bodyLength() (int, *fault) {
	length := -1
	for _, f := range t.fields {
		if f.name != "content-length" {
			continue
		}
		n, err := strconv.ParseUint(f.value, 10, 31)
		switch {
		case err != nil:
			flt := bad("Content-Length is not a number of octets")
			flt.final = true
			return -1, flt
		case n > maxBody:
			return -1, &fault{code: 513, reason: "Message Too Large", final: true}
		case length >= 0 && length != int(n):
			flt := bad("Several Content-Length")
			flt.final = true
			return -1, flt
		}
		length = int(n)
	}
	return length, nil
}

// parseDatagram reads a message that fills a datagram or a WebSocket message.
// What follows the body is ignored (RFC 3261 section 18.3).
func parseDatagram(b []byte) (text, *fault) {
	end := headEnd(b)
	if end == 0 {
		t, _ := takeApart(b[:min(len(b), maxHead)])
		return t, bad("The header has no end")
	}
	t, flt := takeApart(b[:end])
	if flt != nil {
		return t, flt
	}
	n, flt := t.bodyLength()
	rest := b[end:]
	switch {
	case flt != nil:
		return t, flt
	case n > len(rest):
		return t, bad("Body shorter than Content-Length")
	case n >= 0:
		rest = rest[:n]
	case len(rest) > maxBody:
		return t, &fault{code: 513, reason: "Message Too Large"}
	}
	if len(rest) > 0 {
		t.body = bytes.Clone(rest)
	}
	return t, nil
}

// parser is sipgo's; it holds no state.
var parser = sip.NewParser()

var errParser = errors.New("parser failed")

// message brings t into the plain form and gives it to sipgo's parser. It must
// have passed check.
func (t *text) message() (msg sip.Message, err error) {
	// A parser that is not ours must not end the server.
	defer func() {
		if recover() != nil {
			msg, err = nil, errParser
		}
	}()
	var b strings.Builder
	b.Grow(len(t.body) + 1024)
	b.WriteString(readableStart(t.start) + "\r\n")
	for _, f := range t.fields {
		if f.name == "content-length" {
			continue
		}
		name := canonicalName(f.name)
		switch f.name {
		case "via", "from", "to", "contact", "route", "record-route":
			values, err := plainList(f.name, f.value)
			if err != nil {
				return nil, err
			}
			for _, v := range values {
				b.WriteString(name + ": " + v + "\r\n")
			}
		case "cseq":
			seq, method, _ := strings.Cut(f.value, " ")
			b.WriteString(name + ": " + seq + " " + strings.TrimSpace(method) + "\r\n")
		case "refer-to", "referred-by": // sipgo parses them, and nobody here reads them
		default:
			b.WriteString(name + ": " + f.value + "\r\n")
		}
	}
	b.WriteString("Content-Length: " + strconv.Itoa(len(t.body)) + "\r\n\r\n")
	b.Write(t.body)
	return parser.ParseSIP([]byte(b.String()))
}

// readableStart puts a stand-in for a Request-URI of another scheme that sipgo
// can't read, such as "soap.beep:": it will be refused anyway.
func readableStart(line string) string {
	parts := strings.Split(line, " ")
	var u sip.Uri
	if len(parts) != 3 || strings.HasPrefix(line, "SIP/") || sip.ParseUri(parts[1], &u) == nil {
		return line
	}
	if scheme, _, _ := strings.Cut(parts[1], ":"); strings.EqualFold(scheme, "sip") || strings.EqualFold(scheme, "sips") {
		return line
	}
	return parts[0] + " unknown:opaque " + parts[2]
}

// canonicalName writes a header's name as people do: "call-id" is "Call-ID".
func canonicalName(lower string) string {
	switch lower {
	case "call-id":
		return "Call-ID"
	case "cseq":
		return "CSeq"
	case "www-authenticate":
		return "WWW-Authenticate"
	case "rseq":
		return "RSeq"
	case "rack":
		return "RAck"
	case "min-se":
		return "Min-SE"
	}
	b := []byte(lower)
	up := true
	for i, c := range b {
		if up && c >= 'a' && c <= 'z' {
			b[i] = c - 'a' + 'A'
		}
		up = c == '-'
	}
	return string(b)
}

func isToken(s string) bool {
	for i := range len(s) {
		c := s[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
		case strings.IndexByte("-.!%*_+`'~", c) >= 0:
		default:
			return false
		}
	}
	return s != ""
}
