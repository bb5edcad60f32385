package voice_test

import (
	"bytes"
	"testing"

	"github.com/pion/dtls/v3"

	"github.com/roamline/roamline"
	"github.com/roamline/roamline/voice"
)

func TestBrowserAndTrunkHearEachOther(t *testing.T) {
	for _, c := range []struct {
		name     string
		active   bool
		profiles []dtls.SRTPProtectionProfile
		threads  int
		epoll    bool
	}{
		{"we are the DTLS server", false, nil, 1, false},
		{"we are the DTLS client", true, nil, 1, false},
		{"SHA1-80 is all that the far end can do", false, []dtls.SRTPProtectionProfile{dtls.SRTP_AES128_CM_HMAC_SHA1_80}, 1, false},
		{"three media threads", false, nil, 3, false},
		{"three media threads, no io_uring", false, nil, 3, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := open(t, func(o *voice.Options) { o.Threads, o.Epoll = c.threads, c.epoll })
			p, b := newPhone(t), newBrowser(t)
			b.only = c.profiles
			s.call("trunk", p, roamline.PCMU)
			s.web("web", b, roamline.PCMU, c.active)
			ok(t, s.Join("trunk", "web"))
			for i := range 200 {
				there, back := bytes.Repeat([]byte{byte(i)}, 160), bytes.Repeat([]byte{byte(255 - i)}, 160)
				p.say(there, 0)
				if q := b.hear(); !bytes.Equal(q.Payload, there) {
					t.Fatalf("packet %d reached the browser as %x", i, q.Payload[:4])
				}
				b.say(back, 0)
				if q := p.hear(); !bytes.Equal(q.Payload, back) {
					t.Fatalf("packet %d reached the trunk as %x", i, q.Payload[:4])
				}
			}
		})
	}
}

// The kernel spreads browsers over the threads' sockets as it likes; each leg
// works wherever its packets come in.
func TestManyBrowsersOnSeveralThreads(t *testing.T) {
	for _, epoll := range []bool{false, true} {
		manyBrowsers(t, open(t, func(o *voice.Options) { o.Threads, o.Epoll = 3, epoll }))
	}
}

func manyBrowsers(t *testing.T, s *site) {
	for _, id := range []roamline.LegID{"1", "2", "3", "4", "5", "6"} {
		p, b := newPhone(t), newBrowser(t)
		s.call("trunk"+id, p, roamline.PCMU)
		s.web("web"+id, b, roamline.PCMU, false)
		ok(t, s.Join("trunk"+id, "web"+id))
		for i := range 20 {
			want := []byte(string(id) + string(rune('a'+i)))
			b.say(want, 0)
			p.hearsNothingBut(want)
			p.say(want, 0)
			if q := b.hear(); !bytes.Equal(q.Payload, want) {
				t.Fatalf("heard %q, want %q", q.Payload, want)
			}
		}
	}
	if d := s.Stats().Discarded; d != 0 {
		t.Errorf("%d packets discarded", d)
	}
}
