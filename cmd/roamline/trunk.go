package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
)

type trunkCmds struct {
	List   trunkListCmd   `cmd:"" help:"List trunks."`
	Show   trunkShowCmd   `cmd:"" help:"Show a trunk."`
	Status trunkStatusCmd `cmd:"" help:"Say which trunks work now, and why the others do not."`
	Add    trunkAddCmd    `cmd:"" help:"Add a trunk."`
	Set    trunkSetCmd    `cmd:"" help:"Change a trunk."`
	Remove trunkRemoveCmd `cmd:"" help:"Remove a trunk."`
}

var trunkColumns = []column{field("NAME", "name"), field("ENABLED", "enabled"), {"GATEWAYS", func(r record) string { return each(r, "gateways", gatewayText) }},
	field("REGISTERS", "register"), {"DIALS", func(r record) string {
		if dials, _ := r["dials"].([]any); len(dials) > 0 {
			return show(r["dials"])
		}
		return "everything"
	}}, field("EMERGENCY", "emergency"), field("ID", "id")}

// each joins the texts of a list of objects.
func each(r record, list string, text func(record) string) string {
	items, _ := r[list].([]any)
	var all []string
	for _, item := range items {
		if one, ok := item.(record); ok {
			all = append(all, text(one))
		}
	}
	return strings.Join(all, ", ")
}

func gatewayText(g record) string {
	s := str(g, "host")
	if port, _ := g["port"].(float64); port != 0 {
		s = net.JoinHostPort(s, strconv.Itoa(int(port)))
	}
	return s + ";" + str(g, "transport")
}

func sourceText(s record) string {
	text := str(s, "prefix")
	if port, _ := s["port"].(float64); port != 0 {
		text += ":" + strconv.Itoa(int(port))
	}
	if t := str(s, "transport"); t != "" {
		text += ";" + t
	}
	return text
}

func rewriteText(r record) string { return str(r, "match") + " -> " + str(r, "with") }

type trunkListCmd struct{}

// Run lists trunks.
func (c *trunkListCmd) Run(ctx context.Context, w *world) error {
	return w.with(ctx, func(a *api) error {
		trunks, err := a.all(ctx, "/trunks", nil)
		if err != nil {
			return err
		}
		return w.table(trunks, "No trunk. Add one: roamline trunk add NAME --gateway HOST", trunkColumns...)
	})
}

type trunkShowCmd struct {
	Trunk string `arg:"" help:"Name or identifier."`
}

// Run shows a trunk.
func (c *trunkShowCmd) Run(ctx context.Context, w *world) error {
	return w.with(ctx, func(a *api) error {
		t, err := a.trunk(ctx, c.Trunk)
		if err != nil {
			return err
		}
		return w.sheet(t, field("Name", "name"), field("Enabled", "enabled"),
			column{"Gateways", func(r record) string { return each(r, "gateways", gatewayText) }},
			column{"Sources", func(r record) string { return each(r, "sources", sourceText) }},
			field("Registers", "register"), field("User name", "username"), field("Domain", "domain"), field("Advertises", "advertise"),
			field("Most calls", "maxCalls"), field("Dials", "dials"), field("Emergency", "emergency"), field("Identity in", "identity"),
			field("SRTP", "srtp"), field("Codecs", "codecs"), field("Symmetric", "symmetric"),
			column{"Numbers in", func(r record) string { return each(r, "in", rewriteText) }},
			column{"Numbers out", func(r record) string { return each(r, "out", rewriteText) }}, field("ID", "id"))
	})
}

type trunkStatusCmd struct{}

// Run shows the state of every trunk; the exit status is 1 if one is in trouble.
func (c *trunkStatusCmd) Run(ctx context.Context, w *world) error {
	trouble := false
	err := w.with(ctx, func(a *api) error {
		if !a.running {
			return &failure{why: "the server is not running", todo: "Start it with roamline serve; roamline doctor asks the gateways without it"}
		}
		all, err := a.all(ctx, "/trunks/status", nil)
		if err != nil {
			return err
		}
		for _, t := range all {
			trouble = trouble || troubleOf(t) != ""
		}
		return w.table(all, "No trunk.", field("NAME", "trunkName"), column{"STATE", func(r record) string {
			if e := troubleOf(r); e != "" {
				return e
			}
			return "well"
		}}, field("REGISTERED", "registered"), field("CALLS", "calls"), column{"GATEWAYS", func(r record) string {
			return each(r, "gateways", gatewayState)
		}}, field("SINCE", "since"))
	})
	if err == nil && trouble {
		return exitStatus(1)
	}
	return err
}

