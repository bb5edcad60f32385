package media

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/srtp/v3"
	"github.com/pion/transport/v5/packetio"
)

// secure is ICE (RFC 8445), DTLS-SRTP (RFC 5764) and rtcp-mux on one UDP port,
// as a browser has it: a full agent that is always in control, because the
// server is lite.
type secure struct {
	conn        *net.UDPConn
	take        func(packet []byte, rtcp bool, at time.Time)
	foreign     func()
	ufrag, pwd  string
	cert        tls.Certificate
	fingerprint string
	can         chan struct{}
	life        context.Context
	end         context.CancelFunc
	workers     sync.WaitGroup
	records     *packetio.Buffer // DTLS records for the handshake
	ice         checks

	mu        sync.Mutex
	connected bool
	far       description
	active    bool // we send the ClientHello
	chosen    netip.AddrPort
	dtls      *dtls.Conn
	out, in   *srtp.Context
	err       error
}

func openSecure(host netip.Addr, take func([]byte, bool, time.Time), foreign func()) (path, error) {
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(host, 0)))
	if err != nil {
		return nil, fmt.Errorf("media: UDP port: %w", err)
	}
	cert, fingerprint, err := certificate()
	if err != nil {
		conn.Close()
		return nil, err
	}
	p := &secure{conn: conn, take: take, foreign: foreign, cert: cert, fingerprint: fingerprint, ufrag: token(6), pwd: token(18),
		can: make(chan struct{}), records: packetio.NewBuffer()}
	p.records.SetLimitCount(64)
	p.life, p.end = context.WithCancel(context.Background())
	p.ice.answered = make(chan netip.AddrPort, 4)
	p.workers.Go(p.read)
	return p, nil
}

func token(n int) string {
	b := make([]byte, n)
	rand.Read(b)
	return hex.EncodeToString(b)
}

// certificate makes a self-signed one, as a browser does for each call.
func certificate() (tls.Certificate, string, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, "", err
	}
	t := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, t, t, &key.PublicKey, key)
	if err != nil {
		return tls.Certificate{}, "", err
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, fingerprintOf(der), nil
}

// fingerprintOf writes a certificate's hash as RFC 8122 section 5 does.
func fingerprintOf(der []byte) string {
	sum := sha256.Sum256(der)
	part := make([]string, len(sum))
	for i, b := range sum {
		part[i] = fmt.Sprintf("%02X", b)
	}
	return "sha-256 " + strings.Join(part, ":")
}

func (p *secure) describe(d *description, offer bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	d.proto = secureProto
	d.addr = p.conn.LocalAddr().(*net.UDPAddr).AddrPort()
	d.rtcp = d.addr
	d.ufrag, d.pwd, d.fingerprint = p.ufrag, p.pwd, p.fingerprint
	d.candidates = []netip.AddrPort{d.addr}
	switch {
	case offer:
		d.setup = "actpass" // RFC 8842 section 5.2
	case p.active:
		d.setup = "active"
	default:
		d.setup = "passive"
	}
}

// connect starts ICE and DTLS at the first description; later ones must not
// change the transport.
func (p *secure) connect(far description) error {
	if far.proto != secureProto {
		return fmt.Errorf("media: the far end wants %s, not %s", far.proto, secureProto)
	}
	if far.ufrag == "" || far.pwd == "" || far.fingerprint == "" || !far.mux {
		return errors.New("media: the far end's description lacks ICE credentials, a fingerprint or rtcp-mux")
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.connected {
		if far.ufrag != p.far.ufrag || !strings.EqualFold(far.fingerprint, p.far.fingerprint) {
			return errors.New("media: the far end changed its transport within a call")
		}
		return nil
	}
	p.connected, p.far = true, far
	p.active = far.setup != "active" // RFC 5763 section 5: the answerer of actpass is active
	p.workers.Go(p.establish)
	return nil
}

func (p *secure) ready() <-chan struct{} { return p.can }

func (p *secure) broken() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err
}

// establish runs ICE, then DTLS, then opens the gate.
func (p *secure) establish() {
	ctx, cancel := context.WithTimeout(p.life, 15*time.Second)
	defer cancel()
	err := p.nominate(ctx)
	if err == nil {
		p.workers.Go(p.keepConsent)
		err = p.handshake(ctx)
	}
	if err != nil {
		p.mu.Lock()
		p.err = err
		p.mu.Unlock()
		return
	}
	close(p.can)
}

var profiles = []dtls.SRTPProtectionProfile{dtls.SRTP_AEAD_AES_128_GCM, dtls.SRTP_AES128_CM_HMAC_SHA1_80}

