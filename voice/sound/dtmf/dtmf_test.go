package dtmf

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"pgregory.net/rapid"
)

// A tone is a pair as a row has it.
type tone struct {
	digit       byte
	ms          int
	level       float64 // of the low tone's peak, dBFS
	twist       float64 // the high tone above it, dB
	astrayLow   float64 // per cent
	astrayHigh  float64
	noise       float64 // root mean square, dBFS; 0: none
	rate        int
	lead, after int // silence, ms
}

func (w tone) pcm(seed uint64) []int16 {
	r := rand.New(rand.NewPCG(seed, 3))
	var low, high float64
	for i, row := range keys {
		for j := range row {
			if row[j] == w.digit {
				low, high = tones[i], tones[4+j]
			}
		}
	}
	low *= 1 + w.astrayLow/100
	high *= 1 + w.astrayHigh/100
	a := 32768 * math.Pow(10, w.level/20)
	b := a * math.Pow(10, w.twist/20)
	n := 0.0
	if w.noise != 0 {
		n = 32768 * math.Pow(10, w.noise/20)
	}
	var out []int16
	from := r.Float64() * 10
	for i := range (w.lead + w.ms + w.after) * w.rate / 1000 {
		x := n * r.NormFloat64()
		if t := float64(i) / float64(w.rate); i >= w.lead*w.rate/1000 && i < (w.lead+w.ms)*w.rate/1000 {
			x += a*math.Sin(2*math.Pi*low*t+from) + b*math.Sin(2*math.Pi*high*t+2*from)
		}
		out = append(out, int16(min(max(x, -32768), 32767)))
	}
	return out
}

func digits(d *Detector, pcm []int16) (began string, ended int) {
	for len(pcm) > 0 {
		n := min(len(pcm), int(d.rate)/50)
		for _, e := range d.Feed(pcm[:n]) {
			if e.End {
				ended++
			} else {
				began += string(e.Digit)
			}
		}
		pcm = pcm[n:]
	}
	return began, ended
}

// The conditions of ITU-T Q.24, table A-1.
func TestDigits(t *testing.T) {
	usual := tone{ms: 60, level: -15, rate: 8000, lead: 40, after: 60}
	with := func(change func(*tone)) tone { w := usual; change(&w); return w }
	for _, row := range []struct {
		name string
		tone tone
		want bool
	}{
		{"as sent", usual, true},
		{"40 ms", with(func(w *tone) { w.ms = 40 }), true},
		{"20 ms is too short", with(func(w *tone) { w.ms = 20 }), false},
		{"loud", with(func(w *tone) { w.level = -7 }), true},
		{"quiet", with(func(w *tone) { w.level = -42 }), true},
		{"too quiet", with(func(w *tone) { w.level = -62 }), false},
		{"high tone 4 dB stronger", with(func(w *tone) { w.twist = 3.7 }), true},
		{"high tone 8 dB weaker", with(func(w *tone) { w.twist = -7.5 }), true},
		{"high tone 8 dB stronger", with(func(w *tone) { w.twist = 8 }), false},
		{"high tone 12 dB weaker", with(func(w *tone) { w.twist = -12 }), false},
		{"1.5 % above", with(func(w *tone) { w.astrayLow, w.astrayHigh = 1.5, 1.5 }), true},
		{"1.5 % below and above", with(func(w *tone) { w.astrayLow, w.astrayHigh = -1.5, 1.5 }), true},
		{"low tone 3.5 % above", with(func(w *tone) { w.astrayLow = 3.5 }), false},
		{"low tone 3.5 % below", with(func(w *tone) { w.astrayLow = -3.5 }), false},
		{"high tone 3.5 % above", with(func(w *tone) { w.astrayHigh = 3.5 }), false},
		{"high tone 3.5 % below", with(func(w *tone) { w.astrayHigh = -3.5 }), false},
		{"noise 15 dB below", with(func(w *tone) { w.noise = -30 }), true},
		{"one tone alone", with(func(w *tone) { w.twist = -60 }), false},
		{"at 16000 Hz", with(func(w *tone) { w.rate = 16000 }), true},
		{"at 48000 Hz", with(func(w *tone) { w.rate = 48000 }), true},
	} {
		t.Run(row.name, func(t *testing.T) {
			for i, digit := range []byte("123A456B789C*0#D") {
				row.tone.digit = digit
				row.tone.lead = 40 + i
				began, ended := digits(New(row.tone.rate), row.tone.pcm(uint64(i)))
				if row.want && (began != string(digit) || ended != 1) || !row.want && began != "" {
					t.Errorf("%c: %q began, %d ended", digit, began, ended)
				}
			}
		})
	}
}

