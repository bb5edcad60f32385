package pcm

import "math"

// Level returns the root mean square of s as a share of full scale, 0 to 1.
func Level(s []int16) float64 {
	if len(s) == 0 {
		return 0
	}
	return math.Sqrt(energy(s)/float64(len(s))) / 32768
}

func energy(s []int16) (e float64) {
	for _, v := range s {
		e += float64(v) * float64(v)
	}
	return e
}

// Share returns how much of the energy of s lies at hz, 0 to 1 (Goertzel).
func Share(s []int16, hz float64) float64 {
	total := energy(s)
	if total == 0 {
		return 0
	}
	c := 2 * math.Cos(2*math.Pi*hz/Rate)
	var a, b float64
	for _, v := range s {
		a, b = float64(v)+c*a-b, a
	}
	return min(1, 2*(a*a+b*b-c*a*b)/(total*float64(len(s))))
}

// Hears reports whether a tone of hz is heard in s: somewhere, for at least 400
// ms, louder than -50 dB and with nearly nothing else beside it.
func Hears(s []int16, hz float64) bool {
	const window, step, enough = Rate / 10, Rate / 20, 8
	row := 0
	for i := 0; i+window <= len(s); i += step {
		part := s[i : i+window]
		if Level(part) < 0.003 || Share(part, hz) < 0.8 {
			row = 0
			continue
		}
		if row++; row == enough {
			return true
		}
	}
	return false
}

// Find looks for sound in s and returns where it begins, in samples, and how
// alike the two are there, 0 to 1 (normalised cross-correlation). 0.5 and more
// is a find for a chirp, also through Opus. It is -1 if s is too short.
func Find(s, sound []int16) (at int, likeness float64) {
	at = -1
	own := energy(sound)
	if own == 0 || len(s) < len(sound) {
		return at, 0
	}
	here := energy(s[:len(sound)])
	for i := 0; ; i++ {
		if here > own/10000 {
			sum := 0.0
			for j, v := range sound {
				sum += float64(v) * float64(s[i+j])
			}
			if l := sum / math.Sqrt(own*here); l > likeness {
				at, likeness = i, l
			}
		}
		if i+len(sound) >= len(s) {
			return at, likeness
		}
		out, in := float64(s[i]), float64(s[i+len(sound)])
		here += in*in - out*out
	}
}
