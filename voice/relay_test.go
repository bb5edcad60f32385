package voice_test

import (
	"bytes"
	"encoding/binary"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"

	"github.com/roamline/roamline"
	"github.com/roamline/roamline/voice"
)

// pair joins two plain phones.
func pair(t *testing.T, change ...func(*voice.Options)) (s *site, a, b *phone) {
	t.Helper()
	s = open(t, change...)
	a, b = newPhone(t), newPhone(t)
	s.call("a", a, roamline.PCMU)
	s.call("b", b, roamline.PCMU)
	ok(t, s.Join("a", "b"))
	return s, a, b
}

func TestPayloadIsUntouchedAndHeaderIsOurs(t *testing.T) {
	s, a, b := pair(t)
	end := must[roamline.Endpoint](t)(s.Open("x", roamline.Path{Remote: a.addr()}, roamline.RTP))
	if end.Addr.Port()%2 != 0 || end.RTCP.Port() != end.Addr.Port()+1 {
		t.Errorf("ports %v and %v", end.Addr, end.RTCP)
	}
	payload := bytes.Repeat([]byte{0x5a, 0x01}, 80)
	h := rtp.Header{PayloadType: 0, CSRC: []uint32{1, 2, 3}}
	ok(t, h.SetExtension(1, []byte{9, 9, 9}))
	a.packet(h, payload, 160)
	q := b.hear()
	if !bytes.Equal(q.Payload, payload) || len(q.CSRC) != 0 || q.Extension || q.SSRC == a.ssrc {
		t.Errorf("header %+v, payload %x", q.Header, q.Payload)
	}
	a.packet(rtp.Header{PayloadType: 0, Padding: true, PaddingSize: 7}, payload, 160)
	if q := b.hear(); !bytes.Equal(q.Payload, payload) || q.Padding || q.Marker {
		t.Errorf("padded: header %+v, payload of %d bytes", q.Header, len(q.Payload))
	}
	a.packet(rtp.Header{PayloadType: 0, Marker: true}, payload, 160)
	if q := b.hear(); !q.Marker {
		t.Error("the marker is lost")
	}
}

func TestPayloadTypesAreMapped(t *testing.T) {
	s := open(t)
	a, b := newPhone(t), newPhone(t)
	s.call("a", a, roamline.PCMA)
	ok(t, func() error {
		end, err := s.Open("b", roamline.Path{Remote: b.addr()}, roamline.RTP)
		b.to = end.Addr
		m := b.media(roamline.PCMA)
		m.Codec.Payload, m.Receive = 97, 98
		m.DTMF.Payload, m.ReceiveTE = 99, 100
		if err == nil {
			err = s.Connect("b", m)
		}
		return err
	}())
	ok(t, s.Join("a", "b"))
	for _, c := range []struct {
		from, to *phone
		in, out  uint8
	}{{a, b, 8, 97}, {b, a, 98, 8}, {a, b, 101, 99}, {b, a, 100, 101}} {
		c.from.say([]byte{1, 2, 3, 4}, c.in)
		if q := c.to.hear(); q.PayloadType != c.out {
			t.Errorf("payload type %d became %d, want %d", c.in, q.PayloadType, c.out)
		}
	}
}

// follows fails unless q comes right after p on a clock of 8000 Hz.
func follows(t *testing.T, p, q *rtp.Packet) {
	t.Helper()
	if q.SSRC != p.SSRC || q.SequenceNumber != p.SequenceNumber+1 {
		t.Errorf("after %x/%d came %x/%d", p.SSRC, p.SequenceNumber, q.SSRC, q.SequenceNumber)
	}
	if d := int32(q.Timestamp - p.Timestamp); d < 160 || d > 5*8000 {
		t.Errorf("timestamp went on by %d", d)
	}
}

