package sound

import (
	"encoding/binary"
	"errors"
)

// parseWAV reads a RIFF WAVE file of 16-bit mono samples and returns them with
// their sampling, Hz.
func parseWAV(file []byte) (pcm []int16, rate int, err error) {
	if len(file) < 12 || string(file[:4]) != "RIFF" || string(file[8:12]) != "WAVE" {
		return nil, 0, errors.New("not a WAVE file")
	}
	le := binary.LittleEndian
	for rest := file[12:]; len(rest) >= 8; {
		id, size := string(rest[:4]), uint64(le.Uint32(rest[4:]))
		rest = rest[8:]
		if size > uint64(len(rest)) {
			return nil, 0, errors.New("WAVE file cut short")
		}
		body := rest[:size]
		switch id {
		case "fmt ":
			if size < 16 || le.Uint16(body) != 1 || le.Uint16(body[2:]) != 1 || le.Uint16(body[14:]) != 16 {
				return nil, 0, errors.New("WAVE file is not 16-bit mono")
			}
			rate = int(le.Uint32(body[4:]))
		case "data":
			if rate == 0 {
				return nil, 0, errors.New("WAVE file without a format")
			}
			pcm = make([]int16, size/2)
			for i := range pcm {
				pcm[i] = int16(le.Uint16(body[2*i:]))
			}
			return pcm, rate, nil
		}
		rest = rest[min(size+size&1, uint64(len(rest))):] // chunks are padded to even length
	}
	return nil, 0, errors.New("WAVE file without samples")
}
