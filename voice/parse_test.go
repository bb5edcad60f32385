package voice

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/stun/v4"
)

func TestClassify(t *testing.T) {
	for _, c := range []struct {
		name string
		b    []byte
		want packetKind
	}{
		{"nothing", nil, foreignPacket},
		{"one byte", []byte{0x80}, foreignPacket},
		{"STUN", []byte{0, 1}, stunPacket},
		{"ZRTP", []byte{16, 0}, foreignPacket},
		{"DTLS handshake", []byte{22, 254}, dtlsPacket},
		{"TURN channel", []byte{64, 0}, foreignPacket},
		{"PCMU", []byte{0x80, 0}, rtpPacket},
		{"PCMU with marker", []byte{0x80, 0x80}, rtpPacket},
		{"opus with marker", []byte{0x80, 111 | 0x80}, rtpPacket},
		{"sender report", []byte{0x80, 200}, rtcpPacket},
		{"feedback", []byte{0x81, 206}, rtcpPacket},
		{"version 3", []byte{0xc0, 0}, foreignPacket},
	} {
		if got := classify(c.b); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
}

// seed is a packet with all that a header may have.
func seed() []byte {
	h := rtp.Header{Version: 2, PayloadType: 111, Marker: true, SequenceNumber: 7, Timestamp: 9, SSRC: 3, CSRC: []uint32{1, 2}}
	h.SetExtension(2, []byte{1, 2, 3})
	h.Padding = true
	b, _ := (&rtp.Packet{Header: h, Payload: []byte("payload"), PaddingSize: 5}).Marshal()
	return b
}

// FuzzRTP: whatever is taken for RTP is rewritten to a packet that an
// independent parser reads back, with our header and the same payload.
func FuzzRTP(f *testing.F) {
	f.Add(seed())
	f.Add(make([]byte, 12))
	f.Add([]byte{0x9f, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		var h rtpHeader
		if !parseRTP(b, &h) {
			return
		}
		b, ok := trimPadding(bytes.Clone(b), &h)
		if !ok {
			return
		}
		payload := bytes.Clone(b[h.start:])
		h.payload, h.seq, h.ts, h.ssrc = 0x55, 1, 2, 3
		var got rtp.Packet
		if err := got.Unmarshal(rewriteRTP(b, &h)); err != nil {
			t.Fatal(err)
		}
		if got.PayloadType != 0x55 || got.SequenceNumber != 1 || got.Timestamp != 2 || got.SSRC != 3 || got.Marker != h.marker ||
			got.Padding || got.Extension || len(got.CSRC) != 0 || !bytes.Equal(got.Payload, payload) {
			t.Fatalf("%+v", got)
		}
	})
}

func TestRTPAgreesWithPion(t *testing.T) {
	b := seed()
	var h rtpHeader
	var want rtp.Packet
	if err := want.Unmarshal(b); err != nil || !parseRTP(b, &h) {
		t.Fatal(err)
	}
	b, ok := trimPadding(b, &h)
	if !ok || h.payload != 111 || !h.marker || h.seq != 7 || h.ts != 9 || h.ssrc != 3 || !bytes.Equal(b[h.start:], want.Payload) {
		t.Errorf("%+v, payload %q", h, b[h.start:])
	}
}

// FuzzRTCP: the walk never leaves the packet, and visits all of it or nothing.
func FuzzRTCP(f *testing.F) {
	l := &leg{}
	l.send.packets, l.recv.started = 3, true
	f.Add(appendBye(appendName(l.appendReport(nil, 5, testTime), 7, "name"), 7))
	f.Add([]byte{0x80, 201, 0, 1, 0, 0, 0, 0})
	f.Add([]byte{0x81, 200, 0xff, 0xff, 0, 0, 0, 0})
	e := &Engine{base: testTime}
	f.Fuzz(func(t *testing.T, b []byte) {
		th := &thread{e: e}
		l := &leg{}
		l.send.rate = 8000
		seen := 0
		ok := eachRTCP(b, func(kind byte, count int, p []byte) {
			seen += len(p)
			th.control(l, kind, count, p)
		})
		if ok && seen != len(b) || !ok && seen != 0 {
			t.Fatalf("visited %d of %d bytes, %v", seen, len(b), ok)
		}
	})
}

func TestReportsAreReadByPion(t *testing.T) {
	l := &leg{cname: "abc"}
	l.send = sender{ssrc: 7, rate: 8000, packets: 2, octets: 320, lastTS: 800}
	l.recv.take(9, 100, 0, 0, 8000)
	l.recv.take(9, 103, 480, 60_000_000, 8000)
	l.recv.lastSR, l.recv.lastSRAt = 0x1234, 1_000_000_000
	b := l.appendReport(nil, 1_500_000_000, testTime)
	list, err := rtcp.Unmarshal(appendBye(appendName(b, 7, "abc"), 7))
	if err != nil || len(list) != 3 {
		t.Fatal(list, err)
	}
	sr := list[0].(*rtcp.SenderReport)
	r := sr.Reports[0]
	if sr.SSRC != 7 || sr.PacketCount != 2 || sr.OctetCount != 320 || sr.RTPTime != 800+12000 || sr.NTPTime>>32 != uint64(testTime.Unix())+2208988800 {
		t.Errorf("%+v", sr)
	}
	if r.SSRC != 9 || r.TotalLost != 2 || r.FractionLost != 128 || r.LastSequenceNumber != 103 || r.LastSenderReport != 0x1234 || r.Delay != 32768 {
		t.Errorf("%+v", r)
	}
	if s := list[1].(*rtcp.SourceDescription); s.Chunks[0].Source != 7 || s.Chunks[0].Items[0].Text != "abc" {
		t.Errorf("%+v", s)
	}
	list, err = rtcp.Unmarshal(l.appendReport(nil, 2_000_000_000, testTime))
	if _, ok := list[0].(*rtcp.ReceiverReport); err != nil || !ok {
		t.Errorf("nothing sent since: %T, %v", list[0], err)
	}
}

// FuzzSTUN: no datagram brings down the front or gets past it without a
// fingerprint, and none without the password is answered.
func FuzzSTUN(f *testing.F) {
	m, err := stun.Build(stun.BindingRequest, stun.TransactionID, stun.NewUsername("ours:theirs"),
		stun.NewShortTermIntegrity("guess"), stun.Fingerprint)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(m.Raw)
	f.Add([]byte{0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		var m stun.Message
		if readCheck(&m, b) && (m.Type != stun.BindingRequest || int(binary.BigEndian.Uint16(b[2:]))+20 != len(b)) {
			t.Fatal("taken for a check")
		}
		e := &Engine{owners: newOwners(true)}
		th := &thread{e: e, web: &socket{}}
		l := &leg{web: &webSide{now: credentials{"ours", "a password that nobody guesses"}}}
		th.byName = map[string]*leg{"ours": l}
		out := newOutbox(th.web)
		th.io = &epollIO{out: out}
		th.fromICE(farAddr, farAddr.Addr(), b)
		if out.n != 0 || len(l.web.pairs) != 0 || th.counts.discarded != 1 {
			t.Fatal("a stranger was answered or validated")
		}
	})
}

func FuzzDTLSRecords(f *testing.F) {
	f.Add([]byte{22, 254, 253, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0})
	f.Add([]byte{23, 254, 253, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 20, 254, 253, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) { asksAgain(b) })
}
