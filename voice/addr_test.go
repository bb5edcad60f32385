package voice_test

import (
	"net/netip"
	"testing"

	"github.com/roamline/roamline"
	"github.com/roamline/roamline/voice"
)

func addrPort(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }

func addrPortOf(a netip.AddrPort, port uint16) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr(), port)
}

func TestAddressAsSeenByTheFarEnd(t *testing.T) {
	s := open(t, func(o *voice.Options) {
		o.Advertise = []netip.Addr{netip.MustParseAddr("203.0.113.5"), netip.MustParseAddr("2001:db8::5")}
		o.LocalNetworks = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	})
	for _, c := range []struct {
		name string
		path roamline.Path
		want string
	}{
		{"the path's own", roamline.Path{Remote: addrPort("198.51.100.1:5060"), Advertise: "192.0.2.9"}, "192.0.2.9"},
		{"the site's, for a far end outside", roamline.Path{Remote: addrPort("198.51.100.1:5060")}, "203.0.113.5"},
		{"of the far end's family", roamline.Path{Remote: addrPort("[2001:db8:1::1]:5060")}, "2001:db8::5"},
		{"ours towards this machine", roamline.Path{Remote: addrPort("127.0.0.1:5060")}, "127.0.0.1"},
	} {
		end, err := s.Open(roamline.LegID(c.name), c.path, roamline.RTP)
		if err != nil || end.Addr.Addr().String() != c.want {
			t.Errorf("%s: %v, %v; want %s", c.name, end.Addr, err, c.want)
		}
	}
	if _, err := s.Open("bad", roamline.Path{Advertise: "my house"}, roamline.RTP); roamline.KindOf(err) != roamline.Invalid {
		t.Errorf("no address: %v", err)
	}
	end := must[roamline.Endpoint](t)(s.Open("web", roamline.Path{Remote: addrPort("198.51.100.1:443")}, roamline.DTLS))
	if end.Addr != addrPortOf(addrPort("203.0.113.5:1"), s.BrowserAddr().Port()) {
		t.Errorf("browser's address %v", end.Addr)
	}
}

func TestPortsAreBoundedAndComeBack(t *testing.T) {
	s := open(t, func(o *voice.Options) { o.PortLow, o.PortHigh = 31501, 31507 })
	path := roamline.Path{Remote: addrPort("127.0.0.1:5060")}
	for _, id := range []roamline.LegID{"1", "2", "3"} {
		end := must[roamline.Endpoint](t)(s.Open(id, path, roamline.RTP))
		if p := end.Addr.Port(); p%2 != 0 || p < 31502 || p > 31506 {
			t.Errorf("port %d", p)
		}
	}
	if _, err := s.Open("4", path, roamline.RTP); roamline.KindOf(err) != roamline.Exhausted {
		t.Errorf("fourth: %v", err)
	}
	must[roamline.Figures](t)(s.Close("2"))
	must[roamline.Endpoint](t)(s.Open("4", path, roamline.RTP))
}