func TestNumbersGoOnWhateverTheSourceDoes(t *testing.T) {
	s, a, b := pair(t)
	c := newPhone(t)
	c.ssrc, c.seq, c.ts = 0x3333, 60000, 0xfffff000
	s.call("c", c, roamline.PCMU)
	voice := bytes.Repeat([]byte{1}, 160)
	a.say(voice, 0)
	last := b.hear()
	for _, step := range []struct {
		name string
		do   func()
	}{
		{"the next packet", func() { a.say(voice, 0) }},
		{"another SSRC", func() { a.ssrc, a.seq, a.ts = 0x9999, 7, 1; a.say(voice, 0) }},
		{"a jump of the timestamp", func() { a.ts += 1 << 30; a.say(voice, 0) }},
		{"a jump of the sequence number", func() { a.seq += 20000; a.say(voice, 0); a.say(voice, 0) }},
		{"joined to another leg", func() { ok(t, s.Join("c", "b")); c.say(voice, 0) }},
		{"parted and joined again", func() { ok(t, s.Part("b")); ok(t, s.Join("a", "b")); a.say(voice, 0) }},
		{"a prompt", func() { ok(t, s.Play("b", roamline.BusyTone, true)) }},
	} {
		step.do()
		q := b.hear()
		follows(t, last, q)
		if t.Failed() {
			t.Fatal("after ", step.name)
		}
		last = q
	}
	ok(t, s.Hush("b"))
	a.say(voice, 0)
	for {
		q := b.hear()
		follows(t, last, q)
		last = q
		if bytes.Equal(q.Payload, voice) {
			break
		}
	}
}

func TestLossAndReorderingPassAsTheyCame(t *testing.T) {
	_, a, b := pair(t)
	a.say([]byte{0}, 0)
	first := b.hear()
	for _, n := range []uint16{3, 2, 5} {
		a.seq, a.ts = 1000+n, 5000+160*uint32(n)
		a.say([]byte{byte(n)}, 0)
		q := b.hear()
		if q.SequenceNumber != first.SequenceNumber+n || q.Timestamp != first.Timestamp+160*uint32(n) {
			t.Errorf("packet %d became %d, %d", n, q.SequenceNumber-first.SequenceNumber, q.Timestamp-first.Timestamp)
		}
	}
	a.seq, a.ts = 1003, 5000+480
	a.say([]byte{3}, 0) // again
	a.seq = 1006
	a.say([]byte{6}, 0)
	b.hearsNothingBut([]byte{6})
}

func TestForeignPacketsAreNeitherHeardNorAnswered(t *testing.T) {
	s, a, b := pair(t)
	stranger := newPhone(t)
	stranger.to = a.to
	stranger.ssrc, stranger.seq, stranger.ts = a.ssrc, a.seq, a.ts
	for range 5 {
		stranger.say([]byte("foreign"), 0)
	}
	for _, junk := range [][]byte{{0}, []byte("hello, this is no RTP"), bytes.Repeat([]byte{0x80}, 11), append([]byte{0x16, 0xfe, 0xfd}, make([]byte, 40)...)} {
		a.raw(junk)
	}
	a.say([]byte("wrong payload type"), 77)
	a.say([]byte("ours"), 0)
	b.hearsNothingBut([]byte("ours"))
	f := must[roamline.Figures](t)(s.Figures("a"))
	if f.Received != 1 || f.Discarded != 10 {
		t.Errorf("received %d, discarded %d", f.Received, f.Discarded)
	}
	if q, err := stranger.listen(50 * time.Millisecond); err == nil {
		t.Errorf("the stranger was answered: %v", q)
	}
}

func TestSymmetricSourceIsLearnedOnce(t *testing.T) {
	s, a, b := pair(t)
	behind := newPhone(t) // where a's packets really come from
	m := a.media(roamline.PCMU)
	m.Symmetric = true
	ok(t, s.Connect("a", m))
	behind.to = a.to
	behind.say([]byte("not agreed"), 55)
	behind.say([]byte("learned"), 0)
	b.hearsNothingBut([]byte("learned"))
	b.say([]byte("there"), 0)
	behind.hearsNothingBut([]byte("there"))
	other := newPhone(t)
	other.to = a.to
	other.say([]byte("too late"), 0)
	ok(t, s.Connect("a", m)) // the same again: what was learned holds
	other.say([]byte("too late"), 0)
	behind.say([]byte("still"), 0)
	b.hearsNothingBut([]byte("still"))
}

func TestAnySourceIsLearnedOnlyBehindNAT(t *testing.T) {
	for _, c := range []struct {
		name, described string
		heard           bool
	}{{"a private description", "10.1.2.3:4000", true}, {"a public description", "192.0.2.1:4000", false}} {
		t.Run(c.name, func(t *testing.T) {
			s := open(t)
			a, b := newPhone(t), newPhone(t)
			s.call("b", b, roamline.PCMU)
			end := must[roamline.Endpoint](t)(s.Open("a", roamline.Path{Remote: addrPort("198.51.100.7:5060"), Advertise: "127.0.0.1"}, roamline.RTP))
			a.to = end.Addr
			m := a.media(roamline.PCMU)
			m.Remote, m.RTCP, m.Symmetric = addrPort(c.described), addrPort(c.described), true
			ok(t, s.Connect("a", m))
			ok(t, s.Join("a", "b"))
			a.say([]byte("hello"), 0)
			q, err := b.listen(100 * time.Millisecond)
			if (err == nil) != c.heard {
				t.Errorf("heard %v, %v", q, err)
			}
		})
	}
}

