package sound

import (
	"math"
	"testing"

	"github.com/roamline/roamline"
	"github.com/thesyncim/gopus"
)

// The characteristics of ITU-T G.711, tables 1 and 2, as their text has them:
// eight chords of 16 steps, each chord's steps twice as wide as those before. A
// code is found here by logarithm, in the encoder by shifting.
func TestG711IsTheStandard(t *testing.T) {
	for i := math.MinInt16; i <= math.MaxInt16; i++ {
		x := int16(i)
		m := i
		if i < 0 {
			m = -i - 1 // the negative half mirrors the positive, without a second zero
		}
		if got, want := muLaw.encode[uint16(x)>>2], muFormula(m>>2, i >= 0); got != want {
			t.Fatalf("mu-law of %d: %#x, want %#x", i, got, want)
		}
		if got, want := aLaw.encode[uint16(x)>>2], aFormula(m>>3, i >= 0); got != want {
			t.Fatalf("A-law of %d: %#x, want %#x", i, got, want)
		}
	}
	for code := range 256 {
		// What is decoded and encoded again is the same, but that mu-law has two
		// zeros and encodes none of them as negative.
		if again := muLaw.encode[uint16(muLaw.decode[code])>>2]; again != byte(code) && code != 0x7f {
			t.Errorf("mu-law %#x becomes %#x", code, again)
		}
		if again := aLaw.encode[uint16(aLaw.decode[code])>>2]; again != byte(code) {
			t.Errorf("A-law %#x becomes %#x", code, again)
		}
	}
	// Values of the tables: virtual decision value and quantised value of the
	// first and last codes.
	for _, row := range []struct {
		law  *law
		code byte
		want int16
	}{{muLaw, 0x80, 8031 * 4}, {muLaw, 0x00, -8031 * 4}, {muLaw, 0xff, 0}, {muLaw, 0xef, 33 * 4},
		{aLaw, 0xaa, 4032 * 8}, {aLaw, 0x2a, -4032 * 8}, {aLaw, 0xd5, 1 * 8}, {aLaw, 0x55, -1 * 8}} {
		if got := row.law.decode[row.code]; got != row.want {
			t.Errorf("%#x: %d, want %d", row.code, got, row.want)
		}
	}
}

// muFormula takes a 14-bit magnitude.
func muFormula(m int, positive bool) byte {
	biased := math.Min(float64(m)+33, 8191)
	chord := math.Floor(math.Log2(biased)) - 5
	step := math.Floor(biased/math.Exp2(chord+1)) - 16
	code := byte(chord*16+step) ^ 0x7f
	if positive {
		code |= 0x80
	}
	return code
}

// aFormula takes a 13-bit magnitude.
func aFormula(m int, positive bool) byte {
	chord := math.Max(0, math.Floor(math.Log2(math.Max(float64(m), 1)))-4)
	step := math.Floor(float64(m) / math.Exp2(math.Max(chord, 1)))
	if chord > 0 {
		step -= 16
	}
	code := byte(chord*16+step) ^ 0x55
	if positive {
		code ^= 0x80
	}
	return code
}

