package voice_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"log/slog"
	"math/big"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"
	"github.com/pion/stun/v4"
	"github.com/pion/transport/v5/deadline"

	"github.com/roamline/roamline"
	"github.com/roamline/roamline/voice"
	"github.com/roamline/roamline/voice/sound"
)

const patience = 5 * time.Second

var loopback = netip.MustParseAddrPort("127.0.0.1:0")

// library is the sounds of all tests: making it takes long.
var library = sync.OnceValues(sound.New)

// A site is an engine with a place where its events arrive.
type site struct {
	*voice.Engine
	t      *testing.T
	mu     sync.Mutex
	events []roamline.Event
	more   chan struct{}
}

func open(t *testing.T, change ...func(*voice.Options)) *site {
	t.Helper()
	sounds, err := library()
	if err != nil {
		t.Fatal(err)
	}
	s := &site{t: t, more: make(chan struct{}, 1)}
	o := voice.Options{Sink: s.take, Sounds: sounds, BrowserUDP: loopback, PortLow: 31000, PortHigh: 31999, Threads: 1, Log: slog.New(slog.DiscardHandler)}
	for _, f := range change {
		f(&o)
	}
	if s.Engine, err = voice.New(o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Shutdown)
	return s
}

func (s *site) take(e roamline.Event) {
	s.mu.Lock()
	s.events = append(s.events, e)
	s.mu.Unlock()
	select {
	case s.more <- struct{}{}:
	default:
	}
}

// await waits for an event that fits.
func (s *site) await(what string, fits func(roamline.Event) bool) {
	s.t.Helper()
	end := time.After(patience)
	for {
		s.mu.Lock()
		for _, e := range s.events {
			if fits(e) {
				s.mu.Unlock()
				return
			}
		}
		s.mu.Unlock()
		select {
		case <-s.more:
		case <-end:
			s.t.Fatalf("no %s", what)
		}
	}
}

func (s *site) awaitReady(id roamline.LegID) {
	s.t.Helper()
	s.await("VoiceReady of "+string(id), func(e roamline.Event) bool {
		r, ok := e.(roamline.VoiceReady)
		return ok && r.Leg == id
	})
}

func (s *site) saw(fits func(roamline.Event) bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.events {
		if fits(e) {
			return true
		}
	}
	return false
}

func must[T any](t *testing.T) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// A phone is a far end with a UDP port: plain, or with SRTP contexts.
type phone struct {
	t       *testing.T
	c, rtcp *net.UDPConn
	to      netip.AddrPort // the engine's port
	out, in *srtp.Context
	ssrc    uint32
	seq     uint16
	ts      uint32
}

// newPhone opens a pair of an even port and the next.
func newPhone(t *testing.T) *phone {
	t.Helper()
	return newPhoneAt(t, loopback.Addr())
}

func newPhoneAt(t *testing.T, ip netip.Addr) *phone {
	t.Helper()
	for range 100 {
		c, err := net.ListenUDP("udp", &net.UDPAddr{IP: ip.AsSlice()})
		ok(t, err)
		port := c.LocalAddr().(*net.UDPAddr).Port
		if port%2 == 0 {
			if d, err := net.ListenUDP("udp", &net.UDPAddr{IP: ip.AsSlice(), Port: port + 1}); err == nil {
				t.Cleanup(func() { c.Close(); d.Close() })
				return &phone{t: t, c: c, rtcp: d, ssrc: 0x1111, seq: 1000, ts: 5000}
			}
		}
		c.Close()
	}
	t.Fatal("no pair of ports")
	return nil
}

func (p *phone) addr() netip.AddrPort { return p.c.LocalAddr().(*net.UDPAddr).AddrPort() }
func (p *phone) ctl() netip.AddrPort  { return p.rtcp.LocalAddr().(*net.UDPAddr).AddrPort() }

// media is what a description of this phone would agree to.
func (p *phone) media(c roamline.Codec) roamline.Media {
	te := roamline.DTMF8
	if c.Rate == 48000 {
		te = roamline.DTMF
	}
	return roamline.Media{Codec: c, Receive: c.Payload, DTMF: &te, ReceiveTE: te.Payload, Direction: roamline.SendRecv,
		Transport: roamline.RTP, Remote: p.addr(), RTCP: p.ctl()}
}

// call opens, connects and returns a plain leg.
func (s *site) call(id roamline.LegID, p *phone, c roamline.Codec) roamline.Endpoint {
	s.t.Helper()
	end, err := s.Open(id, roamline.Path{Remote: p.addr()}, roamline.RTP)
	ok(s.t, err)
	p.to = end.Addr
	ok(s.t, s.Connect(id, p.media(c)))
	s.awaitReady(id)
	return end
}

// say sends the next packet with a payload.
func (p *phone) say(payload []byte, pt uint8) { p.packet(rtp.Header{PayloadType: pt}, payload, 160) }

