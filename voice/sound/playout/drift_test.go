package playout

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"
)

// A source whose clock is off by 1500 ppm, far more than any should be, is
// heard for a minute: what is too much or too little is taken from the voice
// itself, and nobody hears where.
func TestDriftIsMadeGoodWithoutClicks(t *testing.T) {
	for _, ppm := range []float64{1500, -1500} {
		const packets = minutes
		r := rand.New(rand.NewPCG(9, 9))
		wave := voice(packets*160, 8000, 125)
		p, sent := New(Config{Clock: 8000}), 0
		var heard, fifo []int16
		changed, lost := 0, 0
		buf, body := make([]int16, 260), make([]byte, 320)
		for now := int64(0); now < packets*frame-500*ms; now += frame {
			for ; sent < packets; sent++ {
				at := int64(float64(sent)*float64(frame)/(1+ppm/1e6)) + r.Int64N(5*ms)
				if at > now {
					break
				}
				for i, x := range wave[sent*160 : (sent+1)*160] {
					binary.LittleEndian.PutUint16(body[2*i:], uint16(x))
				}
				p.Put(Packet{At: at, SSRC: 1, Seq: uint16(sent), TS: uint32(sent * 160), Body: body})
			}
			for len(fifo) < 160 {
				f := p.Take(now)
				if f.Kind != Sound {
					if len(heard) > 0 {
						lost++
					}
					break
				}
				for i := range 160 {
					buf[i] = int16(binary.LittleEndian.Uint16(f.Body[2*i:]))
				}
				n := Stretch(buf, 160, 8000, f.Pace)
				if n != 160 {
					changed++
				}
				fifo = append(fifo, buf[:n]...)
			}
			if len(fifo) >= 160 {
				heard = append(heard, fifo[:160]...)
				fifo = fifo[:copy(fifo, fifo[160:])]
			}
		}
		f := p.Figures()
		if changed < 6 || lost > 0 || f.Late+f.Skipped > 0 || f.Delay > 70*ms {
			t.Errorf("%v ppm: %d frames stretched, %d gaps: %+v", ppm, changed, lost, f)
		}
		if got, was := steepest(heard), steepest(wave); got > was*5/4 {
			t.Errorf("%v ppm: a step of %d, %d in the voice", ppm, got, was)
		}
		t.Logf("%v ppm: %d frames stretched in %d s, delay %d ms, %d gaps", ppm, changed, len(heard)/8000, f.Delay/ms, lost)
	}
}
