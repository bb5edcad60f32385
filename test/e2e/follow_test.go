// Package e2e tries the main job with peers that are not ours: baresip is the
// carrier, Chromium with the real page is the client.
package e2e

import (
	"net/netip"
	"testing"

	"go.uber.org/goleak"

	"github.com/roamline/roamline"
	"github.com/roamline/roamline/bus/bustest"
	"github.com/roamline/roamline/config"
	"github.com/roamline/roamline/store/storetest"
	"github.com/roamline/roamline/test/house"
	"github.com/roamline/roamline/ui"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestTheLineFollowsThePersonInARealBrowser(t *testing.T) {
	if _, built := ui.Pages(); !built {
		t.Fatal("the pages are not built: run make build first")
	}
	web := browse(t, 1000)
	for _, row := range []struct {
		rule   string
		at     string // the carrier's address; its port is chosen
		way    string // the transport of SIP
		codec  string // as baresip names it
		named  string // as we do
		change func(*config.Config)
	}{
		{"over UDP, PCMA", "127.0.0.1", "udp", "PCMA/8000/1", "PCMA", nil},
		{"over TCP, PCMU, on PostgreSQL with an outside NATS", "127.0.0.1", "tcp", "PCMU/8000/1", "PCMU", func(c *config.Config) {
			c.DatabaseURL = roamline.NewSecret(storetest.Postgres(t))
			c.NATSURL = roamline.NewSecret(bustest.Server(t))
		}},
		{"over TLS with SDES-SRTP, Opus", "127.0.0.1", "tls", "opus/48000/2", "opus", func(c *config.Config) {
			c.SIP.TLS = netip.MustParseAddrPort("127.0.0.1:0")
		}},
		{"over IPv6", "::1", "udp", "PCMA/8000/1", "PCMA", func(c *config.Config) {
			c.SIP.UDP = netip.MustParseAddrPort("[::1]:0")
		}},
	} {
		t.Run(row.rule, func(t *testing.T) {
			h := house.Start(t, row.change)
			h.AddUser("ana", "+34910000001")
			at := house.FreePortAt(t, row.at)
			h.AddTrunk("carrier", at, row.way, nil)
			far := caller(at, row.codec, "sip:+34910000001@"+h.SIP(row.way)+";transport="+row.way)
			if row.way == "tls" {
				far.account += ";mediaenc=srtp-mand"
			}
			for i, desk := range []string{"desk1", "desk2"} {
				web.do("open", command{"desk": desk, "url": h.URL()}, nil)
				h.AdmitNext(desk)
				web.do("signIn", command{"desk": desk, "name": "ana", "password": house.Password}, nil)
				web.do("connected", command{"desk": desk}, nil)
				far := start(t, far, 440)
				web.do("answer", command{"desk": desk}, nil)
				web.do("hears", command{"desk": desk, "hz": 440}, nil)
				if n := web.rings(desk); n != 1 {
					t.Errorf("%s rang %d times, not once", desk, n)
				}
				if n := web.rings("desk1"); n != 1 {
					t.Errorf("after call %d desk 1 has rung %d times, not once", i+1, n)
				}
				h.Until("baresip has listened", far.listened)
				web.do("hangUp", command{"desk": desk}, nil)
				r := h.Last(i + 1)
				far.hears(1000)
				if r.Cause != "normal" || r.EndedBy != "callee" || len(r.Legs) != 2 || r.Legs[0].Voice.Codec != row.named {
					t.Errorf("record %+v", r)
				}
			}
			h.NothingLeft()
		})
	}
}
