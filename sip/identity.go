package sip

import (
	"cmp"
	"regexp"
	"strings"

	"github.com/emiago/sipgo/sip"
	"github.com/roamline/roamline"
)

// A rewrite is a Rewrite made ready.
type rewrite struct {
	match *regexp.Regexp
	with  string
}

// compileRewrites makes rules ready; one that is no expression matches nothing.
func compileRewrites(list []roamline.Rewrite) []rewrite {
	var ready []rewrite
	for _, r := range list {
		if re, err := regexp.Compile(`^(?:` + r.Match + `)$`); err == nil {
			ready = append(ready, rewrite{re, r.With})
		}
	}
	return ready
}

// apply rewrites a number by the first rule that matches it.
func apply(rules []rewrite, number string) string {
	for _, r := range rules {
		if m := r.match.FindStringSubmatchIndex(number); m != nil {
			return string(r.match.ExpandString(nil, r.with, number, m))
		}
	}
	return number
}

// offeredNumbers reads who calls whom from an INVITE. What a client claims to be
// is not looked at: the switchboard knows who is there.
func (p peer) offeredNumbers(req *sip.Request) (dialed string, from roamline.Party) {
	dialed = userOf(req.Recipient)
	if p.trunk == nil {
		return dialed, roamline.Party{Private: wantsPrivacy(req)}
	}
	t := p.trunk
	t.mu.Lock()
	conf, in := t.conf, t.in
	t.mu.Unlock()
	// A carrier that calls the contact we registered names the number in To.
	if conf.Register && conf.Username != "" && dialed == conf.Username {
		if to := userOf(req.To().Address); to != "" {
			dialed = to
		}
	}
	dialed = apply(in, dialed)
	who := address{name: unquote(`"` + req.From().DisplayName + `"`)}
	number := userOf(req.From().Address)
	if conf.Identity == roamline.IdentityPAI {
		if name, n, ok := asserted(req); ok {
			number, who.name = n, cmp.Or(name, who.name)
		}
	}
	from = roamline.Party{Number: roamline.Number(apply(in, number)), Name: clip(strings.Map(printable, who.name), 128)}
	if wantsPrivacy(req) || strings.EqualFold(number, "anonymous") || number == "" {
		from = roamline.Party{Private: true}
	}
	return dialed, from
}

// asserted reads P-Asserted-Identity (RFC 3325 section 9.1): a tel URI before a
// SIP one.
func asserted(req *sip.Request) (name, number string, ok bool) {
	for _, h := range req.GetHeaders("P-Asserted-Identity") {
		parts, err := splitOutside(h.Value(), ',')
		if err != nil {
			continue
		}
		for _, p := range parts {
			a, err := parseAddress(p)
			if err != nil {
				continue
			}
			u, err := parseURI(a.uri)
			if err != nil || userOf(u) == "" {
				continue
			}
			if !ok || u.Scheme == "tel" {
				name, number = a.name, userOf(u)
			}
			ok = true
		}
	}
	return name, number, ok
}

// wantsPrivacy reports whether the caller asked for her number to be withheld
// (RFC 3323 section 4.2, RFC 3325 section 9.3).
func wantsPrivacy(req *sip.Request) bool {
	for _, h := range req.GetHeaders("Privacy") {
		for _, v := range strings.FieldsFunc(h.Value(), func(r rune) bool { return r == ';' || r == ',' || r == ' ' }) {
			switch strings.ToLower(v) {
			case "id", "user", "header":
				return true
			}
		}
	}
	return false
}

// address puts called and calling number into a dialog that goes out by h, and
// returns the headers that go with them.
func (t *trunk) address(g *dialog, h hop, called roamline.Number, from roamline.Party) []sip.Header {
	t.mu.Lock()
	conf, out := t.conf, t.out
	t.mu.Unlock()
	domain := cmp.Or(conf.Domain, strings.Trim(h.Host, "[]"))
	g.target = h.uri(apply(out, string(called)))
	g.them = sip.ToHeader{Address: uri(apply(out, string(called)), domain, 0)}
	number := apply(out, string(from.Number))
	shown := sip.FromHeader{DisplayName: escapeName(from.Name), Address: uri(number, domain, 0)}
	var hs []sip.Header
	switch {
	case from.Private || number == "":
		g.us = anonymous(roamline.Party{Private: true})
		if number != "" {
			hs = append(hs, sip.NewHeader("Privacy", "id"))
		}
	default:
		g.us = shown
	}
	if conf.Identity == roamline.IdentityPAI && number != "" {
		hs = append(hs, sip.NewHeader("P-Asserted-Identity", shown.Value()))
	}
	return hs
}