func TestHoldIsHonoured(t *testing.T) {
	s, a, b := pair(t)
	m := b.media(roamline.PCMU)
	m.Direction = roamline.RecvOnly // b put us on hold: it sends music, we send nothing
	ok(t, s.Connect("b", m))
	a.say([]byte("unheard"), 0)
	b.say([]byte("music"), 0)
	a.hearsNothingBut([]byte("music"))
	m.Direction = roamline.SendRecv
	ok(t, s.Connect("b", m))
	a.say([]byte("heard"), 0)
	b.hearsNothingBut([]byte("heard"))
}

func TestSDES(t *testing.T) {
	for suite, profile := range map[string]srtp.ProtectionProfile{
		"AEAD_AES_128_GCM":        srtp.ProtectionProfileAeadAes128Gcm,
		"AES_CM_128_HMAC_SHA1_80": srtp.ProtectionProfileAes128CmHmacSha1_80,
		"AES_CM_128_HMAC_SHA1_32": srtp.ProtectionProfileAes128CmHmacSha1_32,
	} {
		t.Run(suite, func(t *testing.T) {
			s := open(t)
			a, b := newPhone(t), newPhone(t)
			s.call("b", b, roamline.PCMU)
			end := must[roamline.Endpoint](t)(s.Open("a", roamline.Path{Remote: a.addr()}, roamline.SDES))
			a.to = end.Addr
			m := a.media(roamline.PCMU)
			m.Transport = roamline.SDES
			for _, k := range end.Keys {
				if k.Suite == suite {
					m.Send = k
				}
			}
			m.Recv = roamline.CryptoKey{Tag: m.Send.Tag, Suite: suite, Key: bytes.Repeat([]byte{7}, len(m.Send.Key))}
			context := must[*srtp.Context](t)
			a.in = context(srtp.CreateContext(m.Send.Key[:16], m.Send.Key[16:], profile))
			a.out = context(srtp.CreateContext(m.Recv.Key[:16], m.Recv.Key[16:], profile))
			ok(t, s.Connect("a", m))
			ok(t, s.Join("a", "b"))
			a.say([]byte("secret"), 0)
			b.hearsNothingBut([]byte("secret"))
			b.say([]byte("answer"), 0)
			a.hearsNothingBut([]byte("answer"))

			again := must[[]byte](t)((&rtp.Packet{Header: rtp.Header{Version: 2, SSRC: a.ssrc, SequenceNumber: 1}, Payload: []byte("clear")}).Marshal())
			a.raw(again)
			ok(t, s.Connect("a", m)) // the same keys: their counters go on
			a.say([]byte("on"), 0)
			b.hearsNothingBut([]byte("on"))
			b.say([]byte("back"), 0)
			a.hearsNothingBut([]byte("back"))
		})
	}
}

func TestReplayedPacketsAreDropped(t *testing.T) {
	s := open(t)
	p, b := newPhone(t), newBrowser(t)
	s.call("trunk", p, roamline.PCMU)
	s.web("web", b, roamline.PCMU, false)
	ok(t, s.Join("trunk", "web"))
	plain := must[[]byte](t)((&rtp.Packet{Header: rtp.Header{Version: 2, SSRC: 5, SequenceNumber: 9}, Payload: []byte("once")}).Marshal())
	c := must[[]byte](t)(b.out.EncryptRTP(nil, plain, nil))
	bad := append([]byte(nil), c...)
	bad[len(bad)-1] ^= 1
	for range 100 {
		b.raw(bad)
	}
	for range 3 {
		b.raw(c)
	}
	p.hearsNothingBut([]byte("once"))
	b.ssrc = 5
	b.seq = 10
	b.say([]byte("next"), 0)
	p.hearsNothingBut([]byte("next"))
	if f := must[roamline.Figures](t)(s.Figures("web")); f.Discarded != 102 || f.Received != 2 {
		t.Errorf("discarded %d, received %d", f.Discarded, f.Received)
	}
}

