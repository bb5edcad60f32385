package store

import (
	"net/netip"

	"github.com/roamline/roamline"
)

// The kept forms of a trunk's lists. They have the fields of the root's types,
// and don't compile when those change: then old rows need a thought.
type (
	keptGateway struct {
		Host      string `json:"host"`
		Port      int    `json:"port,omitempty"`
		Transport string `json:"transport"`
		Priority  int    `json:"priority,omitempty"`
	}
	keptSource struct {
		Prefix    netip.Prefix `json:"prefix"`
		Port      int          `json:"port,omitempty"`
		Transport string       `json:"transport,omitempty"`
	}
	keptRewrite struct {
		Match string `json:"match"`
		With  string `json:"with"`
	}
)

func keepGateway(g roamline.Gateway) keptGateway { return keptGateway(g) }
func backGateway(g keptGateway) roamline.Gateway { return roamline.Gateway(g) }
func keepSource(s roamline.Source) keptSource    { return keptSource(s) }
func backSource(s keptSource) roamline.Source    { return roamline.Source(s) }
func keepRewrite(r roamline.Rewrite) keptRewrite { return keptRewrite(r) }
func backRewrite(r keptRewrite) roamline.Rewrite { return roamline.Rewrite(r) }

// Trunks is keyed by ID. Match looks in names, domains and user names.
func (s *Store) Trunks() roamline.Table[roamline.Trunk] {
	return table[roamline.Trunk]{
		s: s, word: "trunk", name: "trunks",
		columns: []string{"id", "name", "enabled", "gateways", "sources", "register", "username", "domain",
			"advertise", "max_calls", "rules_in", "rules_out", "dials", "emergency", "identity", "srtp", "codecs",
			"learn_rtp", "search"},
		values: func(t roamline.Trunk) (roamline.Rev, []any) {
			return t.Rev, []any{string(t.ID), t.Name, t.Enabled, encode(t.Gateways, keepGateway),
				encode(t.Sources, keepSource), t.Register, t.Username, t.Domain, t.Advertise, t.MaxCalls,
				encode(t.In, keepRewrite), encode(t.Out, keepRewrite), encode(t.Dials, same[string]), t.Emergency,
				string(t.Identity), string(t.SRTP), encode(t.Codecs, same[string]), t.Symmetric,
				fold(t.Name, t.Domain, t.Username)}
		},
		scan: func(r row) (t roamline.Trunk, err error) {
			var search string
			err = r.Scan(&t.ID, &t.Name, &t.Enabled, list[roamline.Gateway, keptGateway]{&t.Gateways, backGateway},
				list[roamline.Source, keptSource]{&t.Sources, backSource}, &t.Register, &t.Username, &t.Domain,
				&t.Advertise, &t.MaxCalls, list[roamline.Rewrite, keptRewrite]{&t.In, backRewrite},
				list[roamline.Rewrite, keptRewrite]{&t.Out, backRewrite}, list[string, string]{&t.Dials, same[string]},
				&t.Emergency, &t.Identity, &t.SRTP, list[string, string]{&t.Codecs, same[string]}, &t.Symmetric, &search, &t.Rev)
			return t, err
		},
		where: map[string]string{"name": "name"},
		match: `search LIKE ? ESCAPE '\'`,
		owns:  []roamline.SecretKind{roamline.TrunkSecret},
	}
}
