package voice

import (
	"net/netip"
	"testing"
)

// A far end that nominates all its pairs (aggressive nomination, RFC 5245
// section 8.1.1.2) means the one of highest priority, in whichever order the
// checks come.
func TestOfSeveralNominatedPairsTheHighestIsUsed(t *testing.T) {
	low, high := netip.MustParseAddrPort("192.0.2.1:1"), netip.MustParseAddrPort("192.0.2.2:2")
	for _, c := range []struct {
		name  string
		order []netip.AddrPort
		later int64 // ns between the two
		want  netip.AddrPort
	}{
		{"the higher is nominated later", []netip.AddrPort{low, high}, 1, high},
		{"the lower is nominated later", []netip.AddrPort{high, low}, 1, high},
		{"the higher fell silent", []netip.AddrPort{high, low}, quietStale, low},
	} {
		th := &thread{web: &socket{}}
		w := &webSide{pairs: []pair{{addr: low, priority: 1}, {addr: high, priority: 2}}}
		for _, a := range c.order {
			p := w.find(a)
			p.heard, p.asked = th.now, true
			w.choose(p, th)
			th.now += c.later
			if a == c.order[0] {
				w.find(c.order[1]).heard = th.now
			}
		}
		if w.remote != c.want {
			t.Errorf("%s: %v is used", c.name, w.remote)
		}
	}
}
