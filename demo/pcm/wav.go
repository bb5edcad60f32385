package pcm

import (
	"encoding/binary"
	"errors"
	"io"
)

// WriteWAV writes the channels as one WAV file of 16 bits at 8 kHz; shorter
// channels end in silence.
func WriteWAV(w io.Writer, channels ...[]int16) error {
	n := 0
	for _, c := range channels {
		n = max(n, len(c))
	}
	width := 2 * len(channels)
	b := make([]byte, 0, 44+n*width)
	b = append(b, "RIFF"...)
	b = binary.LittleEndian.AppendUint32(b, uint32(36+n*width))
	b = append(b, "WAVEfmt "...)
	b = binary.LittleEndian.AppendUint32(b, 16)
	b = binary.LittleEndian.AppendUint16(b, 1)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(channels)))
	b = binary.LittleEndian.AppendUint32(b, Rate)
	b = binary.LittleEndian.AppendUint32(b, uint32(Rate*width))
	b = binary.LittleEndian.AppendUint16(b, uint16(width))
	b = binary.LittleEndian.AppendUint16(b, 16)
	b = append(b, "data"...)
	b = binary.LittleEndian.AppendUint32(b, uint32(n*width))
	for i := range n {
		for _, c := range channels {
			v := int16(0)
			if i < len(c) {
				v = c[i]
			}
			b = binary.LittleEndian.AppendUint16(b, uint16(v))
		}
	}
	_, err := w.Write(b)
	return err
}

// ReadWAV returns the samples of an 8 kHz mono WAV file, linear of 16 bits or
// G.711 (formats 1, 6 and 7). At most limit bytes of samples are read.
func ReadWAV(b []byte, limit int) ([]int16, error) {
	if len(b) < 12 || string(b[:4]) != "RIFF" || string(b[8:12]) != "WAVE" {
		return nil, errors.New("pcm: not a WAV file")
	}
	var format, channels uint16
	var rate uint32
	for b = b[12:]; len(b) >= 8; {
		id, size := string(b[:4]), int(binary.LittleEndian.Uint32(b[4:8]))
		b = b[8:]
		size = min(size, len(b))
		if id == "fmt " && size >= 16 {
			format = binary.LittleEndian.Uint16(b)
			channels = binary.LittleEndian.Uint16(b[2:])
			rate = binary.LittleEndian.Uint32(b[4:])
		}
		if id == "data" {
			if channels != 1 || rate != Rate {
				return nil, errors.New("pcm: the WAV file is not 8 kHz mono")
			}
			return samples(format, b[:min(size, limit)])
		}
		b = b[min(size+size&1, len(b)):]
	}
	return nil, errors.New("pcm: the WAV file holds no samples")
}

func samples(format uint16, b []byte) ([]int16, error) {
	switch format {
	case 1:
		s := make([]int16, len(b)/2)
		for i := range s {
			s[i] = int16(binary.LittleEndian.Uint16(b[2*i:]))
		}
		return s, nil
	case 6:
		return ALaw.Decode(nil, b), nil
	case 7:
		return ULaw.Decode(nil, b), nil
	}
	return nil, errors.New("pcm: the WAV file is neither linear nor G.711")
}
