package server

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/roamline/roamline"
	"github.com/roamline/roamline/config"
)

func abroad(t *testing.T) config.Config {
	cfg := config.Default([]string{"HOME=" + t.TempDir()})
	cfg.DataDir = t.TempDir()
	cfg.HTTP.Listen = netip.MustParseAddrPort("0.0.0.0:8443")
	cfg.HTTP.Names = []string{"phone.example"}
	cfg.Advertise = []netip.Addr{netip.MustParseAddr("203.0.113.7")}
	return cfg
}

func shown(t *testing.T, c *Certificates, name string) *tls.Certificate {
	t.Helper()
	leaf, err := c.TLS("http/1.1").GetCertificate(&tls.ClientHelloInfo{ServerName: name})
	if err != nil {
		t.Fatal(err)
	}
	return leaf
}

func TestLocalAuthority(t *testing.T) {
	cfg := abroad(t)
	clock := time.Now()
	now := func() time.Time { return clock }
	c, err := fromAuthority(cfg, now)
	if err != nil {
		t.Fatal(err)
	}
	first := shown(t, c, "phone.example")
	roots := x509.NewCertPool()
	ca, _ := x509.ParseCertificate(first.Certificate[1])
	roots.AddCert(ca)
	for _, name := range []string{"phone.example", "203.0.113.7", "localhost", "127.0.0.1", "::1"} {
		if _, err := first.Leaf.Verify(x509.VerifyOptions{DNSName: name, Roots: roots, CurrentTime: clock}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if shown(t, c, "") != first {
		t.Error("a certificate that is good was replaced")
	}
	clock = clock.Add(leafLife - leafRenew + time.Hour)
	second := shown(t, c, "")
	if second == first {
		t.Error("a certificate near its end was not renewed")
	}
	if _, err := second.Leaf.Verify(x509.VerifyOptions{DNSName: "phone.example", Roots: roots, CurrentTime: clock}); err != nil {
		t.Errorf("the renewed one: %v", err)
	}
	again, err := fromAuthority(cfg, now)
	if err != nil || again.Source() != c.Source() {
		t.Errorf("a restart made another authority: %v", err)
	}
	for _, file := range []string{"ca.key", "ca.pem"} {
		if info, err := os.Stat(filepath.Join(cfg.DataDir, "authority", file)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v %v", file, info.Mode(), err)
		}
	}
	os.Remove(filepath.Join(cfg.DataDir, "authority", "ca.key"))
	if _, err := fromAuthority(cfg, now); err == nil {
		t.Error("an authority without its key was replaced")
	}
}

func TestAddressOfOursGetsIntoTheCertificate(t *testing.T) {
	a, err := openAuthority(t.TempDir(), "site", time.Now)
	if err != nil {
		t.Fatal(err)
	}
	l, err := tls.Listen("tcp", "127.0.0.1:0", modern(a.certificate))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		if c, err := l.Accept(); err == nil {
			c.(*tls.Conn).Handshake()
			io.Copy(io.Discard, c)
			c.Close()
		}
	}()
	roots := x509.NewCertPool()
	roots.AddCert(a.cert)
	c, err := tls.Dial("tcp", l.Addr().String(), &tls.Config{RootCAs: roots})
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
}

func TestWhereCertificatesComeFrom(t *testing.T) {
	cfg := abroad(t)
	c, err := OpenCertificates(cfg, slog.New(slog.DiscardHandler))
	if err != nil || c.Trust() == nil || c.TLS() == nil {
		t.Fatalf("beyond loopback: %v %v", c, err)
	}
	leaf := shown(t, c, "phone.example")
	cfg.HTTP.Listen = netip.MustParseAddrPort("127.0.0.1:8080")
	if c, err = OpenCertificates(cfg, slog.New(slog.DiscardHandler)); err != nil || c.TLS() != nil || c.Trust() != nil {
		t.Errorf("plain on loopback: %v %v", c, err)
	}
	cfg.SIP.TLS = netip.MustParseAddrPort("127.0.0.1:5061")
	if c, err = OpenCertificates(cfg, slog.New(slog.DiscardHandler)); err != nil || c.TLS() == nil {
		t.Errorf("SIP over TLS alone: %v %v", c, err)
	}

	cfg.HTTP.Certificate, cfg.HTTP.Key = writePair(t, leaf)
	if c, err = OpenCertificates(cfg, slog.New(slog.DiscardHandler)); err != nil || c.Trust() != nil || c.Reload() != nil {
		t.Errorf("files: %v %v", c, err)
	}
	before := shown(t, c, "")
	os.WriteFile(cfg.HTTP.Certificate, []byte("broken"), 0o600)
	if err := c.Reload(); roamline.KindOf(err) != roamline.Invalid || shown(t, c, "") != before {
		t.Errorf("a broken file replaced a good certificate: %v", err)
	}
	if _, err = OpenCertificates(cfg, slog.New(slog.DiscardHandler)); roamline.KindOf(err) != roamline.Invalid {
		t.Errorf("a broken file at the start: %v", err)
	}

	cfg.HTTP.Certificate, cfg.HTTP.Key = "", ""
	cfg.HTTP.ACME = config.ACME{Hosts: []string{"phone.example"}}
	if c, err = OpenCertificates(cfg, slog.New(slog.DiscardHandler)); err != nil || strings.Join(c.TLS("h2").NextProtos, " ") != "h2 acme-tls/1" {
		t.Errorf("ACME: %v %v", c, err)
	}
}

func writePair(t *testing.T, leaf *tls.Certificate) (cert, key string) {
	t.Helper()
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	der, err := x509.MarshalPKCS8PrivateKey(leaf.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	if err := writeNew(cert, "CERTIFICATE", leaf.Certificate[0]); err != nil {
		t.Fatal(err)
	}
	if err := writeNew(key, "PRIVATE KEY", der); err != nil {
		t.Fatal(err)
	}
	return cert, key
}

func TestTrustPage(t *testing.T) {
	a, err := openAuthority(t.TempDir(), "St. Mary's <Hospital>", time.Now)
	if err != nil {
		t.Fatal(err)
	}
	h := trustPage(a.cert, "St. Mary's <Hospital>")
	get := func(path string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		return w
	}
	page := get("/trust").Body.String()
	for _, want := range []string{"Windows", "macOS", "Linux", "Firefox", "iPhone", "Android", Fingerprint(a.cert), "&lt;Hospital&gt;"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if der := get("/trust/roamline-ca.crt").Body.Bytes(); string(der) != string(a.cert.Raw) {
		t.Error("the certificate is another")
	}
	if pem := get("/trust/roamline-ca.pem").Body.Bytes(); !x509.NewCertPool().AppendCertsFromPEM(pem) {
		t.Error("the PEM file holds no certificate")
	}
}

func TestLocalSocket(t *testing.T) {
	for name, dir := range map[string]string{"short path": t.TempDir(), "long path": filepath.Join(t.TempDir(), strings.Repeat("long/", 30))} {
		t.Run(name, func(t *testing.T) {
			release, err := Lock(dir)
			if err != nil {
				t.Fatal(err)
			}
			defer release()
			hello := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "hello") })
			stop, err := ServeLocal(dir, hello, slog.New(slog.DiscardHandler))
			if err != nil {
				t.Fatal(err)
			}
			if info, err := os.Stat(filepath.Join(dir, SocketName)); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("mode %v, %v", info.Mode(), err)
			}
			if _, err := ServeLocal(dir, hello, slog.New(slog.DiscardHandler)); err == nil {
				t.Error("a second server took the socket of a living one")
			}
			c, err := DialLocal(t.Context(), dir)
			if err != nil {
				t.Fatal(err)
			}
			io.WriteString(c, "GET / HTTP/1.0\r\n\r\n")
			if answer, _ := io.ReadAll(c); !strings.HasSuffix(string(answer), "hello") {
				t.Errorf("answered %q", answer)
			}
			c.Close()
			if err := stop(t.Context()); err != nil {
				t.Error(err)
			}
			if _, err := DialLocal(t.Context(), dir); roamline.KindOf(err) != roamline.Unavailable {
				t.Errorf("after the stop: %v", err)
			}
		})
	}
}

func TestStaleSocketIsReplacedAndNothingElse(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, SocketName)
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	l.Close() // as a crash leaves it
	stop, err := ServeLocal(dir, http.NotFoundHandler(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	stop(t.Context())
	if err := os.WriteFile(path, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ServeLocal(dir, http.NotFoundHandler(), slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), "not a socket") {
		t.Errorf("a file was taken for a socket: %v", err)
	}
}

func TestLockNamesItsHolder(t *testing.T) {
	dir := t.TempDir()
	release, err := Lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	_, err = Lock(dir)
	if roamline.KindOf(err) != roamline.Conflict || !strings.Contains(err.Error(), "process ") {
		t.Errorf("locked twice: %v", err)
	}
	release()
	again, err := Lock(dir)
	if err != nil {
		t.Fatalf("after its release: %v", err)
	}
	again()
}
