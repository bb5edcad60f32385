// Package comfort describes, reads and makes comfort noise (RFC 3389): what is
// heard while a source is silent on purpose, like the room that it is in.
package comfort

import (
	"errors"
	"math"
)

// MaxOrder is the most spectral coefficients that are used; a payload may hold
// more (RFC 3389 section 3.3), which are left out.
const MaxOrder = 12

// A Noise is the description that a payload holds.
type Noise struct {
	Level int // below overload, dB: 0 to 127 (RFC 3389 section 3.1)
	Order int // coefficients in use, 0 for white noise
	// K are the reflection coefficients, between -1 and 1. The sign is that of
	// A(z) = 1 + K[0]/z + ...: noise that is louder in the lower half of the band
	// has a negative first one, as in browsers.
	K [MaxOrder]float32
}

var errEmpty = errors.New("comfort noise without a level")

// Parse reads a payload: one byte of level, one for each coefficient (RFC 3389
// section 3). An empty one is an error.
func Parse(b []byte) (Noise, error) {
	if len(b) == 0 {
		return Noise{}, errEmpty
	}
	n := Noise{Level: int(b[0] & 0x7f), Order: min(len(b)-1, MaxOrder)} // the first bit is reserved
	for i := range n.Order {
		n.K[i] = min(max(258*(float32(b[1+i])-127)/32768, -0.99), 0.99)
	}
	return n, nil
}

// Append writes the payload of n after b. A receiver that knows only the level
// reads it too.
func (n Noise) Append(b []byte) []byte {
	b = append(b, byte(min(max(n.Level, 0), 127)))
	for _, k := range n.K[:n.Order] {
		code := math.Round(float64(k)*32768/258) + 127
		b = append(b, byte(min(max(code, 0), 254)))
	}
	return b
}

// Measure describes the sound of pcm, which should be 10 ms or more without
// speech, with order coefficients (at most MaxOrder).
func Measure(pcm []int16, order int) Noise {
	order = min(max(order, 0), MaxOrder)
	n := Noise{Level: 127, Order: order}
	if len(pcm) == 0 {
		return n
	}
	var r [MaxOrder + 1]float64
	for lag := range min(order+1, len(pcm)) {
		for i, x := range pcm[lag:] {
			r[lag] += float64(x) * float64(pcm[i])
		}
	}
	if r[0] == 0 {
		return n
	}
	n.Level = int(min(max(math.Round(-20*math.Log10(math.Sqrt(r[0]/float64(len(pcm)))/32768)), 0), 127))
	r[0] *= 1.0001 // as much white noise: no pole comes too near the circle
	var a [MaxOrder + 1]float64
	left := r[0]
	for i := 1; i <= order; i++ { // Levinson and Durbin
		k := -r[i]
		for j := 1; j < i; j++ {
			k -= a[j] * r[i-j]
		}
		k /= left
		n.K[i-1] = float32(k)
		before := a
		for j := 1; j < i; j++ {
			a[j] += k * before[i-j]
		}
		a[i] = k
		left *= 1 - k*k
	}
	return n
}

// A Generator makes noise. The zero value is silent until Set.
type Generator struct {
	noise    Noise
	gain     float32 // of the excitation, now
	aim      float32
	back     [MaxOrder + 1]float32
	random   uint32
	begun    bool
	Sampling int // Hz, for the softness of changes; 0: 8000
}

// soft is how long a change of level takes, seconds.
const soft = 0.02

const overload = 65536

// Set has the noise become as n says, over 20 ms.
func (g *Generator) Set(n Noise) {
	n.Order = min(max(n.Order, 0), MaxOrder)
	left := 1.0
	for i, k := range n.K[:n.Order] {
		k = min(max(k, -0.99), 0.99)
		n.K[i] = k
		left *= float64(1 - k*k)
	}
	g.noise = n
	// White noise between -1 and 1 has the power 1/3.
	g.aim = float32(32768 * math.Pow(10, -float64(n.Level)/20) * math.Sqrt(3*left))
	if n.Level >= 127 {
		g.aim = 0
	}
	if !g.begun {
		g.begun, g.random = true, 2463534242
	}
}

// Stop has the noise fade over 20 ms.
func (g *Generator) Stop() { g.aim = 0 }

// Fill writes the next noise to pcm.
func (g *Generator) Fill(pcm []int16) {
	rate := g.Sampling
	if rate == 0 {
		rate = 8000
	}
	glide := float32(1 - math.Exp(-4/(soft*float64(rate))))
	k := g.noise.K[:g.noise.Order]
	for i := range pcm {
		g.gain += glide * (g.aim - g.gain)
		g.random ^= g.random << 13
		g.random ^= g.random >> 17
		g.random ^= g.random << 5
		f := g.gain * float32(int32(g.random)) / (1 << 31)
		for j := len(k) - 1; j >= 0; j-- { // an all-pole lattice
			// Bounded, for one filter may begin on what another left.
			f = min(max(f-k[j]*g.back[j], -overload), overload)
			g.back[j+1] = g.back[j] + k[j]*f
		}
		g.back[0] = f
		pcm[i] = int16(math.RoundToEven(float64(min(max(f, -32768), 32767))))
	}
}
