package server

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/roamline/roamline"
)

const (
	authorityLife = 10 * 365 * 24 * time.Hour
	leafLife      = 90 * 24 * time.Hour // browsers and phones refuse long ones; it renews itself
	leafRenew     = leafLife / 3        // left when a new one is made
	clockSlack    = time.Hour           // a client's clock may be late by so much
	maxLeafNames  = 100
)

// An authority is the server's own certificate authority: its key never
// leaves the data folder, its certificate is what machines are told to trust.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	now  func() time.Time

	mu    sync.Mutex
	names []string // what the leaf is for
	leaf  *tls.Certificate
}

// openAuthority reads the authority in dir, or makes one there. A part of one
// is an error and never replaced: machines trust the old one.
func openAuthority(dir, site string, now func() time.Time) (*authority, error) {
	certFile, keyFile := filepath.Join(dir, "ca.pem"), filepath.Join(dir, "ca.key")
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	if errors.Is(err, fs.ErrNotExist) && missing(certFile) && missing(keyFile) {
		if err := makeAuthority(dir, certFile, keyFile, site, now()); err != nil {
			return nil, authorityError(dir, err)
		}
		pair, err = tls.LoadX509KeyPair(certFile, keyFile)
	}
	if err != nil {
		return nil, authorityError(dir, err)
	}
	key, ok := pair.PrivateKey.(*ecdsa.PrivateKey)
	if !ok || !pair.Leaf.IsCA {
		return nil, authorityError(dir, errors.New("ca.pem is no authority made by this server"))
	}
	if now().After(pair.Leaf.NotAfter) {
		return nil, authorityError(dir, fmt.Errorf("it ended on %s; move the folder away, and a new one is made, which every machine must be told to trust", pair.Leaf.NotAfter.Format(time.DateOnly)))
	}
	return &authority{cert: pair.Leaf, key: key, now: now}, nil
}

func authorityError(dir string, err error) error {
	return &roamline.Error{Op: "server local authority", Kind: roamline.Internal, Of: dir, Err: err}
}

func missing(path string) bool {
	_, err := os.Lstat(path)
	return errors.Is(err, fs.ErrNotExist)
}

func makeAuthority(dir, certFile, keyFile, site string, now time.Time) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	// It may certify servers only, and no further authority: whoever steals the
	// key can't sign programs or mail (RFC 5280 sections 4.2.1.9 and 4.2.1.12).
	template := &x509.Certificate{
		SerialNumber: serial(),
		Subject:      pkix.Name{Organization: []string{"Roamline"}, CommonName: site + " local authority, made " + now.Format(time.DateOnly)},
		NotBefore:    now.Add(-clockSlack), NotAfter: now.Add(authorityLife),
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true,
		KeyUsage: x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return err
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if err := writeNew(keyFile, "PRIVATE KEY", pkcs8); err != nil {
		return err
	}
	return writeNew(certFile, "CERTIFICATE", der)
}

// writeNew writes a PEM file that only we may read, whole or not at all.
func writeNew(path, kind string, der []byte) error {
	f, err := os.OpenFile(path+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	err = errors.Join(pem.Encode(f, &pem.Block{Type: kind, Bytes: der}), f.Sync(), f.Close())
	if err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

func serial() *big.Int {
	n, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 126))
	if err != nil {
		panic(err) // crypto/rand never fails
	}
	return n.Add(n, big.NewInt(1))
}

// cover adds names and addresses that the leaf must be for; beyond
// maxLeafNames they are dropped.
func (a *authority) cover(names ...string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, n := range names {
		if n != "" && !slices.Contains(a.names, n) && len(a.names) < maxLeafNames {
			a.names = append(a.names, n)
			a.leaf = nil
		}
	}
}

// certificate is a tls.Config's GetCertificate. An address of our own that is
// not yet in the certificate, such as one that DHCP gave since the start, gets
// in.
func (a *authority) certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	if hello.Conn != nil {
		if at, err := netip.ParseAddrPort(hello.Conn.LocalAddr().String()); err == nil {
			a.cover(at.Addr().Unmap().WithZone("").String())
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.leaf == nil || a.leaf.Leaf.NotAfter.Sub(a.now()) < leafRenew {
		leaf, err := a.sign(a.names)
		if err != nil {
			return nil, authorityError("", err)
		}
		a.leaf = leaf
	}
	return a.leaf, nil
}

func (a *authority) sign(names []string) (*tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	now := a.now()
	end := now.Add(leafLife)
	if end.After(a.cert.NotAfter) {
		end = a.cert.NotAfter
	}
	template := &x509.Certificate{
		SerialNumber: serial(), Subject: pkix.Name{Organization: []string{"Roamline"}},
		NotBefore: now.Add(-clockSlack), NotAfter: end,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
	}
	for _, n := range names {
		if ip := net.ParseIP(n); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, n)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key)
	if err != nil {
		return nil, err
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	return &tls.Certificate{Certificate: [][]byte{der, a.cert.Raw}, PrivateKey: key, Leaf: leaf}, nil
}