// troubleOf says why a trunk does not work; empty if it does, or if that is
// not known yet.
func troubleOf(t record) string {
	if e := str(t, "error"); e != "" {
		return e
	}
	gateways, _ := t["gateways"].([]any)
	for _, one := range gateways {
		if g, _ := one.(record); g["reachable"] == true || g["checked"] == nil {
			return ""
		}
	}
	if len(gateways) == 0 {
		return ""
	}
	return "no gateway answers"
}

func gatewayState(g record) string {
	switch {
	case g["reachable"] == true:
		return str(g, "address") + " answers in " + show(g["roundTripMs"]) + " ms"
	case g["checked"] == nil:
		return str(g, "address") + " was not asked yet"
	}
	return str(g, "address") + " does not answer"
}

// trunkFlags are what add and set have in common; a flag that is not given
// leaves its field alone.
type trunkFlags struct {
	Gateway      []string `help:"Where it is: HOST, HOST:PORT or HOST:PORT;udp|tcp|tls. Repeat it in the order to try." placeholder:"HOST"`
	Source       []string `help:"Further addresses its calls come from: PREFIX, or PREFIX;udp|tcp|tls." placeholder:"PREFIX"`
	Register     *bool    `help:"Keep a registration with the first gateway." negatable:""`
	Username     *string  `help:"For registration and digest challenges."`
	PasswordFile string   `help:"Its password is the first line of this file; - is standard input." placeholder:"FILE"`
	Domain       *string  `help:"The host part of our From. Default: the gateway's host."`
	Advertise    *string  `help:"Our address as this trunk must see it." placeholder:"ADDRESS"`
	MaxCalls     *int     `help:"Most calls at the same time; 0: no limit." placeholder:"N"`
	Dials        []string `help:"Prefixes of numbers that leave here, such as +34. Default: every number. One empty value: every number." placeholder:"PREFIX"`
	Emergency    *bool    `help:"Emergency calls leave here first." negatable:""`
	Identity     *string  `help:"Which header carries the calling number: from or pai." enum:"from,pai"`
	SRTP         *string  `name:"srtp" help:"Encrypt its voice: off, optional or required." enum:"off,optional,required"`
	Codec        []string `help:"In order: PCMA, PCMU, opus. Default: PCMA, PCMU, opus." placeholder:"NAME"`
	Symmetric    *bool    `help:"Learn where its voice comes from by its first packets (NAT)." negatable:""`
	RewriteIn    []string `help:"Change numbers that arrive: REGEXP=REPLACEMENT; the first that matches wins." placeholder:"RULE" sep:"none"`
	RewriteOut   []string `help:"Change numbers that leave." placeholder:"RULE" sep:"none"`
	Enabled      *bool    `help:"Use it." negatable:""`
}

// apply writes the given flags into a trunk.
func (f *trunkFlags) apply(t record) error {
	if f.Gateway != nil {
		gateways, err := parseAll(f.Gateway, parseGateway)
		if err != nil {
			return err
		}
		t["gateways"] = gateways
	}
	if f.Source != nil {
		sources, err := parseAll(f.Source, parseSource)
		if err != nil {
			return err
		}
		t["sources"] = sources
	}
	for name, rules := range map[string][]string{"in": f.RewriteIn, "out": f.RewriteOut} {
		if rules != nil {
			parsed, err := parseAll(rules, parseRewrite)
			if err != nil {
				return err
			}
			t[name] = parsed
		}
	}
	given(t, "register", f.Register)
	given(t, "username", f.Username)
	given(t, "domain", f.Domain)
	given(t, "advertise", f.Advertise)
	given(t, "maxCalls", f.MaxCalls)
	given(t, "emergency", f.Emergency)
	given(t, "identity", f.Identity)
	given(t, "srtp", f.SRTP)
	given(t, "symmetric", f.Symmetric)
	given(t, "enabled", f.Enabled)
	if f.Dials != nil {
		t["dials"] = filled(f.Dials)
	}
	if f.Codec != nil {
		t["codecs"] = filled(f.Codec)
	}
	return nil
}

// filled leaves out empty texts; one alone clears a list.
func filled(all []string) []string {
	kept := []string{}
	for _, s := range all {
		if s != "" {
			kept = append(kept, s)
		}
	}
	return kept
}

func parseAll(all []string, parse func(i int, s string) (record, error)) ([]record, error) {
	parsed := []record{}
	for i, s := range all {
		if s == "" {
			continue
		}
		r, err := parse(i, s)
		if err != nil {
			return nil, err
		}
		parsed = append(parsed, r)
	}
	return parsed, nil
}

