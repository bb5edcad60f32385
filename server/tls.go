package server

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/caddyserver/certmagic"
	"github.com/mholt/acmez/v3"
	"go.uber.org/zap"

	"github.com/roamline/roamline"
	"github.com/roamline/roamline/config"
)

// Certificates are what the HTTPS and SIP over TLS doors prove themselves by:
// files, ACME, or the local authority, as the configuration chooses.
type Certificates struct {
	source string
	tls    *tls.Config // nil: none
	trust  http.Handler
	reload func() error
	keep   func(context.Context) error
}

// OpenCertificates prepares the certificates that cfg asks for; it opens no
// port. Where the pages are on loopback without a certificate and SIP over TLS
// is closed there are none, and TLS returns nil.
//
// Errors: Invalid if a file is wrong, Internal if the authority can't be read
// or made.
func OpenCertificates(cfg config.Config, log *slog.Logger) (*Certificates, error) {
	switch {
	case cfg.HTTP.Certificate != "":
		return fromFiles(cfg.HTTP.Certificate, cfg.HTTP.Key)
	case len(cfg.HTTP.ACME.Hosts) > 0:
		return fromACME(cfg, log), nil
	case cfg.Secure() || cfg.SIP.TLS.IsValid():
		return fromAuthority(cfg, time.Now)
	}
	return &Certificates{source: "none: plain HTTP on loopback"}, nil
}

// Source says where the certificates come from, for the log.
func (c *Certificates) Source() string { return c.source }

// TLS returns a fresh configuration for a server that speaks the given
// application protocols (RFC 7301); nil if there are no certificates.
func (c *Certificates) TLS(protocols ...string) *tls.Config {
	if c.tls == nil {
		return nil
	}
	t := c.tls.Clone()
	t.NextProtos = append(protocols, t.NextProtos...)
	return t
}

// Trust serves /trust, where people get the local authority's certificate; nil
// if there is no such authority.
func (c *Certificates) Trust() http.Handler { return c.trust }

// Reload reads certificate files again (SIGHUP). If they are wrong the old ones
// stay in use and the error says why. Other sources have nothing to read.
func (c *Certificates) Reload() error {
	if c.reload == nil {
		return nil
	}
	return c.reload()
}

// Keep gets and renews certificates by ACME until ctx ends; call it once, after
// http.listen is open, because the authority's challenge arrives there. Other
// sources have nothing to do.
func (c *Certificates) Keep(ctx context.Context) error {
	if c.keep == nil {
		return nil
	}
	return c.keep(ctx)
}

func fromFiles(certFile, keyFile string) (*Certificates, error) {
	var now atomic.Pointer[tls.Certificate]
	load := func() error {
		pair, err := tls.LoadX509KeyPair(certFile, keyFile)
		if err != nil {
			return &roamline.Error{Op: "server certificate", Kind: roamline.Invalid, Of: certFile, Err: err}
		}
		now.Store(&pair)
		return nil
	}
	if err := load(); err != nil {
		return nil, err
	}
	get := func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return now.Load(), nil }
	return &Certificates{source: "files: " + certFile, tls: modern(get), reload: load}, nil
}

// modern is what all our TLS doors have in common: 1.2 with forward secrecy
// and authenticated ciphers, or 1.3 (RFC 9325 section 4.2). Phones still need 1.2.
func modern(get func(*tls.ClientHelloInfo) (*tls.Certificate, error)) *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: get, CipherSuites: []uint16{
		tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
		tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
		tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
	}}
}

// fromACME answers the challenge on http.listen itself (tls-alpn-01, RFC 8737),
// so that no further port is opened.
func fromACME(cfg config.Config, log *slog.Logger) *Certificates {
	var magic *certmagic.Config
	cache := certmagic.NewCache(certmagic.CacheOptions{
		GetConfigForCert: func(certmagic.Certificate) (*certmagic.Config, error) { return magic, nil },
		Logger:           zap.NewNop(), // what matters is logged by OnEvent
	})
	magic = certmagic.New(cache, certmagic.Config{
		Logger:  zap.NewNop(),
		Storage: &certmagic.FileStorage{Path: filepath.Join(cfg.DataDir, "acme")},
		OnEvent: func(_ context.Context, event string, data map[string]any) error {
			switch event {
			case "cert_obtained":
				log.Info("certificate obtained", "name", data["identifier"])
			case "cert_failed":
				log.Error("certificate not obtained", "name", data["identifier"], "error", data["error"])
			}
			return nil
		},
	})
	magic.Issuers = []certmagic.Issuer{certmagic.NewACMEIssuer(magic, certmagic.ACMEIssuer{
		CA: directory(cfg.HTTP.ACME.Directory), Email: cfg.HTTP.ACME.Email, Agreed: true,
		Logger: zap.NewNop(), DisableHTTPChallenge: true, AltTLSALPNPort: int(cfg.HTTP.Listen.Port()),
	})}
	t := modern(magic.GetCertificate)
	t.NextProtos = []string{acmez.ACMETLS1Protocol}
	return &Certificates{source: "ACME: " + strings.Join(cfg.HTTP.ACME.Hosts, ", "), tls: t, keep: func(ctx context.Context) error {
		err := magic.ManageAsync(ctx, cfg.HTTP.ACME.Hosts)
		if err != nil {
			return &roamline.Error{Op: "server ACME", Kind: roamline.Unavailable, Err: err}
		}
		<-ctx.Done()
		cache.Stop()
		return nil
	}}
}

func directory(url string) string {
	if url == "" {
		return certmagic.LetsEncryptProductionCA
	}
	return url
}

func fromAuthority(cfg config.Config, now func() time.Time) (*Certificates, error) {
	a, err := openAuthority(filepath.Join(cfg.DataDir, "authority"), cfg.Site.Name, now)
	if err != nil {
		return nil, err
	}
	a.cover(OwnNames(cfg)...)
	return &Certificates{source: "local authority, SHA-256 " + Fingerprint(a.cert), tls: modern(a.certificate), trust: trustPage(a.cert, cfg.Site.Name)}, nil
}

// OwnNames returns the names and addresses by which cfg's server may be
// opened: the configured ones, the advertised ones, and the machine's own.
func OwnNames(cfg config.Config) []string {
	names := append([]string(nil), cfg.HTTP.Names...)
	for _, a := range cfg.Advertise {
		names = append(names, a.String())
	}
	if host, err := os.Hostname(); err == nil {
		names = append(names, strings.ToLower(host))
	}
	names = append(names, "localhost", "127.0.0.1", "::1")
	for _, listen := range []netip.AddrPort{cfg.HTTP.Listen, cfg.SIP.TLS} {
		if listen.IsValid() && !listen.Addr().IsUnspecified() {
			names = append(names, listen.Addr().WithZone("").String())
		}
	}
	for _, ip := range InterfaceAddresses() {
		names = append(names, ip.String())
	}
	return names
}

// InterfaceAddresses returns the machine's addresses that others can use.
func InterfaceAddresses() []netip.Addr {
	all, err := net.InterfaceAddrs()
	if err != nil {
		return nil // the certificate is then made for the address that is used
	}
	var found []netip.Addr
	for _, a := range all {
		p, err := netip.ParsePrefix(a.String())
		if err == nil && !p.Addr().IsLoopback() && !p.Addr().IsLinkLocalUnicast() {
			found = append(found, p.Addr().Unmap())
		}
	}
	return found
}

// Fingerprint returns the SHA-256 of a certificate, as people compare it: pairs
// of hexadecimal digits.
func Fingerprint(cert *x509.Certificate) string {
	return fmt.Sprintf("% X", sum(cert.Raw))
}
