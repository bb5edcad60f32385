package pcm

import "math/bits"

// A Law turns samples into codes of one byte and back (ITU-T G.711).
type Law struct {
	encode func(int16) byte
	decode [256]int16
}

// The two laws of G.711.
var (
	ULaw = law(encodeULaw, decodeULaw)
	ALaw = law(encodeALaw, decodeALaw)
)

func law(enc func(int16) byte, dec func(byte) int16) *Law {
	l := &Law{encode: enc}
	for i := range l.decode {
		l.decode[i] = dec(byte(i))
	}
	return l
}

// Encode appends the codes of samples to b.
func (l *Law) Encode(b []byte, samples []int16) []byte {
	for _, s := range samples {
		b = append(b, l.encode(s))
	}
	return b
}

// Decode appends the samples of codes to s.
func (l *Law) Decode(s []int16, codes []byte) []int16 {
	for _, c := range codes {
		s = append(s, l.decode[c])
	}
	return s
}

// encodeULaw follows table 2a of G.711: a sign, the segment and four bits
// within it, all inverted, after adding a bias of 33 steps (132 in 16 bits).
func encodeULaw(s int16) byte {
	const bias, clip = 132, 32635
	v, sign := int(s), byte(0)
	if v < 0 {
		v, sign = -v, 0x80
	}
	v = min(v, clip) + bias
	segment := bits.Len(uint(v)) - 8
	return ^(sign | byte(segment)<<4 | byte(v>>(segment+3))&0x0f)
}

func decodeULaw(c byte) int16 {
	c = ^c
	v := (int(c&0x0f)<<3+132)<<(c>>4&7) - 132
	if c&0x80 != 0 {
		v = -v
	}
	return int16(v)
}

// encodeALaw follows table 1a of G.711: the even bits are inverted.
func encodeALaw(s int16) byte {
	v, sign := int(s), byte(0x80)
	if v < 0 {
		v, sign = -v-1, 0
	}
	segment := max(bits.Len(uint(v))-8, 0)
	return (sign | byte(segment)<<4 | byte(v>>max(segment+3, 4))&0x0f) ^ 0x55
}

func decodeALaw(c byte) int16 {
	c ^= 0x55
	segment := c >> 4 & 7
	v := int(c&0x0f)<<4 + 8
	if segment > 0 {
		v = (v + 256) << (segment - 1)
	}
	if c&0x80 == 0 {
		v = -v
	}
	return int16(v)
}
