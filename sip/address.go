package sip

import (
	"errors"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"github.com/emiago/sipgo/sip"
)

// An address is a name-addr or addr-spec with the parameters of its header
// field (RFC 3261 section 20.10).
type address struct {
	name   string // display name, unquoted
	uri    string // as written
	params []param
}

// A param is one parameter; value keeps its quotes.
type param struct{ name, value string }

var (
	errQuote   = errors.New("a quoted string has no end")
	errAddress = errors.New("not an address")
	errParam   = errors.New("an empty parameter")
	errVia     = errors.New("not a Via")
)

// splitOutside cuts s at each sep that is outside quotes and angle brackets.
func splitOutside(s string, sep byte) ([]string, error) {
	var parts []string
	quoted, angled, from := false, false, 0
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case quoted && c == '\\':
			i++
		case c == '"' && !angled:
			quoted = !quoted
		case quoted:
		case c == '<':
			angled = true
		case c == '>':
			angled = false
		case c == sep && !angled:
			parts = append(parts, strings.TrimSpace(s[from:i]))
			from = i + 1
		}
	}
	if quoted || angled {
		return nil, errQuote
	}
	return append(parts, strings.TrimSpace(s[from:])), nil
}

// parseParams reads ";a=b;c" taken apart; the first part is not one.
func parseParams(parts []string) ([]param, error) {
	var list []param
	for _, p := range parts {
		name, value, _ := strings.Cut(p, "=")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		if name == "" {
			return nil, errParam
		}
		list = append(list, param{name, value})
	}
	return list, nil
}

// parseAddress reads one address. Without angle brackets every parameter is the
// header field's (RFC 3261 section 20).
func parseAddress(s string) (address, error) {
	var a address
	parts, err := splitOutside(s, ';')
	if err != nil {
		return a, err
	}
	if a.params, err = parseParams(parts[1:]); err != nil {
		return a, err
	}
	head := parts[0]
	open := strings.LastIndexByte(head, '<')
	if open < 0 {
		if head == "" || strings.ContainsAny(head, "\" \t?,>") && head != "*" {
			return a, errAddress
		}
		a.uri = head
		return a, nil
	}
	end := strings.IndexByte(head[open:], '>')
	if end < 0 || open+end != len(head)-1 {
		return a, errAddress
	}
	a.uri = head[open+1 : open+end]
	if a.uri == "" || strings.ContainsAny(a.uri, " \t\"<") {
		return a, errAddress
	}
	name := strings.TrimSpace(head[:open])
	if strings.HasPrefix(name, `"`) {
		if len(name) < 2 || !strings.HasSuffix(name, `"`) {
			return a, errQuote
		}
		a.name = unquote(name)
		return a, nil
	}
	for _, word := range strings.Fields(name) {
		if !isToken(word) {
			return a, errAddress
		}
	}
	a.name = name
	return a, nil
}

// plain writes a in the one form that sipgo's parser reads well.
func (a address) plain() string {
	if a.uri == "*" {
		return "*"
	}
	var b strings.Builder
	if a.name != "" {
		b.WriteString(`"` + escapeName(a.name) + `" `)
	}
	b.WriteString("<" + a.uri + ">")
	for _, p := range a.params {
		b.WriteString(";" + strings.ToLower(p.name))
		if p.value != "" {
			b.WriteString("=" + p.value)
		}
	}
	return b.String()
}

// plainList brings each value of an address or Via field into plain form.
func plainList(name, value string) ([]string, error) {
	parts, err := splitOutside(value, ',')
	if err != nil {
		return nil, err
	}
	for i, p := range parts {
		if name == "via" {
			v, err := parseVia(p)
			if err != nil {
				return nil, err
			}
			parts[i] = v.plain()
			continue
		}
		a, err := parseAddress(p)
		if err != nil {
			return nil, err
		}
		parts[i] = a.plain()
	}
	return parts, nil
}

// A via is one Via value (RFC 3261 section 20.42).
type via struct {
	transport string // as written
	host      string // with brackets if it has them
	port      int    // 0: none
	params    []param
}

