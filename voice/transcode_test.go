package voice_test

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/pion/rtp"

	"github.com/roamline/roamline"
	"github.com/roamline/roamline/voice"
)

// goertzel returns the share of the power of pcm that is at f Hz.
func goertzel(pcm []int16, f, rate float64) float64 {
	w := 2 * math.Pi * f / rate
	var s1, s2, power float64
	for _, v := range pcm {
		x := float64(v)
		s1, s2 = x+2*math.Cos(w)*s1-s2, s1
		power += x * x
	}
	n := float64(len(pcm))
	return 2 * (s1*s1 + s2*s2 - 2*math.Cos(w)*s1*s2) / n / power
}

// tones sends a tone of f Hz from one phone, encoded as c, until stop.
func tones(t *testing.T, p *phone, c roamline.Codec, f float64, stop <-chan struct{}) <-chan struct{} {
	lib := must[voice.Sounds](t)(library())
	enc := must[voice.Encoder](t)(lib.Encoder(c))
	done := make(chan struct{})
	go func() {
		defer close(done)
		pcm, out := make([]int16, c.Rate/50), make([]byte, 1500)
		at := 0
		for tick := time.NewTicker(20 * time.Millisecond); ; {
			select {
			case <-stop:
				return
			case <-tick.C:
			}
			for i := range pcm {
				pcm[i] = int16(9000 * math.Sin(2*math.Pi*f*float64(at)/float64(c.Rate)))
				at++
			}
			n, err := enc.Encode(pcm, out)
			if err != nil {
				return
			}
			p.packet(rtp.Header{PayloadType: c.Payload}, out[:n], uint32(c.Rate/50))
		}
	}()
	return done
}

// finds listens until a second of p's voice holds the tone.
func finds(t *testing.T, p *phone, c roamline.Codec, f float64) {
	t.Helper()
	dec := must[voice.Decoder](t)(must[voice.Sounds](t)(library()).Decoder(c))
	var heard []int16
	pcm := make([]int16, 5760)
	var last *rtp.Packet
	for len(heard) < c.Rate*3/2 {
		q := p.hear()
		if q.PayloadType != c.Payload || last != nil && (q.SequenceNumber != last.SequenceNumber+1 || (q.Timestamp-last.Timestamp)%uint32(c.Rate/50) != 0) {
			t.Fatalf("%v after %v", q, last)
		}
		last = q
		n, err := dec.Decode(q.Payload, pcm)
		ok(t, err)
		heard = append(heard, pcm[:n]...)
	}
	// A sender that a busy machine kept waiting shifts the tone's phase, and two
	// halves of a second may then cancel out: tenths are looked at one by one.
	var shares []float64
	for tenth := range slices.Chunk(heard[c.Rate/2:], c.Rate/10) {
		shares = append(shares, goertzel(tenth, f, float64(c.Rate)))
	}
	slices.Sort(shares)
	if middle := shares[len(shares)/2]; middle < 0.9 {
		t.Errorf("%v: %.2f of the sound is at %v Hz", c.Name, middle, f)
	}
}

func TestTranscoding(t *testing.T) {
	for _, c := range []struct{ a, b roamline.Codec }{{roamline.PCMU, roamline.Opus}, {roamline.PCMU, roamline.PCMA}} {
		t.Run(c.a.Name+" and "+c.b.Name, func(t *testing.T) {
			s := open(t)
			a, b := newPhone(t), newPhone(t)
			s.call("a", a, c.a)
			s.call("b", b, c.b)
			ok(t, s.Join("a", "b"))
			stop := make(chan struct{})
			one, two := tones(t, a, c.a, 440, stop), tones(t, b, c.b, 1000, stop)
			finds(t, b, c.b, 440)
			finds(t, a, c.a, 1000)
			close(stop)
			<-one
			<-two
		})
	}
}

func TestCodecChangedByRenegotiation(t *testing.T) {
	s := open(t)
	a, b := newPhone(t), newPhone(t)
	s.call("a", a, roamline.PCMU)
	s.call("b", b, roamline.Opus)
	ok(t, s.Join("a", "b"))
	ok(t, s.Connect("b", b.media(roamline.PCMU)))
	a.say([]byte("untouched"), 0)
	b.hearsNothingBut([]byte("untouched"))
}