func TestDialling(t *testing.T) {
	var pcm []int16
	const dialled = "112233*#0044556677"
	for _, c := range []byte(dialled) {
		pcm = append(pcm, tone{digit: c, ms: 50, level: -12, rate: 8000, after: 50}.pcm(1)...)
	}
	if began, ended := digits(New(8000), pcm); began != dialled || ended != len(dialled) {
		t.Errorf("%q, %d ended", began, ended)
	}
}

// A gap of 8 ms does not make two digits of one.
func TestShortGapIsNoEnd(t *testing.T) {
	pcm := tone{digit: '5', ms: 60, level: -12, rate: 8000, after: 8}.pcm(1)
	pcm = append(pcm, tone{digit: '5', ms: 60, level: -12, rate: 8000, after: 60}.pcm(1)...)
	if began, ended := digits(New(8000), pcm); began != "5" || ended != 1 {
		t.Errorf("%q, %d ended", began, ended)
	}
}

// However it is cut, the same is heard.
func TestCutsMakeNoDifference(t *testing.T) {
	pcm := tone{digit: '7', ms: 80, level: -12, rate: 8000, lead: 13, after: 60}.pcm(1)
	rapid.Check(t, func(t *rapid.T) {
		d, began, ended := New(8000), 0, 0
		var from int64
		for rest := pcm; len(rest) > 0; {
			n := min(rapid.IntRange(1, 400).Draw(t, "n"), len(rest))
			for _, e := range d.Feed(rest[:n]) {
				if e.End {
					ended++
					if e.At-from < 60*8 || e.At-from > 100*8 {
						t.Fatalf("lasted %d samples", e.At-from)
					}
				} else {
					began++
					from = e.At
				}
			}
			rest = rest[n:]
		}
		if began != 1 || ended != 1 {
			t.Fatal(began, ended)
		}
	})
}

// Talk-off: how many digits are heard in speech, which has none. The speech is
// all that there is in the repository, at eight speeds and against a copy of
// itself, so that more voices are heard than there are.
func TestSpeechIsNoDigit(t *testing.T) {
	var files []string
	for _, pattern := range []string{"../prompts/*.wav", "../../../demo/carrier/voices/*.wav"} {
		found, _ := filepath.Glob(pattern)
		files = append(files, found...)
	}
	if len(files) < 4 {
		t.Fatalf("only %d files", len(files))
	}
	heard, seconds := 0, 0.0
	for _, name := range files {
		file, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		pcm := wave(file)
		for _, speed := range []float64{0.8, 0.87, 0.94, 1, 1.07, 1.15, 1.24, 1.33} {
			d, other := New(8000), 0
			var out []int16
			for at := 0.0; int(at)+1 < len(pcm); at += speed {
				i := int(at)
				part := at - float64(i)
				x := float64(pcm[i])*(1-part) + float64(pcm[i+1])*part
				out = append(out, int16(x))
			}
			began, _ := digits(d, out)
			heard += len(began)
			for i := range out { // two voices at once
				if other = i - 1700; other >= 0 {
					out[i] = int16((int(out[i]) + int(out[other])) / 2)
				}
			}
			began, _ = digits(New(8000), out)
			heard += len(began)
			seconds += 2 * float64(len(out)) / 8000
		}
	}
	t.Logf("%d digits heard in %.0f s of speech", heard, seconds)
	if heard > 0 {
		t.Errorf("%d digits heard in %.0f s of speech", heard, seconds)
	}
}

// wave returns the samples of a WAVE file: 16-bit, mu-law or 8-bit.
func wave(file []byte) []int16 {
	le, format, bits := binary.LittleEndian, uint16(0), uint16(0)
	for rest := file[12:]; len(rest) >= 8; {
		size := min(int(le.Uint32(rest[4:])), len(rest)-8)
		body := rest[8 : 8+size]
		switch string(rest[:4]) {
		case "fmt ":
			format, bits = le.Uint16(body), le.Uint16(body[14:])
		case "data":
			var pcm []int16
			switch {
			case format == 7:
				for _, c := range body {
					c = ^c
					m := (2*int(c&15)+33)<<(c>>4&7) - 33
					if c&0x80 != 0 {
						m = -m
					}
					pcm = append(pcm, int16(m<<2))
				}
			case format == 1 && bits == 16:
				for i := 0; i+1 < len(body); i += 2 {
					pcm = append(pcm, int16(le.Uint16(body[i:])))
				}
			}
			return pcm
		}
		rest = rest[8+size+size&1:]
	}
	return nil
}

func TestNothingIsAllocated(t *testing.T) {
	d, pcm := New(8000), tone{digit: '1', ms: 60, level: -12, rate: 8000, after: 60}.pcm(1)
	if n := testing.AllocsPerRun(20, func() { d.Feed(pcm) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkFeed(b *testing.B) {
	d, pcm := New(8000), tone{digit: '1', ms: 20, level: -12, rate: 8000}.pcm(1)
	for b.Loop() {
		d.Feed(pcm)
	}
}
