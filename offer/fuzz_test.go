package offer

import (
	"bytes"
	"net/netip"
	"strings"
	"testing"

	"github.com/roamline/roamline"
)

func sameAddr(a, b netip.AddrPort) bool { return a == b }

var (
	endpoints  = []func() roamline.Endpoint{plain, sdes, dtls}
	directions = []roamline.Direction{roamline.SendRecv, roamline.SendOnly, roamline.RecvOnly, roamline.Inactive}
)

func seed(f *testing.F) {
	for _, text := range []string{chromium, baresip, asterisk, sipp} {
		for kind := range uint8(3) {
			f.Add(kind, wire(text))
		}
	}
}

// FuzzAnswer: whatever is offered, an answer has the streams of the offer in
// their order, is no wider than it, and can be read.
func FuzzAnswer(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, kind uint8, text []byte) {
		s := New(endpoints[kind%3](), 5)
		dir := directions[kind/3%4]
		answer, m, err := s.Answer(text, all, dir)
		if _, _, _, failed := Codecs(text); failed != nil && err == nil {
			t.Fatalf("answered what Codecs refuses: %v", failed)
		}
		if err != nil {
			return
		}
		offered, _ := parse(text)
		d, err := parse(answer)
		if err != nil {
			t.Fatalf("%v in\n%s", err, answer)
		}
		if len(d.streams) != len(offered.streams) {
			t.Fatalf("%d streams offered, %d answered", len(offered.streams), len(d.streams))
		}
		used := 0
		for i := range d.streams {
			if d.streams[i].kind != offered.streams[i].kind || d.streams[i].proto != offered.streams[i].proto {
				t.Errorf("stream %d is another", i)
			}
			if d.streams[i].port != 0 {
				used++
				if got := d.direction(&d.streams[i]); got != within(dir, offered.direction(&offered.streams[i])) || got != m.Direction {
					t.Errorf("direction %s", got)
				}
			}
		}
		if used != 1 {
			t.Errorf("%d streams used", used)
		}
		if d, err = parse(s.Offer(all, roamline.SendRecv)); err != nil || len(d.streams) != len(offered.streams) {
			t.Errorf("re-offer: %v", err)
		}
	})
}

// FuzzAccept: whatever is answered, what is agreed was offered.
func FuzzAccept(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, kind uint8, text []byte) {
		s := New(endpoints[kind%3](), 5)
		ours, _ := parse(s.Offer(all, directions[kind/3%4]))
		m, err := s.Accept(text)
		if err != nil {
			return
		}
		found := false
		for _, c := range ours.streams[0].codecs() {
			found = found || c.Payload == m.Receive && same(c, m.Codec)
		}
		if !found || within(directions[kind/3%4], m.Direction.Reverse()) != m.Direction || m.Ptime <= 0 {
			t.Errorf("agreed %+v", m)
		}
	})
}

// FuzzRoundTrip: what one session answers, the other accepts, and both agree on
// codec, numbers, keys, roles and what flows.
func FuzzRoundTrip(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3, 4, 5, 6, 7})
	f.Add([]byte{1, 9, 200, 3, 1, 0, 77, 7, 9, 9})
	f.Add([]byte{2, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 1, 2, 3})
	f.Fuzz(func(t *testing.T, b []byte) {
		next := func() int {
			if len(b) == 0 {
				return 0
			}
			v := int(b[0])
			b = b[1:]
			return v
		}
		kind := next() % 3
		two := [2]*Session{New(endpoints[kind](), 1), New(endpoints[kind](), 2)}
		two[1].Local.Addr, two[1].Local.RTCP = at("198.51.100.1:4000"), at("198.51.100.1:4001")
		two[1].Local.Ufrag, two[1].Local.Fingerprint = "wxyz", "sha-256 "+strings.TrimSuffix(strings.Repeat("AA:", 32), ":")
		some := func() (out []roamline.Codec) {
			for n := next() % 4; n > 0; n-- {
				c := all[next()%3]
				if next()%2 == 0 {
					c.Payload = uint8(next())
				}
				out = append(out, c)
			}
			return out
		}
		for range 1 + next()%4 {
			a, o := two[0], two[1]
			if next()%2 == 1 {
				a, o = o, a
			}
			dirA, dirO := directions[next()%4], directions[next()%4]
			text := o.Offer(some(), dirO)
			answer, ma, err := a.Answer(text, some(), dirA)
			if err != nil {
				t.Fatalf("%v\n%s", err, text)
			}
			mo, err := o.Accept(answer)
			if err != nil {
				t.Fatalf("%v\n%s%s", err, text, answer)
			}
			agree(t, a, o, ma, mo)
		}
	})
}

func agree(t *testing.T, a, o *Session, ma, mo roamline.Media) {
	t.Helper()
	if !same(ma.Codec, mo.Codec) || ma.Codec.Payload != mo.Receive || mo.Codec.Payload != ma.Receive {
		t.Errorf("codecs %+v and %+v", ma, mo)
	}
	if (ma.DTMF == nil) != (mo.DTMF == nil) || ma.DTMF != nil && (ma.DTMF.Payload != mo.ReceiveTE || mo.DTMF.Payload != ma.ReceiveTE || ma.DTMF.Rate != ma.Codec.Rate) {
		t.Errorf("events %+v and %+v", ma.DTMF, mo.DTMF)
	}
	if ma.Direction != mo.Direction.Reverse() {
		t.Errorf("directions %s and %s", ma.Direction, mo.Direction)
	}
	if ma.Remote != o.Local.Addr || mo.Remote != a.Local.Addr || ma.Mux != mo.Mux {
		t.Errorf("addresses %v and %v", ma.Remote, mo.Remote)
	}
	if !bytes.Equal(ma.Send.Key, mo.Recv.Key) || !bytes.Equal(mo.Send.Key, ma.Recv.Key) || ma.Send.Suite != mo.Send.Suite {
		t.Errorf("keys %+v and %+v", ma.Send, mo.Send)
	}
	if ma.Transport == roamline.DTLS && (ma.Active == mo.Active || ma.Fingerprint != o.Local.Fingerprint || ma.Ufrag != o.Local.Ufrag) {
		t.Errorf("DTLS %+v and %+v", ma, mo)
	}
}