func TestDigitsAreRelayed(t *testing.T) {
	t.Run("untouched between equal clocks", func(t *testing.T) {
		_, a, b := pair(t)
		a.packet(rtp.Header{PayloadType: 101, Marker: true}, []byte{5, 10, 0, 160}, 0)
		q := b.hear()
		a.packet(rtp.Header{PayloadType: 101}, []byte{5, 0x8a, 1, 64}, 0)
		if r := b.hear(); r.Timestamp != q.Timestamp || !bytes.Equal(r.Payload, []byte{5, 0x8a, 1, 64}) {
			t.Errorf("%v after %v", r, q)
		}
	})
	t.Run("with the clock converted", func(t *testing.T) {
		s := open(t)
		a, b := newPhone(t), newPhone(t)
		s.call("a", a, roamline.PCMU)
		s.call("b", b, roamline.Opus)
		ok(t, s.Join("a", "b"))
		a.packet(rtp.Header{PayloadType: 101, Marker: true}, []byte{11, 10, 0, 160}, 0)
		q := b.hear()
		a.packet(rtp.Header{PayloadType: 101}, []byte{11, 0x8a, 1, 64}, 0)
		r := b.hear()
		if q.PayloadType != 110 || uint16At(q.Payload, 2) != 960 || uint16At(r.Payload, 2) != 1920 || r.Timestamp != q.Timestamp || !q.Marker {
			t.Errorf("%v %x, then %v %x", q, q.Payload, r, r.Payload)
		}
	})
}

func TestDigitsAreSent(t *testing.T) {
	t.Run("one after another", func(t *testing.T) {
		s, a, b := pair(t)
		ok(t, s.Dial("b", roamline.Digit{Key: '#', Duration: 40 * time.Millisecond}))
		ok(t, s.Dial("b", roamline.Digit{Key: '1', Duration: 160 * time.Millisecond}))
		a.say([]byte("voice"), 0)
		var last *rtp.Packet
		for _, want := range []struct {
			event    byte
			duration int
		}{{11, 800}, {1, 1280}} {
			start := b.hear()
			if !start.Marker || start.PayloadType != 101 || start.Payload[0] != want.event {
				t.Fatalf("first packet %v %x", start, start.Payload)
			}
			ends, q := 0, start
			for ends < 3 {
				if last = b.hear(); last.Timestamp != start.Timestamp || last.SequenceNumber != q.SequenceNumber+1 || last.Marker {
					t.Fatalf("%v after %v", last, q)
				}
				if q = last; q.Payload[1]&0x80 != 0 {
					ends++
				}
			}
			if d := uint16At(q.Payload, 2); d != want.duration {
				t.Errorf("duration %d, want %d", d, want.duration)
			}
		}
		waitFor(t, func() bool { // the pause, then voice again
			a.say([]byte("voice"), 0)
			q, err := b.listen(20 * time.Millisecond)
			return err == nil && string(q.Payload) == "voice" && q.SequenceNumber == last.SequenceNumber+1
		})
	})
	t.Run("refused", func(t *testing.T) {
		s, a, _ := pair(t)
		if k := roamline.KindOf(s.Dial("a", roamline.Digit{Key: 'x'})); k != roamline.Invalid {
			t.Errorf("key x: %v", k)
		}
		m := a.media(roamline.PCMU)
		m.DTMF = nil
		ok(t, s.Connect("a", m))
		if k := roamline.KindOf(s.Dial("a", roamline.Digit{Key: '1'})); k != roamline.NotFound {
			t.Errorf("no events agreed: %v", k)
		}
	})
}

func TestPrompts(t *testing.T) {
	s, a, b := pair(t)
	frames := must[[][]byte](t)(must[voice.Sounds](t)(library()).Frames(roamline.NumberVacant, roamline.PCMU))
	ok(t, s.Play("b", roamline.NumberVacant, false))
	first := b.hear()
	if !first.Marker || !bytes.Equal(first.Payload, frames[0]) {
		t.Errorf("first frame: %v", first.Header)
	}
	a.say([]byte("unheard"), 0)
	for i := 1; i < len(frames); i++ {
		q := b.hear()
		if !bytes.Equal(q.Payload, frames[i]) || q.Timestamp != first.Timestamp+uint32(160*i) || q.Marker {
			t.Fatalf("frame %d: %v", i, q.Header)
		}
	}
	s.await("Played", func(e roamline.Event) bool {
		p, ok := e.(roamline.Played)
		return ok && p.Leg == "b" && p.Prompt == roamline.NumberVacant
	})
	a.say([]byte("heard"), 0)
	b.hearsNothingBut([]byte("heard"))
}

