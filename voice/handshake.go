package voice

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"math/big"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/logging"
	"github.com/pion/srtp/v3"
	"github.com/pion/transport/v5/deadline"

	"github.com/roamline/roamline"
)

const (
	shakeLimit   = 10 * time.Second // for one handshake, waiting for its turn included
	shakesAtOnce = 32               // handshakes that compute at one time
	shakeQueue   = 32               // datagrams that wait for one handshake
	maxRepeats   = 16               // times that the last flight is sent again
	repeatGap    = int64(20 * time.Millisecond)
)

// profiles are what we offer for DTLS-SRTP, best first (RFC 5764 section
// 4.1.2, RFC 7714 section 14.2).
var profiles = []dtls.SRTPProtectionProfile{dtls.SRTP_AEAD_AES_128_GCM, dtls.SRTP_AES128_CM_HMAC_SHA1_80}

// newCertificate makes the engine's self-signed certificate (RFC 8827 section
// 6.5: P-256) and its fingerprint attribute.
func newCertificate(now time.Time) (tls.Certificate, string, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, "", err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return tls.Certificate{}, "", err
	}
	form := &x509.Certificate{SerialNumber: serial, Subject: pkix.Name{CommonName: "WebRTC"},
		NotBefore: now.Add(-24 * time.Hour), NotAfter: now.AddDate(1, 0, 0)}
	der, err := x509.CreateCertificate(rand.Reader, form, form, &key.PublicKey, key)
	if err != nil {
		return tls.Certificate{}, "", err
	}
	sum := sha256.Sum256(der)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, "sha-256 " + colons(sum[:]), nil
}

func colons(sum []byte) string {
	parts := make([]string, len(sum))
	for i, b := range sum {
		parts[i] = strings.ToUpper(hex.EncodeToString([]byte{b}))
	}
	return strings.Join(parts, ":")
}

var errFingerprint = errors.New("the certificate is not the one that was announced")

// checkFingerprint compares a certificate with a fingerprint attribute
// (RFC 8122 section 5).
func checkFingerprint(attr string, der []byte) error {
	name, want, _ := strings.Cut(strings.TrimSpace(attr), " ")
	var h hash.Hash
	switch strings.ToLower(name) {
	case "sha-256":
		h = sha256.New()
	case "sha-384":
		h = sha512.New384()
	case "sha-512":
		h = sha512.New()
	default:
		return errFingerprint
	}
	h.Write(der)
	if !strings.EqualFold(strings.TrimSpace(want), colons(h.Sum(nil))) {
		return errFingerprint
	}
	return nil
}

// A handshake is one run of DTLS: pion's, over datagrams that the media thread
// hands in, on a goroutine that ends with it. It is the net.PacketConn that
// pion sees.
type handshake struct {
	e      *Engine
	leg    *leg
	active bool
	print  string
	cancel context.CancelFunc

	in   chan []byte
	read *deadline.Deadline

	mu      sync.Mutex
	sock    *socket
	to      sockaddr
	local   netip.Addr
	muted   bool
	turned  bool     // something was read since the last write
	written [][]byte // our last flight
}

// aim sends to another address from now on.
func (h *handshake) aim(to sockaddr, local netip.Addr) {
	h.mu.Lock()
	h.to, h.local = to, local
	h.mu.Unlock()
}

func (h *handshake) ReadFrom(b []byte) (int, net.Addr, error) {
	select {
	case p := <-h.in:
		h.mu.Lock()
		h.turned = true
		h.mu.Unlock()
		return copy(b, p), farEnd, nil
	case <-h.read.Done():
		return 0, nil, context.DeadlineExceeded
	}
}

func (h *handshake) WriteTo(b []byte, _ net.Addr) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.muted {
		return len(b), nil
	}
	if h.turned {
		h.written, h.turned = nil, false
	}
	h.written = append(h.written, append([]byte(nil), b...))
	h.sock.sendFrom(b, &h.to, h.local)
	return len(b), nil
}

// farEnd stands for the address of the far end, which the thread knows and may
// change.
var farEnd net.Addr = &net.UDPAddr{}

func (h *handshake) Close() error                       { return nil }
func (h *handshake) LocalAddr() net.Addr                { return farEnd }
func (h *handshake) SetDeadline(t time.Time) error      { h.read.Set(t); return nil }
func (h *handshake) SetReadDeadline(t time.Time) error  { h.read.Set(t); return nil }
func (h *handshake) SetWriteDeadline(t time.Time) error { return nil }

// mute ends what pion sends: its close_notify would have a browser give up
// the voice.
func (h *handshake) mute() (last [][]byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.muted = true
	return h.written
}

// shakeHands starts the handshake of a leg whose address is validated.
func (t *thread) shakeHands(l *leg) {
	w := l.web
	ctx, cancel := context.WithTimeout(context.Background(), shakeLimit)
	h := &handshake{e: t.e, leg: l, active: l.media.Active, print: l.media.Fingerprint, cancel: cancel,
		in: make(chan []byte, shakeQueue), read: deadline.New(), sock: t.web, to: w.to, local: w.local}
	w.shake = h
	for _, p := range w.early {
		h.in <- p
	}
	w.early = nil
	t.e.shaking.Add(1)
	go h.run(ctx)
}

