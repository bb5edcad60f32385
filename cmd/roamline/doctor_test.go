package main

import (
	"context"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/roamline/roamline/config"
)

// gateway answers every datagram with one line.
func gateway(t *testing.T, answer string) (port int) {
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	go func() {
		b := make([]byte, 2048)
		for {
			_, from, err := c.ReadFrom(b)
			if err != nil {
				return
			}
			io.WriteString(writer{c, from}, answer)
		}
	}()
	return c.LocalAddr().(*net.UDPAddr).Port
}

type writer struct {
	net.PacketConn
	to net.Addr
}

func (w writer) Write(b []byte) (int, error) { return w.WriteTo(b, w.to) }

func TestDoctorOfARunningServer(t *testing.T) {
	port := gateway(t, "SIP/2.0 405 Method Not Allowed\r\n\r\n")
	s := newSite(t, map[string]string{
		"GET /users":         `{"items":[{"id":"u_1"}]}`,
		"GET /trunks":        fmt.Sprintf(`{"items":[{"name":"carrier","enabled":true,"emergency":true,"gateways":[{"host":"127.0.0.1","port":%d,"transport":"udp"}]}]}`, port),
		"GET /trunks/status": `{"items":[{"trunkName":"carrier","error":"the password is refused"}]}`,
	})
	out, _, code := s.command("", "doctor", "--json")
	var found []finding
	if err := json.Unmarshal([]byte(out), &found); err != nil {
		t.Fatal(err, out)
	}
	if code != 1 {
		t.Errorf("a refused trunk is no failure: status %d", code)
	}
	for _, want := range []struct{ verdict, says string }{
		{"ok", "405 Method Not Allowed"}, {"fail", "carrier: the password is refused"}, {"ok", "112, 911 leave by carrier"},
		{"ok", "SQLite in the data folder: reached"}, {"ok", "it runs and answers"}, {"warn", "numbers without a plus"},
	} {
		if !has(found, want.verdict, want.says) {
			t.Errorf("no %s: %s in\n%s", want.verdict, want.says, out)
		}
	}
	for _, f := range found {
		if (f.Verdict == "ok") != (f.Mend == "") {
			t.Errorf("%+v: a remedy belongs to what is not right, and to nothing else", f)
		}
	}
}

func has(found []finding, verdict, says string) bool {
	for _, f := range found {
		if f.Verdict == verdict && strings.Contains(f.Says, says) {
			return true
		}
	}
	return false
}

func TestAGatewayThatIsNone(t *testing.T) {
	f := checkGateway(t.Context(), "carrier", record{"host": "127.0.0.1", "port": float64(gateway(t, "HTTP/1.1 400\r\n")), "transport": "udp"})
	if f.Verdict != "fail" || !strings.Contains(f.Says, "does not speak SIP") {
		t.Errorf("%+v", f)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if f := checkGateway(ctx, "carrier", record{"host": "127.0.0.1", "transport": "tcp"}); f.Verdict != "fail" {
		t.Errorf("%+v", f)
	}
}

func TestATakenPortNamesItsHolder(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	at := netip.MustParseAddrPort(l.Addr().String())
	f := checkPort(t.Context(), false, "sip.tcp", "tcp", at)
	if f.Verdict != "fail" || !strings.Contains(f.Says, "roamline.test ") {
		t.Errorf("%+v", f)
	}
	l.Close()
	if f := checkPort(t.Context(), false, "sip.tcp", "tcp", at); f.Verdict != "ok" {
		t.Errorf("%+v", f)
	}
	if f := checkPort(t.Context(), true, "sip.tcp", "tcp", at); f.Verdict != "fail" {
		t.Errorf("a running server without its port: %+v", f)
	}
	if f := checkPort(t.Context(), false, "sip.tcp", "tcp", netip.MustParseAddrPort("192.0.2.77:1")); f.Verdict != "fail" || !strings.Contains(f.Says, "no such address") {
		t.Errorf("%+v", f)
	}
}

func TestCertificatesAreJudged(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	cert := func(from, to time.Duration) []*x509.Certificate {
		return []*x509.Certificate{{NotBefore: now.Add(from), NotAfter: now.Add(to), DNSNames: []string{"phone.example"}, Issuer: pkix.Name{CommonName: "CA"}}}
	}
	for name, row := range map[string]struct {
		chain   []*x509.Certificate
		names   []string
		verdict string
	}{
		"good":          {cert(-time.Hour, 1000*time.Hour), []string{"phone.example"}, "ok"},
		"near its end":  {cert(-time.Hour, 24*time.Hour), nil, "warn"},
		"ended":         {cert(-2*time.Hour, -time.Hour), nil, "fail"},
		"not yet valid": {cert(time.Hour, 1000*time.Hour), nil, "fail"},
		"another name":  {cert(-time.Hour, 1000*time.Hour), []string{"other.example"}, "fail"},
	} {
		var cfg config.Config
		cfg.HTTP.Names = row.names
		found := judge(row.chain, cfg, now)
		if !has(found, row.verdict, "") {
			t.Errorf("%s: %+v", name, found)
		}
	}
}

func TestADataFolderThatOthersRead(t *testing.T) {
	dir := t.TempDir() // mode 0755
	if found := checkFolder(dir); found[0].Verdict != "fail" || !strings.Contains(found[0].Mend, "chmod 700") {
		t.Errorf("%+v", found)
	}
	if found := checkFolder(dir + "/none"); found[0].Verdict != "ok" {
		t.Errorf("%+v", found)
	}
}
