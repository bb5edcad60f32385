package voice_test

import (
	"bytes"
	"net/netip"
	"testing"
	"time"

	"github.com/pion/stun/v4"

	"github.com/roamline/roamline"
	"github.com/roamline/roamline/voice"
)

func TestChecks(t *testing.T) {
	s := open(t)
	b := newBrowser(t)
	b.engine = must[roamline.Endpoint](t)(s.Open("web", roamline.Path{Remote: b.addr()}, roamline.DTLS))
	ok(t, s.Connect("web", b.media(roamline.PCMU, false)))
	b.to = b.engine.Addr
	u, p := b.engine.Ufrag, b.engine.Pwd

	strangers := map[string][]byte{
		"an unknown user name":    b.check("nobody", p),
		"a wrong password":        b.check(u, "wrong-password-of-22-chars"),
		"no integrity":            mustBuild(t, stun.BindingRequest, stun.TransactionID, stun.NewUsername(u+":theirs"), stun.Fingerprint),
		"no fingerprint":          mustBuild(t, stun.BindingRequest, stun.TransactionID, stun.NewUsername(u+":theirs"), stun.NewShortTermIntegrity(p)),
		"no user name":            mustBuild(t, stun.BindingRequest, stun.TransactionID, stun.NewShortTermIntegrity(p), stun.Fingerprint),
		"another far end's name":  mustBuild(t, stun.BindingRequest, stun.TransactionID, stun.NewUsername(u+":other"), stun.NewShortTermIntegrity(p), stun.Fingerprint),
		"a ClientHello before it": append([]byte{22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 40}, make([]byte, 40)...),
	}
	for name, m := range strangers {
		t.Run("dropped: "+name, func(t *testing.T) {
			b.raw(m)
			// The answer to a good check shows that the one before got none.
			b.raw(b.check(u, p, stun.RawAttribute{Type: stun.AttrICEControlled, Value: b.tie[:]}))
			if r := b.answered(); errorCode(t, r) != stun.CodeRoleConflict {
				t.Errorf("answered %v", r)
			}
		})
	}
	if d := s.Stats().Discarded; d != uint64(len(strangers)) {
		t.Errorf("%d of %d counted", d, len(strangers))
	}
	b.raw(b.check(u, p, stun.RawAttribute{Type: 0x7f01, Value: []byte{1}}))
	if r := b.answered(); errorCode(t, r) != stun.CodeUnknownAttribute {
		t.Errorf("unknown attribute: %v", r)
	}
	b.ice()
	for _, c := range []struct {
		name string
		m    []byte
		want stun.ErrorCode
	}{
		{"a wrong password", b.check(u, "wrong-password-of-22-chars"), stun.CodeUnauthorized},
		{"no integrity", strangers["no integrity"], stun.CodeBadRequest},
	} {
		b.raw(c.m)
		if r := b.answered(); errorCode(t, r) != c.want {
			t.Errorf("from a validated address, %s: %v", c.name, r)
		}
	}
	select {
	case p := <-b.dtls:
		t.Errorf("DTLS answered: %x", p)
	default:
	}
}

func mustBuild(t *testing.T, set ...stun.Setter) []byte {
	t.Helper()
	m, err := stun.Build(set...)
	ok(t, err)
	return m.Raw
}

func errorCode(t *testing.T, m *stun.Message) stun.ErrorCode {
	t.Helper()
	var c stun.ErrorCodeAttribute
	if err := c.GetFrom(m); err != nil {
		return 0
	}
	return c.Code
}

func (s *site) awaitGone(id roamline.LegID, why roamline.Cause) {
	s.t.Helper()
	s.await("VoiceGone", func(e roamline.Event) bool {
		g, ok := e.(roamline.VoiceGone)
		return ok && g.Leg == id && g.Cause == why
	})
}

func TestWrongCertificateIsRefused(t *testing.T) {
	for _, active := range []bool{false, true} {
		s := open(t)
		b := newBrowser(t)
		b.engine = must[roamline.Endpoint](t)(s.Open("web", roamline.Path{Remote: b.addr()}, roamline.DTLS))
		m := b.media(roamline.PCMU, active)
		m.Fingerprint = "sha-256 00:11"
		ok(t, s.Connect("web", m))
		b.ice()
		if err := b.shake(!active); err == nil && active {
			t.Error("the handshake succeeded")
		}
		s.awaitGone("web", roamline.VoiceFailed)
		if s.saw(func(e roamline.Event) bool { _, ready := e.(roamline.VoiceReady); return ready }) {
			t.Error("the voice is ready")
		}
	}
}

func TestChecksMayComeBeforeTheAnswer(t *testing.T) {
	s := open(t)
	p, b := newPhone(t), newBrowser(t)
	s.call("trunk", p, roamline.PCMU)
	b.engine = must[roamline.Endpoint](t)(s.Open("web", roamline.Path{Remote: b.addr()}, roamline.DTLS))
	b.ice()
	done := make(chan error, 1)
	go func() { done <- b.shake(true) }()
	waitFor(t, func() bool { return s.Stats().Discarded == 0 && s.Stats().Handshakes == 0 })
	ok(t, s.Connect("web", b.media(roamline.PCMU, false)))
	ok(t, <-done)
	s.awaitReady("web")
	ok(t, s.Join("web", "trunk"))
	b.say([]byte("early"), 0)
	p.hearsNothingBut([]byte("early"))
}

