package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/roamline/roamline/config"
	"github.com/roamline/roamline/server"
)

const soonEnds = 14 * 24 * time.Hour

// checkPages says where a microphone will work: browsers give it to HTTPS and
// to loopback only.
func checkPages(_ context.Context, p *patient) []finding {
	listen := p.cfg.HTTP.Listen
	switch {
	case p.cfg.Secure():
		return []finding{ok("microphone", "the pages are HTTPS, so browsers give their microphone")}
	case listen.Addr().IsLoopback():
		return []finding{warn("microphone", "the pages are plain HTTP on loopback: only browsers on this machine reach them",
			`For others set http.listen = ":8443": HTTPS then comes by itself, and /trust says how to trust it`)}
	}
	return []finding{fail("microphone", "the pages are plain HTTP: browsers refuse the microphone", "Set a certificate, ACME hosts or http.local_authority")}
}

// checkCertificate looks at the certificate that the pages would show, or do.
func checkCertificate(ctx context.Context, p *patient) []finding {
	if !p.cfg.Secure() && !p.cfg.SIP.TLS.IsValid() {
		return nil
	}
	if byAuthority := p.cfg.HTTP.Certificate == "" && len(p.cfg.HTTP.ACME.Hosts) == 0; byAuthority && !p.running {
		if _, err := os.Lstat(filepath.Join(p.cfg.DataDir, "authority")); errors.Is(err, fs.ErrNotExist) {
			return []finding{ok("certificate", "by a local authority that the first start makes; then see /trust")}
		}
	}
	var chain []*x509.Certificate
	var err error
	if p.running && p.cfg.Secure() {
		chain, err = shownCertificate(ctx, p.cfg)
	} else {
		chain, err = ownCertificate(p.cfg)
	}
	if err != nil {
		return []finding{fail("certificate", err.Error(), "See http.certificate, http.acme and http.local_authority in the configuration")}
	}
	if len(chain) == 0 {
		return []finding{ok("certificate", "by ACME for %s, once the server runs", strings.Join(p.cfg.HTTP.ACME.Hosts, ", "))}
	}
	return judge(chain, p.cfg, p.now())
}

func judge(chain []*x509.Certificate, cfg config.Config, now time.Time) []finding {
	leaf := chain[0]
	names := append([]string(nil), leaf.DNSNames...)
	for _, ip := range leaf.IPAddresses {
		names = append(names, ip.String())
	}
	says := fmt.Sprintf("by %s for %s, until %s", leaf.Issuer.CommonName, strings.Join(names, ", "), leaf.NotAfter.Format(time.DateOnly))
	var found []finding
	switch left := leaf.NotAfter.Sub(now); {
	case now.Before(leaf.NotBefore):
		found = append(found, fail("certificate", says+": it is not valid yet", "Look at this machine's clock"))
	case left < 0:
		found = append(found, fail("certificate", says+": it has ended", "Renew it, then: systemctl reload roamline"))
	case left < soonEnds:
		found = append(found, warn("certificate", says, "Renew it, then: systemctl reload roamline"))
	default:
		found = append(found, ok("certificate", "%s", says))
	}
	for _, name := range append(append([]string(nil), cfg.HTTP.Names...), cfg.HTTP.ACME.Hosts...) {
		if leaf.VerifyHostname(name) != nil {
			found = append(found, fail("certificate", "it is not for "+name, "Get one that is, or correct http.names"))
		}
	}
	if last := chain[len(chain)-1]; last.IsCA && strings.Contains(last.Subject.CommonName, "local authority") {
		found = append(found, ok("certificate", "machines must trust the authority of SHA-256 %s (see /trust)", server.Fingerprint(last)))
	}
	return found
}

// shownCertificate asks the running server.
func shownCertificate(ctx context.Context, cfg config.Config) ([]*x509.Certificate, error) {
	at := cfg.HTTP.Listen
	if at.Addr().IsUnspecified() {
		at = netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), at.Port())
	}
	name := ""
	if len(cfg.HTTP.ACME.Hosts) > 0 {
		name = cfg.HTTP.ACME.Hosts[0]
	}
	// The certificate is looked at, not trusted: nothing is sent.
	d := tls.Dialer{NetDialer: &net.Dialer{}, Config: &tls.Config{InsecureSkipVerify: true, ServerName: name}}
	c, err := d.DialContext(ctx, "tcp", at.String())
	if err != nil {
		return nil, err
	}
	defer c.Close()
	return c.(*tls.Conn).ConnectionState().PeerCertificates, nil
}

// ownCertificate reads what a server would show if it were started now.
func ownCertificate(cfg config.Config) ([]*x509.Certificate, error) {
	if len(cfg.HTTP.ACME.Hosts) > 0 {
		return nil, nil
	}
	c, err := server.OpenCertificates(cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, err
	}
	pair, err := c.TLS().GetCertificate(&tls.ClientHelloInfo{})
	if err != nil {
		return nil, err
	}
	var chain []*x509.Certificate
	for _, der := range pair.Certificate {
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, err
		}
		chain = append(chain, cert)
	}
	return chain, nil
}

// checkAddresses looks whether the others can send voice where we say.
func checkAddresses(_ context.Context, p *patient) []finding {
	var found []finding
	own := server.InterfaceAddresses()
	for _, a := range p.cfg.Advertise {
		switch {
		case a.IsLoopback():
			found = append(found, warn("address", fmt.Sprintf("%s is advertised: only this machine can send voice there", a), "Set advertise to the address that others reach, or leave it out"))
		case a.IsPrivate() && len(own) > 0 && !contains(own, a):
			found = append(found, warn("address", fmt.Sprintf("%s is advertised, which is private and not this machine's", a), "See that it leads here from wherever trunks and people are"))
		default:
			found = append(found, ok("address", "%s is advertised; UDP %d and %d-%d of it must lead here", a, p.cfg.Voice.UDP.Port(), p.cfg.Voice.RTPPorts.First, p.cfg.Voice.RTPPorts.Last))
		}
	}
	if len(p.cfg.Advertise) > 0 {
		return found
	}
	for _, a := range own {
		if !a.IsPrivate() {
			return []finding{ok("address", "this machine has the public address %s", a)}
		}
	}
	if len(own) == 0 {
		return []finding{warn("address", "this machine has no address but loopback", "Connect it to a network, or use it with programs on this machine only")}
	}
	return []finding{warn("address", fmt.Sprintf("this machine's address is %s, behind a router: a carrier on the internet would hear nothing", own[0]),
		"If a trunk is outside, set advertise to the router's public address and forward the voice ports; if all is inside, this is right")}
}

func contains(all []netip.Addr, a netip.Addr) bool {
	for _, one := range all {
		if one == a {
			return true
		}
	}
	return false
}