func (p *phone) packet(h rtp.Header, payload []byte, step uint32) {
	p.t.Helper()
	h.Version, h.SSRC, h.SequenceNumber, h.Timestamp = 2, p.ssrc, p.seq, p.ts
	p.seq++
	p.ts += step
	b := must[[]byte](p.t)((&rtp.Packet{Header: h, Payload: payload}).Marshal())
	if p.out != nil {
		b = must[[]byte](p.t)(p.out.EncryptRTP(nil, b, nil))
	}
	p.raw(b)
}

func (p *phone) raw(b []byte) {
	p.t.Helper()
	must[int](p.t)(p.c.WriteToUDPAddrPort(b, p.to))
}

// hear returns the next RTP packet that comes.
func (p *phone) hear() *rtp.Packet {
	p.t.Helper()
	q, err := p.listen(patience)
	ok(p.t, err)
	return q
}

func (p *phone) listen(d time.Duration) (*rtp.Packet, error) {
	b := make([]byte, 2048)
	p.c.SetReadDeadline(time.Now().Add(d))
	for {
		n, err := p.c.Read(b)
		if err != nil {
			return nil, err
		}
		if n < 12 || b[1] >= 192 && b[1] <= 223 {
			continue
		}
		plain := b[:n]
		if p.in != nil {
			if plain, err = p.in.DecryptRTP(nil, b[:n], nil); err != nil {
				return nil, err
			}
		}
		q := &rtp.Packet{}
		return q, q.Unmarshal(append([]byte(nil), plain...))
	}
}

// hearsNothingBut fails unless the next packet has this payload: what was sent
// before it was not passed on.
func (p *phone) hearsNothingBut(want []byte) {
	p.t.Helper()
	if q := p.hear(); string(q.Payload) != string(want) {
		p.t.Fatalf("heard %x, want %x", q.Payload, want)
	}
}

// A browser is a far end that speaks ICE, as controlling agent, and DTLS-SRTP.
type browser struct {
	t          *testing.T
	phone      // its UDP port and, later, keys
	ufrag, pwd string
	cert       tls.Certificate
	print      string
	engine     roamline.Endpoint
	stun, dtls chan []byte
	rtp        chan []byte
	ended      chan struct{}
	read       *deadline.Deadline
	only       []dtls.SRTPProtectionProfile
	tie        [8]byte
	drop       func(b []byte) bool // DTLS from the engine that is lost on the way
	conn       *dtls.Conn
}

func newBrowser(t *testing.T) *browser {
	t.Helper()
	return newBrowserAt(t, loopback.Addr())
}

