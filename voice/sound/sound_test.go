package sound

import (
	"bytes"
	"io"
	"math"
	"slices"
	"sync"
	"testing"

	"github.com/roamline/roamline"
	"github.com/roamline/roamline/voice"
)

var codecs = []struct {
	codec roamline.Codec
	rate  int
}{{roamline.PCMU, 8000}, {roamline.PCMA, 8000}, {G722, 16000}, {roamline.Opus, 48000}}

func library(t testing.TB) *Library {
	t.Helper()
	l, err := New()
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func codec(t testing.TB, l *Library, c roamline.Codec) (voice.Encoder, voice.Decoder) {
	t.Helper()
	e, err := l.Encoder(c)
	if err != nil {
		t.Fatal(err)
	}
	d, err := l.Decoder(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { release(e); release(d) })
	return e, d
}

func release(x any) {
	if c, ok := x.(io.Closer); ok {
		c.Close()
	}
}

// rms is the root mean square of pcm as a part of full scale.
func rms(pcm []int16) float64 {
	sum := 0.0
	for _, x := range pcm {
		sum += float64(x) * float64(x)
	}
	return math.Sqrt(sum/float64(len(pcm))) / 32768
}

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if math.Abs(got-want) > tolerance {
		t.Errorf("%s: %.4f, want %.4f within %.4f", what, got, want, tolerance)
	}
}

func TestToneComesThroughEachCodec(t *testing.T) {
	l := library(t)
	for _, c := range codecs {
		t.Run(c.codec.Name, func(t *testing.T) {
			e, d := codec(t, l, c.codec)
			tone, frame := Tone(440, 1000, c.rate), c.rate/50
			var heard []int16
			buf, pcm := make([]byte, 1500), make([]int16, longestOpus)
			for at := 0; at < len(tone); at += frame {
				n, err := e.Encode(tone[at:at+frame], buf)
				if err != nil {
					t.Fatal(err)
				}
				got, err := d.Decode(buf[:n], pcm)
				if err != nil || got != frame {
					t.Fatal(got, err)
				}
				heard = append(heard, pcm[:got]...)
			}
			middle := heard[c.rate/4 : c.rate*3/4]
			near(t, "440 Hz", Level(middle, c.rate, 440), loudness, 0.02)
			near(t, "all there is", rms(middle)*math.Sqrt2, loudness, 0.02)
		})
	}
}

func TestUnknownIsSaid(t *testing.T) {
	l := library(t)
	g729 := roamline.Codec{Name: "G729", Rate: 8000, Channels: 1}
	_, noEncoder := l.Encoder(g729)
	_, noDecoder := l.Decoder(g729)
	_, noFrames := l.Frames(roamline.BusyTone, g729)
	_, noPrompt := l.Frames("nonsense", roamline.PCMU)
	for _, row := range []struct {
		err  error
		kind roamline.Kind
	}{{noEncoder, roamline.Incompatibility}, {noDecoder, roamline.Incompatibility}, {noFrames, roamline.Incompatibility}, {noPrompt, roamline.NotFound}} {
		if row.err == nil || roamline.KindOf(row.err) != row.kind {
			t.Errorf("got %v, want %v", row.err, row.kind)
		}
	}
}

func TestPrompts(t *testing.T) {
	l := library(t)
	for p := range sources {
		for _, c := range codecs {
			t.Run(string(p)+" "+c.codec.Name, func(t *testing.T) {
				frames, err := l.Frames(p, c.codec)
				if err != nil {
					t.Fatal(err)
				}
				again, _ := l.Frames(p, c.codec)
				if &again[0][0] != &frames[0][0] {
					t.Error("encoded twice")
				}
				heard := play(t, l, c.codec, frames)
				if got := len(heard); got != len(frames)*c.rate/50 {
					t.Errorf("%d samples of %d frames", got, len(frames))
				}
				if level := rms(heard); level < 0.01 || level > 0.2 {
					t.Errorf("level %.3f", level)
				}
				peak := 0
				for _, x := range heard {
					peak = max(peak, int(x), -int(x))
				}
				if peak > 26000 {
					t.Errorf("peak %d", peak)
				}
			})
		}
	}
	t.Run("ringback is 1 s of 425 Hz in 5 s", func(t *testing.T) {
		frames, _ := l.Frames(roamline.Ringback, roamline.PCMA)
		heard := play(t, l, roamline.PCMA, frames)
		near(t, "length, s", float64(len(heard))/8000, 5, 0)
		near(t, "tone", Level(heard[800:7200], 8000, 425), loudness, 0.01)
		near(t, "rest", rms(heard[8000:]), 0, 0.001)
	})
}

func play(t *testing.T, l *Library, c roamline.Codec, frames [][]byte) []int16 {
	t.Helper()
	_, d := codec(t, l, c)
	var heard []int16
	pcm := make([]int16, longestOpus)
	for _, f := range frames {
		n, err := d.Decode(f, pcm)
		if err != nil {
			t.Fatal(err)
		}
		heard = append(heard, pcm[:n]...)
	}
	return heard
}

