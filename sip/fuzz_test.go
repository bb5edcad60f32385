package sip

import (
	"bufio"
	"bytes"
	"context"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/roamline/roamline"
)

func seed(f *testing.F) {
	files, _ := filepath.Glob("testdata/torture/*/*.dat")
	for _, name := range files {
		if b, err := os.ReadFile(name); err == nil {
			f.Add(b)
		}
	}
	f.Add([]byte(crlf(goodText)))
}

// FuzzMessage: what passes the checks is read by sipgo's parser, and what is
// written of it passes them again and says the same.
func FuzzMessage(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		txt, flt := parseDatagram(b)
		if flt == nil {
			flt = txt.check()
		}
		if flt != nil {
			refusalText(&flow{transport: "udp", udp: &socket{}, remote: netip.MustParseAddrPort("192.0.2.1:5060")}, &txt, flt)
			return
		}
		msg, err := txt.message()
		if err != nil {
			return
		}
		if msg.Via() == nil || msg.From() == nil || msg.To() == nil || msg.CallID() == nil || msg.CSeq() == nil {
			t.Fatalf("a message without what check demands: %q", b)
		}
		redact(msg.String())
		if req, ok := msg.(*sip.Request); ok {
			respondTo(req, &flow{remote: netip.MustParseAddrPort("192.0.2.1:5060")}, 180, "Ringing", "t")
			sdpOf(req)
			peer{}.offeredNumbers(req)
			(&session{}).asked(req, &flow{transport: "udp"})
		}
	})
}

// FuzzStream: a stream is taken apart without end or crash, whatever its pieces.
func FuzzStream(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		r := bufio.NewReaderSize(bytes.NewReader(b), 4096)
		for range len(b) + 1 {
			txt, flt, err := readMessage(r, func() {})
			if err != nil || flt != nil && flt.final {
				return
			}
			if flt == nil {
				txt.check()
			}
		}
		t.Fatal("more messages than octets")
	})
}

// FuzzCredentials: no header lets anybody in who does not know the secret.
func FuzzCredentials(f *testing.F) {
	d := newDigestServer("roamline", time.Now)
	f.Add(`Digest username="desk7", realm="roamline", nonce="` + d.nonce() + `", uri="sip:x", response="0", algorithm=MD5, qop=auth, nc=00000001, cnonce="c"`)
	f.Add(`Bearer token`)
	f.Add(`Digest username="a\"b", qop=`)
	f.Fuzz(func(t *testing.T, v string) {
		c, ok := parseCredentials(v)
		if !ok {
			return
		}
		if in, _ := d.verify(c, "REGISTER", map[string]string{"MD5": "an unknown secret", "SHA-256": "another"}); in {
			t.Fatalf("let in by %q", v)
		}
	})
}

// deaf is a socket that takes everything and says nothing.
type deaf struct{ net.PacketConn }

func (deaf) WriteTo(b []byte, _ net.Addr) (int, error) { return len(b), nil }
func (deaf) LocalAddr() net.Addr                       { return &net.UDPAddr{IP: net.IPv4(192, 0, 2, 9), Port: 5060} }
func (deaf) Close() error                              { return nil }

// FuzzCarrier: whatever a browser, a trunk or a stranger sends as one message,
// the door lives, and a stranger opens no leg.
func FuzzCarrier(f *testing.F) {
	seed(f)
	legs := make(chan roamline.LegID, 1000)
	o := quickly()
	o.Sink = func(ev roamline.Event) {
		if ev, ok := ev.(roamline.Offered); ok {
			if ev.Path.Client == "" && ev.Path.Trunk == "" {
				panic("a stranger opened a leg")
			}
			legs <- ev.Leg
		}
	}
	o.Tracer = &forgetful{}
	door, err := New(o)
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		door.Close(ctx)
	})
	s := &socket{conn: deaf{}, local: netip.MustParseAddrPort("192.0.2.9:5060")}
	door.sockets = append(door.sockets, s)
	door.SetTrunks([]roamline.Trunk{{ID: "t_1", Name: "t", Enabled: true, Sources: []roamline.Source{{Prefix: netip.MustParsePrefix("192.0.2.1/32")}}}}, nil)
	trunk := &flow{door: door, transport: "udp", udp: s, local: s.local, remote: netip.MustParseAddrPort("192.0.2.1:5060")}
	stranger := &flow{door: door, transport: "udp", udp: s, local: s.local, remote: netip.MustParseAddrPort("192.0.2.2:5060")}
	f.Fuzz(func(t *testing.T, b []byte) {
		web := newStream(door, "wss", s.local, netip.MustParseAddrPort("192.0.2.3:1"), true, nil)
		web.trust("c_web")
		door.registrar.mu.Lock()
		door.registrar.put("c_web", []way{{flow: web, contact: roamline.Contact{URI: "sip:x@y.invalid", Expires: time.Now().Add(time.Hour)}}})
		door.registrar.unlock()
		for _, from := range []*flow{stranger, trunk, web} {
			door.datagram(from, b)
		}
		for {
			select {
			case id := <-legs:
				door.Hangup(id, roamline.Busy)
				continue
			default:
			}
			break
		}
		web.shut(net.ErrClosed)
	})
}

type forgetful struct{}

func (*forgetful) Trace(roamline.TraceEntry) {}