func TestLostFinishedIsSentAgain(t *testing.T) {
	s := open(t)
	p, b := newPhone(t), newBrowser(t)
	s.call("trunk", p, roamline.PCMU)
	lost := 0
	b.drop = func(d []byte) bool { // the first two of the engine's last flight
		if d[0] != 20 && !(len(d) > 4 && d[0] == 22 && d[4] == 1) || lost == 2 {
			return false
		}
		lost++
		return true
	}
	s.web("web", b, roamline.PCMU, false)
	ok(t, s.Join("web", "trunk"))
	p.say([]byte("after all"), 0)
	if q := b.hear(); string(q.Payload) != "after all" || lost != 2 {
		t.Errorf("heard %q, lost %d", q.Payload, lost)
	}
}

func TestIceRestart(t *testing.T) {
	s := open(t)
	p, b := newPhone(t), newBrowser(t)
	s.call("trunk", p, roamline.PCMU)
	s.web("web", b, roamline.PCMU, false)
	ok(t, s.Join("web", "trunk"))
	old := b.engine
	b.engine = must[roamline.Endpoint](t)(s.Open("web", roamline.Path{Remote: b.addr()}, roamline.DTLS))
	if b.engine.Ufrag == old.Ufrag || b.engine.Pwd == old.Pwd || b.engine.SSRC != old.SSRC || b.engine.Fingerprint != old.Fingerprint {
		t.Errorf("%+v after %+v", b.engine, old)
	}
	// Until the far end is known to have restarted, its old checks count.
	b.raw(b.check(old.Ufrag, old.Pwd))
	if r := b.answered(); r.Type != stun.BindingSuccess {
		t.Errorf("old credentials: %v", r)
	}
	b.ufrag = "again"
	ok(t, s.Connect("web", b.media(roamline.PCMU, false)))
	// The browser is in another network now: another socket, the same keys.
	moved := newBrowser(t)
	moved.ufrag, moved.engine, moved.in, moved.out, moved.seq = b.ufrag, b.engine, b.in, b.out, b.seq
	moved.ssrc = b.ssrc
	moved.ice()
	moved.say([]byte("from there"), 0)
	p.hearsNothingBut([]byte("from there"))
	p.say([]byte("to there"), 0)
	if q := moved.hear(); string(q.Payload) != "to there" {
		t.Errorf("heard %q", q.Payload)
	}
}

func TestSilence(t *testing.T) {
	quick := func(o *voice.Options) { o.SilenceLimit = 150 * time.Millisecond }
	t.Run("of a leg that is joined is noticed", func(t *testing.T) {
		s, _, b := pair(t, quick)
		stop := make(chan struct{})
		done := make(chan struct{})
		go func() {
			defer close(done)
			for tick := time.NewTicker(20 * time.Millisecond); ; {
				select {
				case <-tick.C:
					b.say([]byte{1}, 0)
				case <-stop:
					return
				}
			}
		}()
		s.awaitGone("a", roamline.VoiceLost)
		close(stop)
		<-done
	})
	t.Run("of a leg on hold is not", func(t *testing.T) {
		s, a, _ := pair(t, quick)
		m := a.media(roamline.PCMU)
		m.Direction = roamline.SendOnly // we put a on hold
		ok(t, s.Connect("a", m))
		s.awaitGone("b", roamline.VoiceLost) // it had the same time to be noticed
		ok(t, s.Connect("b", m))
		s.call("c", newPhone(t), roamline.PCMU)
		s.call("d", newPhone(t), roamline.PCMU)
		ok(t, s.Join("c", "d"))
		s.awaitGone("c", roamline.VoiceLost)
		if s.saw(func(e roamline.Event) bool { g, gone := e.(roamline.VoiceGone); return gone && g.Leg == "a" }) {
			t.Error("a is gone")
		}
	})
	t.Run("of a browser's checks is noticed on hold too", func(t *testing.T) {
		s := open(t, quick)
		b := newBrowser(t)
		s.web("web", b, roamline.PCMU, false)
		m := b.media(roamline.PCMU, false)
		m.Direction = roamline.Inactive
		ok(t, s.Connect("web", m))
		s.awaitGone("web", roamline.VoiceLost)
	})
}

func TestIPv6(t *testing.T) {
	s := open(t, func(o *voice.Options) { o.BrowserUDP = netip.MustParseAddrPort("[::]:0") })
	p, b := newPhoneAt(t, netip.IPv6Loopback()), newBrowserAt(t, netip.IPv6Loopback())
	s.call("trunk", p, roamline.PCMU)
	s.web("web", b, roamline.PCMU, false)
	four := newBrowser(t)
	s.web("four", four, roamline.PCMU, true)
	if len(b.engine.Candidates) == 0 {
		t.Error("no further candidates although every address is bound")
	}
	ok(t, s.Join("web", "trunk"))
	p.say([]byte("six"), 0)
	if q := b.hear(); !bytes.Equal(q.Payload, []byte("six")) {
		t.Errorf("heard %q", q.Payload)
	}
	ok(t, s.Join("trunk", "four"))
	four.say([]byte("from four to six"), 0)
	p.hearsNothingBut([]byte("from four to six"))
}