func (p *secure) handshake(ctx context.Context) error {
	p.mu.Lock()
	far, active := p.far, p.active
	p.mu.Unlock()
	addr := net.UDPAddrFromAddrPort(p.chosen)
	var conn *dtls.Conn
	var err error
	if active {
		conn, err = dtls.ClientWithOptions(recordConn{p}, addr, dtls.WithCertificates(p.cert), dtls.WithInsecureSkipVerify(true),
			dtls.WithSRTPProtectionProfiles(profiles...), dtls.WithFlightInterval(100*time.Millisecond))
	} else {
		conn, err = dtls.ServerWithOptions(recordConn{p}, addr, dtls.WithCertificates(p.cert), dtls.WithInsecureSkipVerify(true),
			dtls.WithSRTPProtectionProfiles(profiles...), dtls.WithClientAuth(dtls.RequireAnyClientCert))
	}
	if err != nil {
		return fmt.Errorf("media: DTLS: %w", err)
	}
	p.mu.Lock()
	p.dtls = conn
	p.mu.Unlock()
	if err := conn.HandshakeContext(ctx); err != nil {
		return fmt.Errorf("media: DTLS handshake: %w", err)
	}
	state, ok := conn.ConnectionState()
	if !ok || len(state.PeerCertificates) == 0 {
		return errors.New("media: DTLS: the far end showed no certificate")
	}
	if got := fingerprintOf(state.PeerCertificates[0]); !strings.EqualFold(got, far.fingerprint) {
		return fmt.Errorf("media: the certificate is %s, the description says %s", got, far.fingerprint)
	}
	return p.keys(conn, &state, active)
}

// keys derives the SRTP keys from the handshake (RFC 5764 section 4.2).
func (p *secure) keys(conn *dtls.Conn, state *dtls.State, active bool) error {
	profile, ok := conn.SelectedSRTPProtectionProfile()
	if !ok {
		return errors.New("media: DTLS agreed to no SRTP profile")
	}
	cfg := srtp.Config{Profile: srtp.ProtectionProfile(profile)}
	if err := cfg.ExtractSessionKeysFromDTLS(state, active); err != nil {
		return fmt.Errorf("media: SRTP keys: %w", err)
	}
	out, err := srtp.CreateContext(cfg.Keys.LocalMasterKey, cfg.Keys.LocalMasterSalt, cfg.Profile)
	if err != nil {
		return err
	}
	in, err := srtp.CreateContext(cfg.Keys.RemoteMasterKey, cfg.Keys.RemoteMasterSalt, cfg.Profile,
		srtp.SRTPReplayProtection(64), srtp.SRTCPReplayProtection(64))
	if err != nil {
		return err
	}
	p.mu.Lock()
	p.out, p.in = out, in
	p.mu.Unlock()
	return nil
}

func (p *secure) send(packet []byte, rtcp bool) (err error) {
	p.mu.Lock()
	out, to := p.out, p.chosen
	if out == nil {
		p.mu.Unlock()
		return errors.New("media: the voice path is not there yet")
	}
	var b []byte
	if rtcp {
		b, err = out.EncryptRTCP(nil, packet, nil)
	} else {
		b, err = out.EncryptRTP(nil, packet, nil)
	}
	p.mu.Unlock()
	if err != nil {
		return err
	}
	_, err = p.conn.WriteToUDPAddrPort(b, to)
	return err
}

// read tells the kinds of packets apart (RFC 7983 section 7).
func (p *secure) read() {
	buf := make([]byte, 2048)
	for {
		n, from, err := p.conn.ReadFromUDPAddrPort(buf)
		at := time.Now()
		if err != nil {
			if isClosed(err) {
				return
			}
			continue
		}
		if n == 0 {
			continue
		}
		from = netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
		switch b := buf[0]; {
		case b < 4:
			p.stun(buf[:n], from)
		case b >= 20 && b < 64:
			p.records.Write(buf[:n], packetio.Attributes{})
		case b >= 128 && b < 192:
			p.decrypt(buf[:n], from, at)
		}
	}
}

func (p *secure) decrypt(packet []byte, from netip.AddrPort, at time.Time) {
	rtcp := len(packet) > 1 && packet[1] >= 192 && packet[1] < 224 // RFC 5761 section 4
	p.mu.Lock()
	in, want := p.in, p.chosen
	if in == nil || from != want {
		p.mu.Unlock()
		if from != want {
			p.foreign()
		}
		return
	}
	var plain []byte
	var err error
	if rtcp {
		plain, err = in.DecryptRTCP(nil, packet, nil)
	} else {
		plain, err = in.DecryptRTP(nil, packet, nil)
	}
	p.mu.Unlock()
	if err != nil {
		p.foreign()
		return
	}
	p.take(plain, rtcp, at)
}

// close says goodbye as a browser does (DTLS close_notify) and frees the port.
func (p *secure) close() {
	p.end()
	p.mu.Lock()
	conn := p.dtls
	p.mu.Unlock()
	if conn != nil {
		conn.Close()
	}
	p.records.Close()
	p.conn.Close()
	p.workers.Wait()
	p.mu.Lock()
	late := p.dtls
	p.mu.Unlock()
	if late != nil && late != conn {
		late.Close()
	}
}

// recordConn is what the DTLS connection reads and writes.
type recordConn struct{ p *secure }

func (c recordConn) ReadFrom(b []byte) (int, net.Addr, error) {
	n, _, err := c.p.records.Read(b, packetio.Attributes{})
	return n, net.UDPAddrFromAddrPort(c.p.chosen), err
}

func (c recordConn) WriteTo(b []byte, _ net.Addr) (int, error) {
	return c.p.conn.WriteToUDPAddrPort(b, c.p.chosen)
}
func (c recordConn) Close() error                       { return c.p.records.Close() }
func (c recordConn) LocalAddr() net.Addr                { return c.p.conn.LocalAddr() }
func (c recordConn) SetDeadline(t time.Time) error      { return c.p.records.SetReadDeadline(t) }
func (c recordConn) SetReadDeadline(t time.Time) error  { return c.p.records.SetReadDeadline(t) }
func (c recordConn) SetWriteDeadline(_ time.Time) error { return nil }
