package playout

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// voice is a wave with hz and its harmonics, like a vowel.
func voice(n, rate int, hz float64) []int16 {
	pcm := make([]int16, n)
	for i := range pcm {
		x := 0.0
		for h := 1.0; h <= 8; h++ {
			x += 4000 / h * math.Sin(2*math.Pi*hz*h*float64(i)/float64(rate)+h*h)
		}
		pcm[i] = int16(x)
	}
	return pcm
}

func steepest(pcm []int16) int {
	most := 0
	for i := 1; i < len(pcm); i++ {
		most = max(most, int(math.Abs(float64(pcm[i])-float64(pcm[i-1]))))
	}
	return most
}

func TestStretchLeavesNoClick(t *testing.T) {
	for _, rate := range []int{8000, 16000, 48000} {
		for _, hz := range []float64{95, 130, 210, 320} {
			wave, frame := voice(rate/2, rate, hz), rate/50
			for _, pace := range []Pace{Shorten, Lengthen} {
				var out []int16
				changed := 0
				for at := 0; at+frame <= len(wave); at += frame {
					buf := make([]int16, frame+rate/80)
					copy(buf, wave[at:at+frame])
					n := Stretch(buf, frame, rate, pace)
					if d := n - frame; d != 0 {
						changed++
						if (d < 0) != (pace == Shorten) || d > rate/80 || -d > rate/80 {
							t.Fatalf("%d Hz: a frame of %d became %d", rate, frame, n)
						}
					}
					out = append(out, buf[:n]...)
				}
				if changed < 20 {
					t.Errorf("%v Hz at %d: only %d frames of 25 changed", hz, rate, changed)
				}
				if got, was := steepest(out), steepest(wave); got > was*5/4 {
					t.Errorf("%v Hz at %d, pace %d: a step of %d, %d before", hz, rate, pace, got, was)
				}
			}
		}
	}
}

// The ends stay, whatever the sound, and what is not alike stays whole.
func TestStretchKeepsTheEnds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 960).Draw(t, "n")
		rate := rapid.SampledFrom([]int{8000, 16000, 48000}).Draw(t, "rate")
		pace := rapid.SampledFrom([]Pace{Shorten, Keep, Lengthen}).Draw(t, "pace")
		buf := make([]int16, n+rapid.IntRange(0, 700).Draw(t, "room"))
		for i := range n {
			buf[i] = int16(9000*math.Sin(float64(i*i)/float64(n+1))) + int16(i%17)
		}
		was := append([]int16(nil), buf[:n]...)
		got := Stretch(buf, n, rate, pace)
		if got == n {
			for i := range n {
				if buf[i] != was[i] {
					t.Fatalf("sample %d changed", i)
				}
			}
			return
		}
		if got > len(buf) || got < n/2 || pace == Keep || buf[got-1] != was[n-1] && pace == Lengthen && got-n < n/2 {
			t.Fatalf("%d became %d", n, got)
		}
	})
}

func TestStretchAllocatesNothing(t *testing.T) {
	wave, buf := voice(320, 16000, 130), make([]int16, 540)
	if n := testing.AllocsPerRun(20, func() { copy(buf, wave); Stretch(buf, 320, 16000, Lengthen) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkStretch(b *testing.B) {
	wave, buf := voice(960, 48000, 130), make([]int16, 1600)
	for b.Loop() {
		copy(buf, wave)
		Stretch(buf, 960, 48000, Shorten)
	}
}
