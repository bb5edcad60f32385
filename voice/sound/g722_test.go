package sound

import (
	"bytes"
	"encoding/binary"
	"math"
	"os"
	"slices"
	"testing"

	"github.com/roamline/roamline"
	"pgregory.net/rapid"
)

// The vectors of testdata/g722, made by spandsp and ffmpeg: see make.sh there.
func vector(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile("testdata/g722/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func samples(t testing.TB, name string) []int16 {
	t.Helper()
	b := vector(t, name)
	pcm := make([]int16, len(b)/2)
	for i := range pcm {
		pcm[i] = int16(binary.LittleEndian.Uint16(b[2*i:]))
	}
	return pcm
}

func TestG722EncodesAsSpandsp(t *testing.T) {
	want := vector(t, "in.g722")
	got := make([]byte, len(want))
	n, err := newG722Encoder().Encode(samples(t, "in.s16"), got)
	if err != nil || n != len(want) {
		t.Fatal(n, err)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("byte %d of %d: %#x, want %#x", i, len(want), got[i], want[i])
		}
	}
}

func TestG722DecodesAsFFmpeg(t *testing.T) {
	for _, row := range []struct{ name, code, pcm string }{
		{"speech, full scale and noise", "in.g722", "out.s16"},
		{"bytes without sense", "any.g722", "any.s16"},
	} {
		t.Run(row.name, func(t *testing.T) {
			want := samples(t, row.pcm)
			got := make([]int16, len(want))
			if n, err := newG722Decoder().Decode(vector(t, row.code), got); err != nil || n != len(want) {
				t.Fatal(n, err)
			}
			for i := range want {
				if got[i] != want[i] {
					t.Fatalf("sample %d of %d: %d, want %d", i, len(want), got[i], want[i])
				}
			}
		})
	}
}

// A codec sees one stream, however it is cut into packets.
func TestG722DoesNotSeeTheCuts(t *testing.T) {
	code, pcm := vector(t, "in.g722")[:2500], samples(t, "in.s16")[:5000]
	whole := make([]int16, len(pcm))
	newG722Decoder().Decode(code, whole)
	rapid.Check(t, func(t *rapid.T) {
		e, d := newG722Encoder(), newG722Decoder()
		for at := 0; at < len(code); {
			n := min(rapid.IntRange(0, 700).Draw(t, "bytes"), len(code)-at)
			coded, back := make([]byte, n), make([]int16, 2*n)
			if k, err := e.Encode(pcm[2*at:2*(at+n)], coded); err != nil || k != n || !bytes.Equal(coded, code[at:at+n]) {
				t.Fatalf("%d bytes at %d are otherwise encoded: %v", k, at, err)
			}
			if k, err := d.Decode(code[at:at+n], back); err != nil || k != 2*n || !slices.Equal(back, whole[2*at:2*(at+n)]) {
				t.Fatalf("%d samples at %d are otherwise decoded: %v", k, 2*at, err)
			}
			at += n
		}
	})
}

// What G.722 is for: the band up to 7 kHz passes, flat and clear.
func TestG722Passes7kHz(t *testing.T) {
	for _, hz := range []float64{100, 300, 1000, 3000, 3800, 4200, 5000, 6000, 7000} {
		tone := Tone(hz, 1000, g722Rate)
		code, back := make([]byte, len(tone)/2), make([]int16, len(tone))
		newG722Encoder().Encode(tone, code)
		newG722Decoder().Decode(code, back)
		middle := back[4000:12000]
		level, all := Level(middle, g722Rate, hz), rms(middle)*math.Sqrt2
		if gain := 20 * math.Log10(level/loudness); math.Abs(gain) > 1 {
			t.Errorf("%v Hz: %.1f dB", hz, gain)
		}
		if noise := 10 * math.Log10(max(all*all-level*level, 1e-9)/(level*level)); noise > -13 {
			t.Errorf("%v Hz: noise at %.1f dB", hz, noise)
		}
	}
}

func TestG722SaysThatThereIsNoRoom(t *testing.T) {
	if n, err := newG722Encoder().Encode(make([]int16, 320), make([]byte, 159)); n != 0 || err == nil {
		t.Error(n, err)
	}
	if n, err := newG722Decoder().Decode(make([]byte, 160), make([]int16, 319)); n != 0 || err == nil {
		t.Error(n, err)
	}
}

// No bytes lead the predictors out of their bounds.
func FuzzG722(f *testing.F) {
	f.Add(vector(f, "any.g722")[:400])
	f.Add(bytes.Repeat([]byte{0x84}, 400))
	f.Add(bytes.Repeat([]byte{0x04, 0xa0}, 300))
	f.Fuzz(func(t *testing.T, code []byte) {
		d, pcm := newG722Decoder(), make([]int16, 2*len(code))
		if n, err := d.Decode(code, pcm); n != len(pcm) || err != nil {
			t.Fatal(n, err)
		}
		for _, b := range []g722Band{d.state.low, d.state.high} {
			if b.step < 8 || b.step > 32767 || clamp16(b.signal) != b.signal || b.a[1] < -12288 || b.a[1] > 12288 {
				t.Fatalf("%+v", b)
			}
		}
		back := make([]byte, len(code))
		if n, err := newG722Encoder().Encode(pcm, back); n != len(code) || err != nil {
			t.Fatal(n, err)
		}
	})
}

// Between G.722 and Opus the band above 4 kHz is kept, if the encoder was told.
func TestOpusKeepsTheWideBandOfG722(t *testing.T) {
	l := library(t)
	for _, row := range []struct {
		from  int
		least float64
		most  float64
	}{{8000, 0, 0.01}, {g722Rate, 0.15, 0.3}} {
		e, err := l.EncoderFrom(G722, row.from)
		if _, ok := e.(*g722Encoder); !ok || err != nil {
			t.Fatal(e, err)
		}
		if e, err = l.EncoderFrom(roamline.Opus, row.from); err != nil {
			t.Fatal(err)
		}
		defer release(e)
		_, d := codec(t, l, roamline.Opus)
		tone, buf, pcm := Tone(6000, 1000, opusRate), make([]byte, 1500), make([]int16, longestOpus)
		var heard []int16
		for at := 0; at < len(tone); at += 960 {
			n, err := e.Encode(tone[at:at+960], buf)
			if err != nil {
				t.Fatal(err)
			}
			n, _ = d.Decode(buf[:n], pcm)
			heard = append(heard, pcm[:n]...)
		}
		if level := Level(heard[12000:36000], opusRate, 6000); level < row.least || level > row.most {
			t.Errorf("from %d Hz: 6 kHz at %.3f", row.from, level)
		}
	}
}