func TestLossIsHidden(t *testing.T) {
	l := library(t)
	for _, c := range codecs {
		t.Run(c.codec.Name, func(t *testing.T) {
			e, d := codec(t, l, c.codec)
			// A voice-like wave: 130 Hz and its harmonics.
			frame := c.rate / 50
			wave := make([]int16, 25*frame)
			for i := range wave {
				for h := 1.0; h <= 8; h++ {
					wave[i] += int16(4000 / h * math.Sin(2*math.Pi*130*h*float64(i)/float64(c.rate)+h*h))
				}
			}
			var heard []int16
			buf, pcm := make([]byte, 1500), make([]int16, longestOpus)
			for k := range 25 {
				n, err := e.Encode(wave[k*frame:(k+1)*frame], buf)
				if err != nil {
					t.Fatal(err)
				}
				var got int
				if k == 12 || k == 18 || k == 19 {
					got = d.Conceal(pcm[:frame])
				} else {
					got, _ = d.Decode(buf[:n], pcm)
				}
				if got != frame {
					t.Fatalf("%d samples of frame %d", got, k)
				}
				heard = append(heard, pcm[:got]...)
			}
			steepest := 0
			for i := 6 * frame; i < 11*frame; i++ {
				steepest = max(steepest, abs(int(heard[i])-int(heard[i-1])))
			}
			for i := 11 * frame; i < len(heard); i++ {
				if step := abs(int(heard[i]) - int(heard[i-1])); step > steepest*3/2 {
					t.Errorf("step of %d at %.2f frames, %d before the loss", step, float64(i)/float64(frame), steepest)
				}
			}
			whole := rms(heard[8*frame : 11*frame])
			if lost := rms(heard[12*frame : 13*frame]); lost < whole/2 || lost > whole*1.2 {
				t.Errorf("level %.3f in the gap, %.3f before", lost, whole)
			}
		})
	}
	t.Run("a long gap falls silent", func(t *testing.T) {
		_, d := codec(t, l, roamline.PCMU)
		pcm := make([]int16, 160)
		d.Decode(bytesOf(0x90, 160), pcm)
		for range 4 {
			d.Conceal(pcm)
		}
		if level := rms(pcm[100:]); level != 0 {
			t.Errorf("level %.3f after 80 ms", level)
		}
	})
	t.Run("a gap at the start is silent", func(t *testing.T) {
		for _, c := range codecs {
			_, d := codec(t, l, c.codec)
			pcm := make([]int16, c.rate/50)
			if n := d.Conceal(pcm); n != len(pcm) || rms(pcm) != 0 {
				t.Errorf("%s: %d samples of %.3f", c.codec.Name, n, rms(pcm))
			}
		}
	})
}

func bytesOf(b byte, n int) []byte {
	out := make([]byte, n)
	for i := range out {
		out[i] = b
	}
	return out
}

func TestOpusRecoversFromTheNextPacket(t *testing.T) {
	l := library(t)
	e, d := codec(t, l, roamline.Opus)
	pcm, _ := speech(roamline.NotSignedIn)(opusRate)
	out, lost, recovered := make([]int16, longestOpus), 0, 0
	var before []byte
	for at := 0; at+960 <= len(pcm); at += 960 {
		buf := make([]byte, 1500)
		n, err := e.Encode(pcm[at:at+960], buf)
		if err != nil {
			t.Fatal(err)
		}
		packet := buf[:n]
		if before != nil && lost%5 == 4 {
			if n := d.(*opusDecoder).Recover(packet, out[:960]); n == 960 {
				recovered++
			} else if n != 0 {
				t.Fatalf("%d samples recovered", n)
			}
		}
		if lost++; lost%5 != 4 {
			if _, err := d.Decode(packet, out); err != nil {
				t.Fatal(err)
			}
		}
		before = packet
	}
	if recovered < lost/10 {
		t.Errorf("%d frames recovered of %d", recovered, lost/5)
	}
}

func FuzzDecoders(f *testing.F) {
	l := library(f)
	frames, _ := l.Frames(roamline.NotSignedIn, roamline.Opus)
	for _, i := range []int{0, 20, 21, 60} {
		f.Add(frames[i], frames[i+1])
	}
	f.Add([]byte{0xff, 0xff}, []byte{})
	f.Add([]byte{gopus.GenerateTOC(31, true, 3), 48}, []byte{3})
	f.Fuzz(func(t *testing.T, a, b []byte) {
		for _, c := range codecs {
			_, d := codec(t, l, c.codec)
			pcm := make([]int16, longestOpus)
			for _, p := range [][]byte{a, b} {
				if n, err := d.Decode(p, pcm); n < 0 || n > len(pcm) || err != nil && n != 0 {
					t.Errorf("%s: %d samples, %v", c.codec.Name, n, err)
				}
				if n := d.Conceal(pcm[:c.rate/50]); n != c.rate/50 {
					t.Errorf("%s: %d samples concealed", c.codec.Name, n)
				}
				if o, ok := d.(*opusDecoder); ok {
					o.Recover(p, pcm[:960])
				}
			}
			d.Decode(a, pcm[:10]) // no room
		}
	})
}

func FuzzWAV(f *testing.F) {
	file, _ := spoken.ReadFile("prompts/no-answer.wav")
	f.Add(file[:2000])
	f.Fuzz(func(t *testing.T, b []byte) {
		if pcm, rate, err := parseWAV(b); err == nil && (rate == 0 || len(pcm) > len(b)) {
			t.Errorf("%d samples at %d", len(pcm), rate)
		}
	})
}
