package pcm

import (
	"bytes"
	"slices"
	"testing"
	"time"
)

func TestG711(t *testing.T) {
	for name, l := range map[string]*Law{"PCMU": ULaw, "PCMA": ALaw} {
		t.Run(name+": a code survives its sample", func(t *testing.T) {
			for c := range 256 {
				got := l.encode(l.decode[c])
				if got != byte(c) && l.decode[got] != l.decode[c] {
					t.Errorf("code %#x became %#x", c, got)
				}
			}
		})
		t.Run(name+": a sample stays within 3 % and a small step", func(t *testing.T) {
			for v := -32768; v < 32768; v++ {
				got := int(l.decode[l.encode(int16(v))])
				if d := max(got-v, v-got); d > max(v, -v)/31+16 && max(v, -v) < 32636 {
					t.Fatalf("%d became %d", v, got)
				}
			}
		})
	}
	t.Run("the values of the standard", func(t *testing.T) {
		if ULaw.encode(0) != 0xff || ALaw.encode(0) != 0xd5 || ULaw.decode[0] != -32124 || ALaw.decode[0x2a] != -32256 {
			t.Error(ULaw.encode(0), ALaw.encode(0), ULaw.decode[0], ALaw.decode[0x2a])
		}
	})
}

func TestHears(t *testing.T) {
	both := Join(Silence(time.Second), Tone(440, 600*time.Millisecond), Tone(1000, 600*time.Millisecond))
	if !Hears(both, 440) || !Hears(both, 1000) {
		t.Error("a tone that is there is not found")
	}
	if Hears(both, 700) || Hears(Tone(440, 300*time.Millisecond), 440) || Hears(Silence(time.Second), 440) {
		t.Error("a tone that is not there, or too short, is found")
	}
}

func TestFind(t *testing.T) {
	mark := Chirp(200 * time.Millisecond)
	heard := Join(Tone(440, 500*time.Millisecond), mark, Silence(time.Second))
	through := ALaw.Decode(nil, ALaw.Encode(nil, heard))
	if at, l := Find(through, mark); at != 4000 || l < 0.99 {
		t.Errorf("found at %d with %.2f", at, l)
	}
	if _, l := Find(Tone(700, time.Second), mark); l > 0.3 {
		t.Errorf("found where it is not, with %.2f", l)
	}
}

func TestClip(t *testing.T) {
	c := &Clip{Samples: []int16{1, 2}, Gap: Length(1), Times: 2}
	to := make([]int16, 4)
	if !c.Fill(to) || !slices.Equal(to, []int16{1, 2, 0, 1}) {
		t.Error(to)
	}
	if c.Fill(to) || !slices.Equal(to, []int16{2, 0, 0, 0}) {
		t.Error(to)
	}
}

func TestWAV(t *testing.T) {
	var b bytes.Buffer
	if err := WriteWAV(&b, []int16{1, -2, 3}); err != nil {
		t.Fatal(err)
	}
	got, err := ReadWAV(b.Bytes(), 1<<20)
	if err != nil || !slices.Equal(got, []int16{1, -2, 3}) {
		t.Error(got, err)
	}
}

func FuzzReadWAV(f *testing.F) {
	var b bytes.Buffer
	WriteWAV(&b, []int16{1, -2, 3})
	f.Add(b.Bytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		if s, _ := ReadWAV(b, 1000); len(s) > 1000 {
			t.Errorf("%d samples", len(s))
		}
	})
}
