package sound

import (
	"errors"
	"io"
)

// G.711: 8000 Hz, one byte a sample. The tables are made at start from the
// arithmetic of ITU-T G.191's reference, which works on 14 bits for mu-law and
// 13 for A-law; so an encoding depends on the upper 14 bits of a sample.
var muLaw, aLaw = newLaw(muEncode, muDecode), newLaw(aEncode, aDecode)

type law struct {
	encode [1 << 14]byte
	decode [256]int16
}

func newLaw(encode func(int16) byte, decode func(byte) int16) *law {
	l := &law{}
	for i := range l.encode {
		l.encode[i] = encode(int16(i << 2))
	}
	for i := range l.decode {
		l.decode[i] = decode(byte(i))
	}
	return l
}

func muEncode(x int16) byte {
	magnitude := int(x)
	if x < 0 {
		magnitude = int(^x)
	}
	m := min(magnitude>>2+33, 0x1fff)
	segment := 0
	for m>>(segment+6) != 0 {
		segment++
	}
	code := byte(segment<<4 | m>>(segment+1)&15)
	if x < 0 {
		return ^code & 0x7f
	}
	return ^code
}

func muDecode(code byte) int16 {
	code = ^code
	segment, step := int(code>>4&7), int(code&15)
	m := (2*step+33)<<segment - 33
	if code&0x80 != 0 {
		m = -m
	}
	return int16(m << 2)
}

func aEncode(x int16) byte {
	m := int(x) >> 4
	if x < 0 {
		m = int(^x) >> 4
	}
	segment := 0
	if m > 15 {
		for segment = 1; m > 31; segment++ {
			m >>= 1
		}
		m -= 16
	}
	code := byte(segment<<4|m) ^ 0x55
	if x >= 0 {
		code |= 0x80
	}
	return code
}

func aDecode(code byte) int16 {
	code ^= 0x55
	segment, step := int(code>>4&7), int(code&15)
	m := step<<4 + 8
	if segment > 0 {
		m = (m + 256) << (segment - 1)
	}
	if code&0x80 == 0 {
		m = -m
	}
	return int16(m)
}

var errRoom = errors.New("no room for the samples of a packet")

type g711Encoder struct{ law *law }

func (e g711Encoder) Encode(pcm []int16, dst []byte) (int, error) {
	if len(dst) < len(pcm) {
		return 0, io.ErrShortBuffer
	}
	for i, x := range pcm {
		dst[i] = e.law.encode[uint16(x)>>2]
	}
	return len(pcm), nil
}

type g711Decoder struct {
	law *law
	gap concealer
}

func (d *g711Decoder) Decode(payload []byte, pcm []int16) (int, error) {
	if len(pcm) < len(payload) {
		return 0, errRoom
	}
	pcm = pcm[:len(payload)]
	for i, code := range payload {
		pcm[i] = d.law.decode[code]
	}
	d.gap.good(pcm)
	return len(pcm), nil
}

func (d *g711Decoder) Conceal(pcm []int16) int {
	d.gap.fill(pcm)
	return len(pcm)
}