func parseGateway(i int, s string) (record, error) {
	address, transport, _ := strings.Cut(s, ";")
	if transport == "" {
		transport = "udp"
	}
	host, port := address, 0
	if h, p, err := net.SplitHostPort(address); err == nil {
		n, err := strconv.ParseUint(p, 10, 16)
		if err != nil {
			return nil, badFlag("gateway", s, "sip.example.com:5060;udp")
		}
		host, port = h, int(n)
	}
	host = strings.Trim(host, "[]")
	if _, err := netip.ParseAddr(host); host == "" || err != nil && strings.ContainsAny(host, " /@:") {
		return nil, badFlag("gateway", s, "sip.example.com:5060;udp")
	}
	switch transport = strings.ToLower(transport); transport {
	case "udp", "tcp", "tls":
	default:
		return nil, badFlag("gateway", s, "sip.example.com:5060;udp")
	}
	return record{"host": host, "port": port, "transport": transport, "priority": i}, nil
}

func parseSource(_ int, s string) (record, error) {
	address, transport, _ := strings.Cut(s, ";")
	prefix, err := netip.ParsePrefix(address)
	if err != nil {
		one, err := netip.ParseAddr(strings.Trim(address, "[]"))
		if err != nil {
			return nil, badFlag("source", s, "203.0.113.0/24")
		}
		prefix = netip.PrefixFrom(one, one.BitLen())
	}
	source := record{"prefix": prefix.Masked().String(), "port": 0}
	put(source, "transport", strings.ToLower(transport))
	return source, nil
}

func parseRewrite(_ int, s string) (record, error) {
	match, with, ok := strings.Cut(s, "=")
	if !ok || match == "" {
		return nil, badFlag("rewrite", s, `'0(\d+)=+34$1'`)
	}
	return record{"match": match, "with": with}, nil
}

func badFlag(flag, value, example string) error {
	return &failure{why: fmt.Sprintf("--%s %q can't be understood", flag, value), todo: "Such as: " + example}
}

type trunkAddCmd struct {
	Name       string `arg:"" help:"Such as 'carrier'."`
	trunkFlags `embed:""`
}

// Run adds a trunk, with its password if it has one.
func (c *trunkAddCmd) Run(ctx context.Context, w *world) error {
	if len(c.Gateway) == 0 && len(c.Source) == 0 {
		return &failure{why: "a trunk needs a place where it is", todo: "Give --gateway HOST, or --source PREFIX if it only calls us"}
	}
	t := record{"name": c.Name, "enabled": true, "gateways": []record{}}
	if err := c.apply(t); err != nil {
		return err
	}
	password, err := c.password(w)
	if err != nil {
		return err
	}
	put(t, "password", password)
	return w.with(ctx, func(a *api) error {
		var made record
		if err := a.send(ctx, http.MethodPost, "/trunks", t, &made); err != nil {
			return err
		}
		return w.done(made, "Added %s (%s). See how it does: roamline trunk status", oneLine(c.Name), str(made, "id"))
	})
}

func (f *trunkFlags) password(w *world) (string, error) {
	if f.PasswordFile == "" {
		return "", nil
	}
	return w.secret("password", f.PasswordFile)
}

type trunkSetCmd struct {
	Trunk      string `arg:"" help:"Name or identifier."`
	Name       string `help:"A new name."`
	trunkFlags `embed:""`
}

// Run changes what was given and nothing else.
func (c *trunkSetCmd) Run(ctx context.Context, w *world) error {
	changes := record{}
	put(changes, "name", c.Name)
	if err := c.apply(changes); err != nil {
		return err
	}
	password, err := c.password(w)
	if err != nil {
		return err
	}
	return w.with(ctx, func(a *api) error {
		t, err := a.trunk(ctx, c.Trunk)
		if err != nil {
			return err
		}
		if password != "" {
			if err := a.send(ctx, http.MethodPut, path("/trunks", t)+"/password", record{"password": password}, nil); err != nil {
				return err
			}
		}
		if len(changes) > 0 {
			err = a.change(ctx, path("/trunks", t), func(r record) {
				for field, value := range changes {
					r[field] = value
				}
			}, &t)
			if err != nil {
				return err
			}
		}
		return w.done(t, "Changed %s. See how it does: roamline trunk status", oneLine(str(t, "name")))
	})
}

type trunkRemoveCmd struct {
	Trunk string `arg:"" help:"Name or identifier."`
}

// Run removes a trunk.
func (c *trunkRemoveCmd) Run(ctx context.Context, w *world) error {
	return w.with(ctx, func(a *api) error {
		t, err := a.trunk(ctx, c.Trunk)
		if err != nil {
			return err
		}
		if err := a.remove(ctx, path("/trunks", t)); err != nil {
			return err
		}
		return w.done(t, "Removed %s.", oneLine(str(t, "name")))
	})
}
