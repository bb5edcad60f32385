package sound

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/roamline/roamline"
)

// spokenAt returns the speech that there is, one after the other, at rate.
func spokenAt(t testing.TB, rate int) []int16 {
	t.Helper()
	if rate == g722Rate { // the prompts have nothing above 4 kHz
		one := samples(t, "in.s16")
		return one[:len(one)-1600] // without the test signals
	}
	var all []int16
	for _, p := range []roamline.Prompt{roamline.NotSignedIn, roamline.NumberVacant, roamline.TryLater} {
		pcm, err := speech(p)(rate)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, pcm...)
	}
	return all
}

// spectrum is the power in every third band of pcm under a Hann window, by
// Goertzel's algorithm.
func spectrum(pcm []int16) []float64 {
	n := len(pcm)
	shaped := make([]float64, n)
	for i, x := range pcm {
		shaped[i] = float64(x) * (0.5 - 0.5*math.Cos(2*math.Pi*float64(i)/float64(n)))
	}
	out := make([]float64, 0, n/6+1)
	for k := 1; k < n/2; k += 3 {
		c := 2 * math.Cos(2*math.Pi*float64(k)/float64(n))
		var s1, s2 float64
		for _, x := range shaped {
			s1, s2 = x+c*s1-s2, s1
		}
		out = append(out, s1*s1+s2*s2-c*s1*s2)
	}
	return out
}

// distance is how far two spectra lie apart, dB: the root mean square over the
// bands of the difference of their logarithms, above a floor at -60 dBFS.
func distance(a, b []int16) float64 {
	floor := math.Pow(32.768, 2) * float64(len(a)) * 3 / 8
	sa, sb, sum := spectrum(a), spectrum(b), 0.0
	for k := range sa {
		d := 10 * math.Log10((sa[k]+floor)/(sb[k]+floor))
		sum += d * d
	}
	return math.Sqrt(sum / float64(len(sa)))
}

// A score is what loss did to speech where it was not silent: the mean distance
// over the parts of 20 ms that were lost or touch one that was, and the
// correlation of what was lost with what stood in for it.
type score struct{ distance, correlation float64 }

// lose encodes speech, loses a part of its packets of 20 ms and has each of
// them replaced by hide, which gets the packet's place and what was heard before.
func lose(t testing.TB, e interface {
	Encode([]int16, []byte) (int, error)
}, d interface {
	Decode([]byte, []int16) (int, error)
}, whole interface {
	Decode([]byte, []int16) (int, error)
}, pcm []int16, rate int, part float64, hide func(pcm, heard []int16)) score {
	t.Helper()
	frame := rate / 50
	var heard, want []int16
	var gone []bool
	buf, out := make([]byte, 1500), make([]int16, longestOpus)
	r := rand.New(rand.NewPCG(1, 2))
	for at := 0; at+frame <= len(pcm); at += frame {
		n, err := e.Encode(pcm[at:at+frame], buf)
		if err != nil {
			t.Fatal(err)
		}
		whole.Decode(buf[:n], out)
		want = append(want, out[:frame]...)
		lost := at > 5*frame && r.Float64() < part
		if gone = append(gone, lost); lost {
			hide(out[:frame], heard)
		} else {
			d.Decode(buf[:n], out)
		}
		heard = append(heard, out[:frame]...)
	}
	var s score
	var xy, xx, yy float64
	n := 0
	for i := 2; i < 2*len(gone)-1; i++ { // by half frames, so that seams count
		a, b := want[i*frame/2:][:frame], heard[i*frame/2:][:frame]
		if !gone[i/2] && !gone[(i+1)/2] && !gone[i/2-1] || rms(a) < 0.005 {
			continue
		}
		s.distance += distance(a, b)
		n++
		for k := range a {
			if !gone[(i*frame/2+k)/frame] {
				continue
			}
			xy += float64(a[k]) * float64(b[k])
			xx += float64(a[k]) * float64(a[k])
			yy += float64(b[k]) * float64(b[k])
		}
	}
	return score{s.distance / float64(n), xy / math.Sqrt(xx*yy+1)}
}

// Speech of which 5 % is lost, in each codec: what is done against it is better
// than silence, and than the last packet once more, by spectrum and by wave.
func TestConcealmentIsBetterThanNone(t *testing.T) {
	l := library(t)
	for _, c := range codecs {
		if c.codec.Is(roamline.Opus) {
			continue // gopus conceals
		}
		t.Run(c.codec.Name, func(t *testing.T) {
			var pcm []int16
			for len(pcm) < 40*c.rate { // different packets are lost each time
				pcm = append(pcm, spokenAt(t, c.rate)...)
			}
			run := func(kind string) score {
				e, d := codec(t, l, c.codec)
				_, whole := codec(t, l, c.codec)
				return lose(t, e, d, whole, pcm, c.rate, 0.05, func(pcm, heard []int16) {
					switch kind {
					case "silence":
						clear(pcm)
					case "repetition":
						copy(pcm, heard[len(heard)-len(pcm):])
					default:
						d.Conceal(pcm)
					}
				})
			}
			ours, silence, again := run("ours"), run("silence"), run("repetition")
			t.Logf("distance %.1f dB (silence %.1f, repetition %.1f), correlation %.2f (%.2f, %.2f)",
				ours.distance, silence.distance, again.distance, ours.correlation, silence.correlation, again.correlation)
			if ours.distance > silence.distance*0.75 || ours.distance > again.distance*0.98 {
				t.Errorf("distance %.1f dB, silence %.1f, repetition %.1f", ours.distance, silence.distance, again.distance)
			}
			if ours.correlation < again.correlation+0.25 {
				t.Errorf("correlation %.2f, repetition %.2f", ours.correlation, again.correlation)
			}
		})
	}
}
