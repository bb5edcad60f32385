package voice

import (
	"log/slog"
	"net/netip"
	"testing"
	"time"

	"github.com/roamline/roamline"
)

// A browser that never sends a check is given up: soon where somebody waits
// for it, late where it may not have our description yet.
func TestIceThatNeverComes(t *testing.T) {
	for _, c := range []struct {
		name   string
		joined bool
		after  time.Duration
		gone   bool
	}{
		{"joined, within 10 s", true, 9 * time.Second, false},
		{"joined, after 10 s", true, 11 * time.Second, true},
		{"not joined, after 50 s", false, 50 * time.Second, false},
		{"not joined, after a minute", false, 61 * time.Second, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			events := make(chan roamline.Event, 8)
			e, err := New(Options{Sink: func(ev roamline.Event) { events <- ev }, Sounds: noSounds{}, Threads: 1,
				BrowserUDP: netip.MustParseAddrPort("127.0.0.1:0"), PortLow: 32000, PortHigh: 32999, Log: slog.New(slog.DiscardHandler)})
			if err != nil {
				t.Fatal(err)
			}
			defer e.Shutdown()
			m := roamline.Media{Codec: roamline.PCMU, Transport: roamline.DTLS, Ufrag: "u", Fingerprint: "sha-256 00"}
			path := roamline.Path{Remote: netip.MustParseAddrPort("127.0.0.1:9")}
			for _, id := range []roamline.LegID{"web", "other"} {
				if _, err := e.Open(id, path, roamline.DTLS); err != nil {
					t.Fatal(err)
				}
			}
			if err := e.Connect("web", m); err != nil {
				t.Fatal(err)
			}
			if c.joined {
				if err := e.Join("web", "other"); err != nil {
					t.Fatal(err)
				}
			}
			l := e.legs["web"]
			th := l.control.thread
			gone := false
			th.do(func() {
				th.guard(l, l.flowing+int64(c.after))
				gone = l.gone
			})
			if gone != c.gone {
				t.Fatalf("given up: %v", gone)
			}
			if c.gone {
				if g, ok := (<-events).(roamline.VoiceGone); !ok || g.Cause != roamline.VoiceFailed {
					t.Errorf("event %v", g)
				}
			}
		})
	}
}