func newBrowserAt(t *testing.T, ip netip.Addr) *browser {
	t.Helper()
	key := must[*ecdsa.PrivateKey](t)(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	form := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der := must[[]byte](t)(x509.CreateCertificate(rand.Reader, form, form, &key.PublicKey, key))
	sum := sha256.Sum256(der)
	var hexes []string
	for _, b := range sum {
		hexes = append(hexes, strings.ToUpper(hex.EncodeToString([]byte{b})))
	}
	b := &browser{t: t, phone: *newPhoneAt(t, ip), ufrag: "theirs", pwd: "their-password-of-22-characters",
		cert: tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, print: "sha-256 " + strings.Join(hexes, ":"),
		stun: make(chan []byte, 64), dtls: make(chan []byte, 64), rtp: make(chan []byte, 1024), ended: make(chan struct{}), read: deadline.New()}
	b.ssrc = 0x2222
	go b.pump()
	t.Cleanup(func() {
		b.c.Close()
		<-b.ended
		if b.conn != nil {
			b.conn.Close()
		}
	})
	return b
}

func (b *browser) pump() {
	defer close(b.ended)
	buf := make([]byte, 2048)
	for {
		n, err := b.c.Read(buf)
		if err != nil {
			return
		}
		p := append([]byte(nil), buf[:n]...)
		to := b.rtp
		switch {
		case p[0] < 4:
			to = b.stun
		case p[0] < 64:
			if b.drop != nil && b.drop(p) {
				continue
			}
			to = b.dtls
		}
		select {
		case to <- p:
		default:
		}
	}
}

func (b *browser) media(c roamline.Codec, active bool) roamline.Media {
	m := b.phone.media(c)
	m.Transport, m.Mux, m.RTCP = roamline.DTLS, true, m.Remote
	m.Ufrag, m.Pwd, m.Fingerprint, m.Active = b.ufrag, b.pwd, b.print, active
	return m
}

// check builds a connectivity check; more are set before the integrity.
func (b *browser) check(ufrag, pwd string, more ...stun.Setter) []byte {
	b.t.Helper()
	at := []stun.Setter{stun.TransactionID, stun.BindingRequest, stun.NewUsername(ufrag + ":" + b.ufrag),
		stun.RawAttribute{Type: stun.AttrPriority, Value: []byte{0x6e, 0, 1, 255}}}
	at = append(at, more...)
	at = append(at, stun.NewShortTermIntegrity(pwd), stun.Fingerprint)
	m, err := stun.Build(at...)
	ok(b.t, err)
	return m.Raw
}

func (b *browser) nominate() []stun.Setter {
	return []stun.Setter{stun.RawAttribute{Type: stun.AttrICEControlling, Value: b.tie[:]}, stun.RawAttribute{Type: stun.AttrUseCandidate}}
}

// answered returns the next STUN message.
func (b *browser) answered() *stun.Message {
	b.t.Helper()
	select {
	case p := <-b.stun:
		m := &stun.Message{Raw: p}
		ok(b.t, m.Decode())
		return m
	case <-time.After(patience):
		b.t.Fatal("no STUN response")
		return nil
	}
}

// ice runs checks until the engine has nominated us.
func (b *browser) ice() {
	b.t.Helper()
	b.to = b.engine.Addr
	b.raw(b.check(b.engine.Ufrag, b.engine.Pwd, b.nominate()...))
	m := b.answered()
	if m.Type != stun.BindingSuccess {
		b.t.Fatalf("check answered with %v", m.Type)
	}
	ok(b.t, stun.NewShortTermIntegrity(b.engine.Pwd).Check(m))
	var x stun.XORMappedAddress
	ok(b.t, x.GetFrom(m))
	if x.Port != int(b.addr().Port()) {
		b.t.Fatalf("mapped address %v, want port %d", x, b.addr().Port())
	}
}

func (b *browser) ReadFrom(p []byte) (int, net.Addr, error) {
	select {
	case d := <-b.dtls:
		return copy(p, d), b.c.LocalAddr(), nil
	case <-b.read.Done():
		return 0, nil, context.DeadlineExceeded
	case <-b.ended:
		return 0, nil, net.ErrClosed
	}
}
func (b *browser) WriteTo(p []byte, _ net.Addr) (int, error) {
	return b.c.WriteToUDPAddrPort(p, b.to)
}
func (b *browser) Close() error                       { return nil }
func (b *browser) LocalAddr() net.Addr                { return b.c.LocalAddr() }
func (b *browser) SetDeadline(t time.Time) error      { b.read.Set(t); return nil }
func (b *browser) SetReadDeadline(t time.Time) error  { b.read.Set(t); return nil }
func (b *browser) SetWriteDeadline(t time.Time) error { return nil }

// shake runs DTLS, as client if active is set, and takes over the SRTP keys.
func (b *browser) shake(active bool) error {
	b.only = append(b.only, dtls.SRTP_AEAD_AES_128_GCM, dtls.SRTP_AES128_CM_HMAC_SHA1_80)[:max(len(b.only), 2)]
	both := []dtls.Option{dtls.WithCertificates(b.cert), dtls.WithInsecureSkipVerify(true), dtls.WithSRTPProtectionProfiles(b.only...),
		dtls.WithExtendedMasterSecret(dtls.RequireExtendedMasterSecret), dtls.WithFlightInterval(100 * time.Millisecond)}
	var client []dtls.ClientOption
	server := []dtls.ServerOption{dtls.WithClientAuth(dtls.RequireAnyClientCert)}
	for _, o := range both {
		client, server = append(client, o), append(server, o)
	}
	var err error
	if active {
		b.conn, err = dtls.ClientWithOptions(b, b.c.LocalAddr(), client...)
	} else {
		b.conn, err = dtls.ServerWithOptions(b, b.c.LocalAddr(), server...)
	}
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := b.conn.HandshakeContext(ctx); err != nil {
		return err
	}
	state, _ := b.conn.ConnectionState()
	profile, found := b.conn.SelectedSRTPProtectionProfile()
	if !found {
		return errors.New("no profile")
	}
	c := srtp.Config{Profile: srtp.ProtectionProfile(profile)}
	if err := c.ExtractSessionKeysFromDTLS(&state, active); err != nil {
		return err
	}
	if b.out, err = srtp.CreateContext(c.Keys.LocalMasterKey, c.Keys.LocalMasterSalt, c.Profile); err != nil {
		return err
	}
	b.in, err = srtp.CreateContext(c.Keys.RemoteMasterKey, c.Keys.RemoteMasterSalt, c.Profile)
	return err
}

// hear returns the next RTP packet, decrypted.
func (b *browser) hear() *rtp.Packet {
	b.t.Helper()
	end := time.After(patience)
	for {
		select {
		case p := <-b.rtp:
			if p[1] >= 192 && p[1] <= 223 {
				continue
			}
			plain, err := b.in.DecryptRTP(nil, p, nil)
			ok(b.t, err)
			q := &rtp.Packet{}
			ok(b.t, q.Unmarshal(plain))
			return q
		case <-end:
			b.t.Fatal("heard nothing")
		}
	}
}

// web opens and connects a browser's leg, with ICE and DTLS done.
func (s *site) web(id roamline.LegID, b *browser, c roamline.Codec, weActive bool) {
	s.t.Helper()
	var err error
	b.engine, err = s.Open(id, roamline.Path{Remote: b.addr()}, roamline.DTLS)
	ok(s.t, err)
	ok(s.t, s.Connect(id, b.media(c, weActive)))
	b.ice()
	ok(s.t, b.shake(!weActive))
	s.awaitReady(id)
}

func uint16At(b []byte, i int) int { return int(binary.BigEndian.Uint16(b[i:])) }