// run does the handshake and hands the keys to the leg's thread.
func (h *handshake) run(ctx context.Context) {
	defer h.e.shaking.Done()
	defer h.cancel()
	k, err := h.keys(ctx)
	h.e.onThread(h.leg, func(t *thread) {
		w := h.leg.web
		if w.shake != h {
			return // closed, or begun anew
		}
		w.shake = nil
		if err != nil {
			t.counts.shakesFailed++
			t.e.log.Warn("DTLS handshake failed", "leg", h.leg.id, "err", err)
			t.lose(h.leg, roamline.VoiceFailed)
			return
		}
		t.counts.shakes++
		w.done, h.leg.keys = true, k
		if !h.active {
			w.last.packets = h.written
		}
		t.carry(h.leg)
	})
}

// keys runs pion's handshake to its end and returns the SRTP keys.
func (h *handshake) keys(ctx context.Context) (keys, error) {
	select {
	case h.e.shakes <- struct{}{}:
		defer func() { <-h.e.shakes }()
	case <-ctx.Done():
		return keys{}, ctx.Err()
	}
	conn, err := h.conn()
	if err != nil {
		return keys{}, err
	}
	err = conn.HandshakeContext(ctx)
	if err != nil {
		conn.Close()
		h.mute()
		return keys{}, err
	}
	h.mute()
	defer conn.Close()
	p, ok := conn.SelectedSRTPProtectionProfile()
	state, known := conn.ConnectionState()
	if !ok || !known {
		return keys{}, errors.New("no SRTP profile agreed")
	}
	c := srtp.Config{Profile: srtp.ProtectionProfile(p)}
	if err := c.ExtractSessionKeysFromDTLS(&state, h.active); err != nil {
		return keys{}, err
	}
	var k keys
	if k.out, err = newCryptor(c.Keys.LocalMasterKey, c.Keys.LocalMasterSalt, c.Profile); err != nil {
		return keys{}, err
	}
	if k.in, err = newCryptor(c.Keys.RemoteMasterKey, c.Keys.RemoteMasterSalt, c.Profile); err != nil {
		return keys{}, err
	}
	return k, nil
}

func (h *handshake) conn() (*dtls.Conn, error) {
	both := []dtls.Option{
		dtls.WithCertificates(h.e.cert),
		dtls.WithSRTPProtectionProfiles(profiles...),
		dtls.WithExtendedMasterSecret(dtls.RequestExtendedMasterSecret),
		// The certificate is self-signed: its fingerprint in the description is
		// what counts (RFC 8827 section 6.5).
		dtls.WithInsecureSkipVerify(true),
		dtls.WithVerifyPeerCertificate(func(raw [][]byte, _ [][]*x509.Certificate) error {
			if len(raw) == 0 {
				return errFingerprint
			}
			return checkFingerprint(h.print, raw[0])
		}),
		dtls.WithFlightInterval(200 * time.Millisecond),
		dtls.WithLoggerFactory(&logging.DefaultLoggerFactory{Writer: io.Discard, DefaultLogLevel: logging.LogLevelDisabled}),
	}
	if h.active {
		var client []dtls.ClientOption
		for _, o := range both {
			client = append(client, o)
		}
		return dtls.ClientWithOptions(h, farEnd, client...)
	}
	// ICE has shown that the address is the far end's: a cookie would only cost a
	// round trip (RFC 6347 section 4.2.1).
	server := []dtls.ServerOption{dtls.WithClientAuth(dtls.RequireAnyClientCert), dtls.WithInsecureSkipVerifyHello(true)}
	for _, o := range both {
		server = append(server, o)
	}
	return dtls.ServerWithOptions(h, farEnd, server...)
}

// dtlsIn takes a DTLS datagram from a validated address.
func (l *leg) dtlsIn(t *thread, b []byte) {
	w := l.web
	switch {
	case w.shake != nil:
		select {
		case w.shake.in <- append([]byte(nil), b...):
		default:
			t.discard(l) // it will come again
		}
	case w.done:
		w.last.repeat(t, l, b)
	case len(w.early) < maxEarly && !l.gone:
		w.early = append(w.early, append([]byte(nil), b...))
		t.advance(l)
	default:
		t.discard(l)
	}
}

// advance begins the handshake as soon as it can: the description is known, an
// address is nominated, and it is our turn or the far end's hello is here.
func (t *thread) advance(l *leg) {
	w := l.web
	if !l.connected || !w.nominated || l.gone {
		return
	}
	if !w.done && w.shake == nil && (l.media.Active || len(w.early) > 0) {
		t.shakeHands(l)
	}
}

// A lastFlight answers a far end that did not get our Finished and repeats its
// own (RFC 6347 section 4.2.4), after all else of the handshake was dropped.
// The same records are sent again: who has them already ignores them.
type lastFlight struct {
	packets [][]byte
	times   int
	at      int64
}

func (f *lastFlight) repeat(t *thread, l *leg, b []byte) {
	if !asksAgain(b) || len(f.packets) == 0 || f.times == maxRepeats || t.now-f.at < repeatGap {
		t.counts.discarded++
		return
	}
	f.times++
	f.at = t.now
	for _, p := range f.packets {
		t.io.put(len(append(t.io.buffer(), p...)), &l.web.to, l.web.local)
	}
}

// asksAgain reports whether the datagram has a handshake or ChangeCipherSpec
// record (RFC 6347 section 4.1).
func asksAgain(b []byte) bool {
	for len(b) >= 13 {
		if b[0] == 20 || b[0] == 22 {
			return true
		}
		n := 13 + int(b[11])<<8 + int(b[12])
		if n > len(b) {
			return false
		}
		b = b[n:]
	}
	return false
}
