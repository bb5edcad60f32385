package sip

import (
	"net/netip"
	"testing"
	"time"
)

func TestALimiterKnowsASiteBehindNAT(t *testing.T) {
	clock := time.Unix(1, 0)
	l := newLimiter(strangerRate, strangerBurst, func() time.Time { return clock })
	site, stranger := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	for i := range 500 {
		if !l.allow(site) {
			t.Fatalf("phone %d of a site whose phones prove themselves got no answer", i)
		}
		l.proved(site)
	}
	got := 0
	for range 500 {
		if l.allow(stranger) {
			got++
		}
	}
	if got != strangerBurst {
		t.Errorf("a stranger got %d answers at once, not %d", got, strangerBurst)
	}
	clock = clock.Add(time.Second)
	if !l.ready(stranger) {
		t.Error("a stranger gets nothing a second later")
	}
}
