package playout

import "math"

// Stretch makes the n samples at the beginning of pcm shorter or longer by one
// period of the voice, at most 12.5 ms, and returns how many they are then:
// about what WSOLA does, a part of the wave is cross-faded with its like. The
// first and the last sample stay, so there is no click at either end. Where
// nothing is alike enough (the beginning of a word) or pcm is shorter than 10 ms
// nothing changes. Shortened frames keep at least 5 ms. To lengthen, pcm needs
// room for 12.5 ms more. Sampling is rate, Hz, 8000 to 48000.
func Stretch(pcm []int16, n, rate int, pace Pace) int {
	if pace == Keep || n > len(pcm) || n < rate/100 {
		return n
	}
	lag := likeness(pcm[:n], rate)
	if lag == 0 {
		return n
	}
	fade := min(lag, n-lag)
	x := pcm[:n]
	if pace == Shorten {
		for i := range fade {
			x[i] = mix(x[i], x[i+lag], i, fade)
		}
		copy(x[fade:], x[fade+lag:])
		return n - lag
	}
	if n+lag > len(pcm) {
		return n
	}
	// The first period is heard, then the wave goes back to where it was.
	copy(pcm[lag+fade:n+lag], x[fade:])
	for i := range fade {
		// What stands at lag+i was overwritten from lag+fade on only.
		pcm[lag+i] = mix(pcm[lag+i], pcm[i], i, fade)
	}
	return n + lag
}

func mix(from, to int16, i, n int) int16 {
	w := (2*float64(i) + 1) / float64(2*n)
	return int16(math.Round(float64(from)*(1-w) + float64(to)*w))
}

// stillness is the mean square below which any two parts are alike: -60 dBFS.
const stillness = 32 * 32

// likeness returns the lag, samples, after which x is most like itself, between
// 2.5 and 12.5 ms; 0 if it is not.
func likeness(x []int16, rate int) int {
	stride := max(1, rate/8000)
	least, most := rate/400, min(rate/80, len(x)/2)
	best, found := 0.0, 0
	for lag := least; lag <= most; lag += stride {
		if like := alike(x, lag, stride); like > best {
			best, found = like, lag
		}
	}
	if stride > 1 && found > 0 {
		for lag := max(least, found-stride+1); lag < min(most+1, found+stride); lag++ {
			if like := alike(x, lag, stride); like > best {
				best, found = like, lag
			}
		}
	}
	if best < 0.75 {
		return 0
	}
	return found
}

// alike is the correlation of the beginning of x with what comes lag later.
func alike(x []int16, lag, stride int) float64 {
	n := min(max(lag, len(x)/3), len(x)-lag)
	var ab, aa, bb float64
	for i := 0; i < n; i += stride {
		a, b := float64(x[i]), float64(x[i+lag])
		ab += a * b
		aa += a * a
		bb += b * b
	}
	if count := float64((n + stride - 1) / stride); (aa+bb)/2 < stillness*count {
		return 1
	}
	return ab / math.Sqrt(aa*bb+1)
}