func waitFor(t *testing.T, what func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); {
		if what() {
			return
		}
	}
	t.Fatal("it did not come")
}

func TestRTCP(t *testing.T) {
	quick := func(o *voice.Options) { o.ReportEvery = 40 * time.Millisecond }
	s, a, b := pair(t, quick)
	a.say([]byte{1}, 0)
	b.hear()
	report := func(p *phone) []byte {
		t.Helper()
		buf := make([]byte, 1500)
		p.rtcp.SetReadDeadline(time.Now().Add(patience))
		n := must[int](t)(p.rtcp.Read(buf))
		return buf[:n]
	}
	sr := report(b)
	for sr[1] != 200 {
		sr = report(b)
	}
	if binary.BigEndian.Uint32(sr[20:]) != 1 || !bytes.Contains(sr[28:], []byte{202}) {
		t.Errorf("sender report %x", sr)
	}
	ours := binary.BigEndian.Uint32(sr[4:])
	// A receiver report that came back after 0 s, with 3 packets lost.
	rr := []byte{0x81, 201, 0, 7, 0, 0, 0x11, 0x11}
	rr = binary.BigEndian.AppendUint32(rr, ours)
	rr = binary.BigEndian.AppendUint32(rr, 3)
	rr = binary.BigEndian.AppendUint32(rr, 1)
	rr = binary.BigEndian.AppendUint32(rr, 80)
	rr = append(rr, sr[10:14]...)
	rr = binary.BigEndian.AppendUint32(rr, 0)
	at := b.to
	at = addrPortOf(at, at.Port()+1)
	must[int](t)(b.rtcp.WriteToUDPAddrPort(rr, at))
	waitFor(t, func() bool {
		f := must[roamline.Figures](t)(s.Figures("b"))
		return f.FarLost == 3 && f.RoundTrip > 0 && f.RoundTrip < time.Second && f.FarJitter == 10*time.Millisecond
	})
	// A BYE from elsewhere changes nothing, and is counted.
	stranger := newPhone(t)
	must[int](t)(stranger.rtcp.WriteToUDPAddrPort([]byte{0x81, 203, 0, 1, 0, 0, 0x11, 0x11}, at))
	waitFor(t, func() bool { return must[roamline.Figures](t)(s.Figures("b")).Discarded == 1 })
	a.say([]byte{2}, 0)
	b.hearsNothingBut([]byte{2})
	must[roamline.Figures](t)(s.Close("b"))
	waitFor(t, func() bool { p := report(b); return bytes.Contains(p, []byte{0x81, 203, 0, 1}) })
}

func TestLossIsCounted(t *testing.T) {
	s, a, b := pair(t)
	for i := range 10 {
		if i == 4 || i == 7 {
			a.seq++
			a.ts += 160
		}
		a.say([]byte{byte(i)}, 0)
		b.hear()
	}
	f := must[roamline.Figures](t)(s.Close("a"))
	if f.Received != 10 || f.Lost != 2 || f.Codec != "PCMU" || f.FirstVoice.IsZero() || f.LastVoice.Before(f.FirstVoice) {
		t.Errorf("figures %+v", f)
	}
	if _, err := s.Figures("a"); roamline.KindOf(err) != roamline.NotFound {
		t.Errorf("after Close: %v", err)
	}
}

func TestPromptWaitsForTheVoice(t *testing.T) {
	s := open(t)
	b := newBrowser(t)
	b.engine = must[roamline.Endpoint](t)(s.Open("web", roamline.Path{Remote: b.addr()}, roamline.DTLS))
	ok(t, s.Play("web", roamline.NumberVacant, false)) // before Connect
	ok(t, s.Connect("web", b.media(roamline.PCMA, false)))
	b.ice()
	ok(t, b.shake(true))
	frames := must[[][]byte](t)(must[voice.Sounds](t)(library()).Frames(roamline.NumberVacant, roamline.PCMA))
	if q := b.hear(); !bytes.Equal(q.Payload, frames[0]) || q.PayloadType != 8 {
		t.Errorf("first frame: %v", q.Header)
	}
}
