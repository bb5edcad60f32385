package media

import (
	"net/netip"
	"testing"
	"time"

	"github.com/pion/rtp"

	"github.com/roamline/roamline/demo/pcm"
)

// FuzzPacket gives a session whatever may arrive at its port.
func FuzzPacket(f *testing.F) {
	f.Add([]byte{0x80, 0, 0, 1, 0, 0, 0, 160, 1, 2, 3, 4, 0xff, 0xff}, false)
	f.Add([]byte{0x80, 101, 0, 2, 0, 0, 1, 64, 1, 2, 3, 4, 5, 0x80, 1, 0}, false)
	f.Add([]byte{0x81, 201, 0, 7, 1, 2, 3, 4}, true)
	f.Add([]byte{0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, false)
	a, err := Open(Options{Secure: true, Codecs: []string{"opus", "PCMU"}, Host: loopback})
	if err != nil {
		f.Fatal(err)
	}
	b, err := Open(Options{Secure: true, Codecs: []string{"opus", "PCMU"}, Host: loopback})
	if err != nil {
		f.Fatal(err)
	}
	defer a.Close()
	defer b.Close()
	answer, err := b.Answer(a.Offer(SendRecv))
	if err != nil {
		f.Fatal(err)
	}
	if err := a.Accept(answer); err != nil {
		f.Fatal(err)
	}
	a.mu.Lock()
	a.sources = nil
	a.mu.Unlock()
	f.Fuzz(func(t *testing.T, packet []byte, rtcp bool) {
		a.take(packet, rtcp, time.Now())
		a.path.(*secure).stun(packet, netip.MustParseAddrPort("127.0.0.1:9"))
		if n := len(a.Heard()); n > mostHeard {
			t.Errorf("%d samples kept", n)
		}
		if len(a.Digits()) > 256 {
			t.Error("too many digits kept")
		}
	})
}

func TestWhatIsLostIsSilenceAndCounted(t *testing.T) {
	var e ear
	c, err := newCoder(known[0])
	if err != nil {
		t.Fatal(err)
	}
	at := time.Now()
	packet := func(n int) {
		m := newMouth(make([]byte, 8))
		m.sequence = uint16(n)
		s := &Session{ssrc: 7}
		payload, _ := c.encode(pcm.Tone(440, 20*time.Millisecond))
		raw := m.pack(s, known[0], uint32(n*pcm.Frame), false, payload)
		p := parsed(t, raw)
		e.take(&p, known[0], c, at.Add(time.Duration(n)*20*time.Millisecond))
	}
	for _, n := range []int{0, 1, 3, 4} {
		packet(n)
	}
	if e.lost() != 1 || len(e.heard) != 5*pcm.Frame || pcm.Level(e.heard[2*pcm.Frame:3*pcm.Frame]) != 0 {
		t.Errorf("lost %d, heard %d samples", e.lost(), len(e.heard))
	}
	packet(2) // it was only late
	if e.lost() != 0 || pcm.Level(e.heard[2*pcm.Frame:3*pcm.Frame]) == 0 {
		t.Errorf("lost %d after the late one came", e.lost())
	}
	if e.jitter > 200 {
		t.Errorf("jitter %.0f samples", e.jitter)
	}
	if _, ok := e.arrived(4*pcm.Frame + 5); !ok {
		t.Error("the last packet's arrival is not known")
	}
}

func parsed(t *testing.T, raw []byte) (p rtp.Packet) {
	t.Helper()
	if err := p.Unmarshal(raw); err != nil {
		t.Fatal(err)
	}
	return p
}