func TestMusicHasNoSeam(t *testing.T) {
	for _, rate := range []int{8000, 48000} {
		pcm := music(rate)
		if len(pcm)%(rate/50) != 0 {
			t.Errorf("%d samples are no whole frames", len(pcm))
		}
		steepest := 0
		for i := 1; i < len(pcm); i++ {
			steepest = max(steepest, abs(int(pcm[i])-int(pcm[i-1])))
		}
		if seam := abs(int(pcm[0]) - int(pcm[len(pcm)-1])); seam > steepest {
			t.Errorf("seam of %d where the steepest step is %d", seam, steepest)
		}
	}
	l := library(t)
	frames, err := l.Frames(roamline.HoldMusic, roamline.Opus)
	if err != nil {
		t.Fatal(err)
	}
	heard := play(t, l, roamline.Opus, slices.Concat(frames, frames))
	at, steepest := len(heard)/2, 0
	for i := 48000; i < at; i++ {
		steepest = max(steepest, abs(int(heard[i])-int(heard[i-1])))
	}
	for i := at - 960; i < at+960; i++ {
		if step := abs(int(heard[i]) - int(heard[i-1])); step > steepest {
			t.Errorf("step of %d at the seam, %d elsewhere", step, steepest)
			break
		}
	}
}

func abs(x int) int { return max(x, -x) }

func TestPreparedIsNotEncodedAgain(t *testing.T) {
	l := library(t)
	if err := l.Prepare(); err != nil {
		t.Fatal(err)
	}
	if a := testing.AllocsPerRun(5, func() { l.Frames(roamline.HoldMusic, roamline.Opus) }); a > 0 {
		t.Errorf("%.0f allocations", a)
	}
}

func TestFramesMayBeAskedForByMany(t *testing.T) {
	l := library(t)
	var wg sync.WaitGroup
	got := make([][][]byte, 8)
	for i := range got {
		wg.Go(func() { got[i], _ = l.Frames(roamline.BusyTone, roamline.Opus) })
	}
	wg.Wait()
	for _, f := range got {
		if len(f) != 50 || !bytes.Equal(f[7], got[0][7]) {
			t.Fatal("differ")
		}
	}
}

func TestClosedCodecDoesNothing(t *testing.T) {
	l := library(t)
	e, d := codec(t, l, roamline.Opus)
	for range 2 {
		release(e)
		release(d)
	}
	if _, err := e.Encode(make([]int16, 960), make([]byte, 100)); err == nil {
		t.Error("encoded")
	}
	if _, err := d.Decode([]byte{1, 2}, make([]int16, longestOpus)); err == nil {
		t.Error("decoded")
	}
	if d.Conceal(make([]int16, 960)) != 0 {
		t.Error("concealed")
	}
}

func TestNothingIsAllocatedPerFrame(t *testing.T) {
	l := library(t)
	for _, c := range codecs {
		e, d := codec(t, l, c.codec)
		tone, buf, pcm := Tone(440, 20, c.rate), make([]byte, 1500), make([]int16, longestOpus)
		// Gopus copies the quantiser's state to make the FEC copy of a frame, and
		// allocates when it conceals.
		encode, conceal := 0.0, 0.0
		if c.codec.Is(roamline.Opus) {
			encode, conceal = 6, 4
		}
		n := 0
		for _, work := range []struct {
			name string
			most float64
			do   func()
		}{
			{"encode", encode, func() { n, _ = e.Encode(tone, buf) }},
			{"decode", 0, func() { d.Decode(buf[:n], pcm) }},
			{"conceal", conceal, func() { d.Conceal(pcm[:c.rate/50]) }},
		} {
			if a := testing.AllocsPerRun(20, work.do); a > work.most {
				t.Errorf("%s %s: %.0f allocations", c.codec.Name, work.name, a)
			}
		}
	}
	r, in, out := l.Resampler(8000, 48000), Tone(440, 20, 8000), make([]int16, 960)
	if a := testing.AllocsPerRun(20, func() { r.Resample(in, out) }); a > 0 {
		t.Errorf("resample: %.0f allocations", a)
	}
}

func BenchmarkFrame(b *testing.B) {
	l := library(b)
	for _, c := range codecs {
		e, d := codec(b, l, c.codec)
		file, _ := speech(roamline.NotSignedIn)(c.rate)
		frame, buf, pcm := c.rate/50, make([]byte, 1500), make([]int16, longestOpus)
		at := 0
		b.Run("encode/"+c.codec.Name, func(b *testing.B) {
			for b.Loop() {
				e.Encode(file[at:at+frame], buf)
				if at += frame; at+frame > len(file) {
					at = 0
				}
			}
		})
		frames, _ := l.Frames(roamline.NotSignedIn, c.codec)
		i := 0
		b.Run("decode/"+c.codec.Name, func(b *testing.B) {
			for b.Loop() {
				d.Decode(frames[i%len(frames)], pcm)
				i++
			}
		})
		b.Run("conceal/"+c.codec.Name, func(b *testing.B) {
			for b.Loop() {
				d.Conceal(pcm[:frame])
			}
		})
	}
	for _, way := range [][2]int{{8000, 48000}, {48000, 8000}} {
		r, in, out := l.Resampler(way[0], way[1]), Tone(440, 20, way[0]), make([]int16, 960)
		b.Run("resample", func(b *testing.B) {
			for b.Loop() {
				r.Resample(in, out)
			}
		})
	}
}
