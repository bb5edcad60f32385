package voice

import (
	"io"

	"github.com/roamline/roamline"
)

// A transcoder turns what one leg sends into what another understands: a
// jitter buffer, a decoder, a resampler and an encoder, driven every 20 ms by
// the listener's pace.
type transcoder struct {
	buffer   jitterBuffer
	dec      Decoder
	enc      Encoder
	res      Resampler // nil if both codecs sample alike
	frameIn  int       // samples of 20 ms at the source
	frameOut int       // and at the listener
	pcm      []int16   // one decoded packet
	fifo     []int16   // converted, not yet encoded; at most 140 ms: of a packet, 120 ms are heard
	payload  []byte
	guessed  int  // frames concealed in a row
	event    bool // the source sends a digit: its silence is no loss
	gap      bool // nothing was sent in the last tick
	idle     int  // ticks without anything
}

const (
	maxGuessed   = 5              // 100 ms: further concealment is only noise
	longestFrame = 48000 * 3 / 25 // samples: 120 ms of Opus (RFC 6716 section 2.1.4)
	maxIdle      = 50             // ticks after which the pace rests
)

// sampling returns how many samples a codec's sound has in a second. The clock
// of G.722 says 8000 by an old error (RFC 3551 section 4.5.2).
func sampling(c roamline.Codec) int {
	if (roamline.Codec{Name: "G722", Rate: 8000}).Is(c) {
		return 16000
	}
	return c.Rate
}

func newTranscoder(s Sounds, from, to roamline.Codec) (*transcoder, error) {
	dec, err := s.Decoder(from)
	if err != nil {
		return nil, err
	}
	enc, err := s.Encoder(to)
	if err != nil {
		closeCodec(dec)
		return nil, err
	}
	in, out := sampling(from), sampling(to)
	c := &transcoder{dec: dec, enc: enc, frameIn: in / 50, frameOut: out / 50,
		pcm: make([]int16, longestFrame), fifo: make([]int16, 0, longestFrame+2*out/50+64), payload: make([]byte, maxPacket)}
	if in != out {
		c.res = s.Resampler(in, out)
	}
	return c, nil
}

func (c *transcoder) close() {
	if c != nil {
		closeCodec(c.dec)
		closeCodec(c.enc)
	}
}

func closeCodec(c any) {
	if x, ok := c.(io.Closer); ok {
		x.Close()
	}
}

// push takes a payload of the source.
func (c *transcoder) push(seq uint16, payload []byte, restart bool) {
	if restart {
		c.buffer.reset()
		c.buffer.started = false
	}
	c.event, c.idle = false, 0
	c.buffer.push(seq, payload)
}

// tick returns the payload of the next 20 ms, or nil if there is nothing to
// say. It is valid until the next tick.
func (c *transcoder) tick() []byte {
	for len(c.fifo) < c.frameOut {
		n := c.decode()
		if n == 0 {
			c.idle++
			return nil
		}
		c.convert(c.pcm[:n])
	}
	n, err := c.enc.Encode(c.fifo[:c.frameOut], c.payload)
	c.fifo = c.fifo[:copy(c.fifo, c.fifo[c.frameOut:])]
	if err != nil || n == 0 {
		return nil
	}
	return c.payload[:n]
}

// decode fills pcm with what is next and returns how many samples it has.
func (c *transcoder) decode() int {
	what, payload := c.buffer.pop()
	switch what {
	case packet:
		if n, err := c.dec.Decode(payload, c.pcm); err == nil && n > 0 {
			c.guessed = 0
			return min(n, 6*c.frameIn)
		}
	case nothing:
		if c.buffer.filling || c.event || c.guessed >= maxGuessed {
			c.buffer.starve()
			return 0
		}
	}
	c.guessed++
	return c.dec.Conceal(c.pcm[:c.frameIn])
}

func (c *transcoder) convert(in []int16) {
	at := len(c.fifo)
	room := c.fifo[at:cap(c.fifo)]
	var n int
	if c.res == nil {
		n = copy(room, in)
	} else {
		n = c.res.Resample(in, room)
	}
	c.fifo = c.fifo[:at+n]
}