func parseVia(s string) (via, error) {
	var v via
	parts, err := splitOutside(s, ';')
	if err != nil {
		return v, err
	}
	if v.params, err = parseParams(parts[1:]); err != nil {
		return v, err
	}
	proto := strings.SplitN(parts[0], "/", 3)
	if len(proto) != 3 || !strings.EqualFold(strings.TrimSpace(proto[0]), "SIP") || strings.TrimSpace(proto[1]) != "2.0" {
		return v, errVia
	}
	words := strings.Fields(proto[2])
	if len(words) < 2 || !isToken(words[0]) {
		return v, errVia
	}
	v.transport = words[0]
	sentBy := strings.Join(words[1:], "") // LWS may stand round the colon
	if strings.ContainsAny(sentBy, ",\"<>@/") {
		return v, errVia
	}
	host, port := sentBy, ""
	if i := strings.LastIndexByte(sentBy, ':'); i >= 0 && !strings.HasSuffix(sentBy, "]") {
		host, port = sentBy[:i], sentBy[i+1:]
		if v.port, err = strconv.Atoi(port); err != nil || v.port < 1 || v.port > 65535 {
			return v, errVia
		}
	}
	if !validHost(host) {
		return v, errVia
	}
	v.host = host
	return v, nil
}

func (v via) plain() string {
	var b strings.Builder
	b.WriteString("SIP/2.0/" + v.transport + " " + v.host)
	if v.port > 0 {
		b.WriteString(":" + strconv.Itoa(v.port))
	}
	for _, p := range v.params {
		b.WriteString(";" + strings.ToLower(p.name))
		if p.value != "" {
			b.WriteString("=" + p.value)
		}
	}
	return b.String()
}

// validHost accepts a name, an IPv4 address or an IPv6 reference. RFC 5118
// section 4.10 asks for tolerance inside the brackets.
func validHost(h string) bool {
	if strings.HasPrefix(h, "[") {
		return strings.HasSuffix(h, "]") && len(h) > 2 && !strings.ContainsAny(h[1:len(h)-1], "[]; ")
	}
	for i := range len(h) {
		c := h[i]
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '.' || c == '_') {
			return false
		}
	}
	return h != ""
}

// unquote takes the quotes and the backslashes of a quoted string away.
func unquote(s string) string {
	if len(s) < 2 || s[0] != '"' || s[len(s)-1] != '"' {
		return s
	}
	s = s[1 : len(s)-1]
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// escapeName makes a display name fit to stand between quotes: it can't end
// the string or the line.
func escapeName(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < ' ' || r == 0x7f:
			b.WriteByte(' ')
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// userOf returns the unescaped user part of a SIP URI, or the number of a tel
// URI (RFC 3966), without their parameters.
func userOf(u sip.Uri) string {
	user := u.User
	if u.Scheme == "tel" {
		user, _, _ = strings.Cut(u.Raw(), ";")
	} else if i := strings.IndexByte(user, ';'); i > 0 && telephone(user[:i]) {
		user = user[:i] // "sip:+34910000001;phone-context=..@": RFC 3261 section 19.1.6
	}
	if plain, err := url.PathUnescape(user); err == nil {
		return plain
	}
	return user
}

func telephone(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && c != '+' && c != '-' && c != '.' && c != '*' && c != '#' {
			return false
		}
	}
	return s != ""
}

// escapeUser writes s as the user part of a SIP URI (RFC 3261 section 25.1).
func escapeUser(s string) string {
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-_.!~*'()&=+$,;?/", c) >= 0 {
			b.WriteByte(c)
			continue
		}
		b.WriteString("%" + strings.ToUpper(strconv.FormatUint(uint64(c)|0x100, 16)[1:]))
	}
	return b.String()
}

// addrOf returns the IP address that a URI's or Via's host is; invalid if it is
// a name.
func addrOf(host string) netip.Addr {
	a, err := netip.ParseAddr(strings.Trim(host, "[]"))
	if err != nil {
		return netip.Addr{}
	}
	return a.Unmap()
}

// uri makes a SIP URI of its parts; host may be an IPv6 address without
// brackets.
func uri(user, host string, port int, params ...string) sip.Uri {
	u := sip.Uri{Scheme: "sip", User: escapeUser(user), Host: host, Port: port}
	for i := 0; i+1 < len(params); i += 2 {
		u.UriParams.Add(params[i], params[i+1])
	}
	return u
}
