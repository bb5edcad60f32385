package sound

import (
	"errors"
	"sync"

	"github.com/thesyncim/gopus"
)

// Opus at 48000 Hz, mono. An encoder and a decoder together take about half a
// megabyte, so those that a leg has done with are used again.
var (
	opusDecoders = sync.Pool{New: func() any {
		d, err := gopus.NewDecoder(gopus.DefaultDecoderConfig(opusRate, 1))
		if err != nil {
			return err
		}
		return d
	}}
	opusEncoders = sync.Pool{New: func() any {
		e, err := gopus.NewEncoder(gopus.EncoderConfig{SampleRate: opusRate, Channels: 1, Application: gopus.ApplicationVoIP})
		if err != nil {
			return err
		}
		return e
	}}
)

const (
	opusRate = 48000
	// opusLoss is the loss that the encoder provides for: from some per cent on
	// it puts a coarse copy of each frame into the next (in-band FEC, RFC 6716
	// section 2.1.7).
	opusLoss = 10
	// longestOpus is a packet's most samples: 120 ms.
	longestOpus = 5760
)

var errClosed = errors.New("codec is closed")

// An opusSetting is what a sound needs of the encoder. Measured with speech on
// a 2-core virtual machine, us for a frame of 20 ms at complexity 0, 1, 2, 3, 5
// and 8: narrow band 95, 106, 127, 147, 157, 298; wide band 156, 162, 224, 221,
// 248, 424; full band 134, 148, 241, 246, 292, 455.
type opusSetting struct {
	bandwidth  gopus.Bandwidth
	bitrate    int
	complexity int
	signal     gopus.Signal
}

var (
	// A leg's voice that comes from G.711 has nothing above 4 kHz. From
	// complexity 1 on the pitch is looked for in two stages, which speech needs.
	opusLeg = opusSetting{gopus.BandwidthNarrowband, 24000, 1, gopus.SignalVoice}
	// One that comes from G.722, or from a mix, goes up to 7 or 8 kHz.
	opusWide = opusSetting{gopus.BandwidthWideband, 32000, 1, gopus.SignalVoice}
	// Prompts are encoded once.
	opusPrompt = opusSetting{gopus.BandwidthWideband, 32000, 5, gopus.SignalAuto}
)

type opusEncoder struct{ e *gopus.Encoder }

func newOpusEncoder(s opusSetting) (*opusEncoder, error) {
	switch e := opusEncoders.Get().(type) {
	case *gopus.Encoder:
		e.Reset()
		e.SetFEC(true)
		return &opusEncoder{e}, errors.Join(e.SetFrameSize(opusRate/50), e.SetMaxBandwidth(s.bandwidth), e.SetBitrate(s.bitrate),
			e.SetComplexity(s.complexity), e.SetSignal(s.signal), e.SetPacketLoss(opusLoss))
	case error:
		return nil, e
	}
	return nil, errClosed
}

func (o *opusEncoder) Encode(pcm []int16, dst []byte) (int, error) {
	if o.e == nil {
		return 0, errClosed
	}
	return o.e.EncodeInt16(pcm, dst)
}

// Close gives the encoder back.
func (o *opusEncoder) Close() error {
	if o.e != nil {
		opusEncoders.Put(o.e)
		o.e = nil
	}
	return nil
}

type opusDecoder struct{ d *gopus.Decoder }

func newOpusDecoder() (*opusDecoder, error) {
	switch d := opusDecoders.Get().(type) {
	case *gopus.Decoder:
		d.Reset()
		return &opusDecoder{d}, nil
	case error:
		return nil, d
	}
	return nil, errClosed
}

func (o *opusDecoder) Decode(payload []byte, pcm []int16) (int, error) {
	switch {
	case o.d == nil:
		return 0, errClosed
	case len(payload) == 0:
		return 0, gopus.ErrPacketTooShort // to gopus it would mean a loss
	}
	return o.d.DecodeInt16(payload, pcm)
}

func (o *opusDecoder) Conceal(pcm []int16) int {
	if o.d == nil {
		return 0
	}
	n, err := o.d.DecodeInt16(nil, pcm)
	if err != nil {
		clear(pcm)
		return len(pcm)
	}
	return n
}

// Recover writes to pcm the frame before the one in next, from the copy that
// next holds of it, and returns how many samples it wrote: 0 if next holds no
// copy. The length of pcm is that of the lost frame. Decode(next) follows.
func (o *opusDecoder) Recover(next []byte, pcm []int16) int {
	if o.d == nil || len(pcm) > longestOpus || !gopus.PacketHasLBRR(next) {
		return 0
	}
	scratch := scratches.Get().(*[longestOpus]float32)
	defer scratches.Put(scratch)
	n, err := o.d.DecodeWithFEC(next, scratch[:len(pcm)], true)
	if err != nil {
		return 0
	}
	for i, x := range scratch[:n] {
		pcm[i] = clip(x * 32768)
	}
	return n
}

var scratches = sync.Pool{New: func() any { return new([longestOpus]float32) }}

// Close gives the decoder back.
func (o *opusDecoder) Close() error {
	if o.d != nil {
		opusDecoders.Put(o.d)
		o.d = nil
	}
	return nil
}
