package voice

import "github.com/roamline/roamline"

// Sounds is the supply of codecs and prompts; voice/sound has the one that the
// server uses. All methods may be called from any goroutine; what they return
// belongs to one leg and is used by one goroutine at a time.
type Sounds interface {
	// Frames returns the prompt encoded for c, one payload for each 20 ms. They
	// are shared between calls and never modified. NotFound if the prompt is not
	// known, Incompatibility if c has no encoder.
	Frames(p roamline.Prompt, c roamline.Codec) ([][]byte, error)

	// Decoder and Encoder return a codec in its initial state, working at the
	// codec's own sampling: 8000 Hz for PCMU and PCMA, 48000 Hz for opus, mono.
	// Incompatibility if c is not known.
	Decoder(c roamline.Codec) (Decoder, error)
	Encoder(c roamline.Codec) (Encoder, error)

	// Resampler returns a converter from one sampling to another, both Hz.
	Resampler(from, to int) Resampler
}

// A Decoder turns the payloads of one stream into samples. If it is an
// io.Closer too, it is closed when the leg is done with it.
type Decoder interface {
	// Decode writes the samples of payload to pcm and returns how many they are.
	Decode(payload []byte, pcm []int16) (n int, err error)
	// Conceal fills pcm with a guess at what a lost packet held and returns how
	// many samples it wrote.
	Conceal(pcm []int16) int
}

// An Encoder turns samples into payloads. If it is an io.Closer too, it is
// closed when the leg is done with it.
type Encoder interface {
	// Encode writes the payload for pcm, which is one frame, to dst and returns
	// its length in bytes.
	Encode(pcm []int16, dst []byte) (n int, err error)
}

// A Resampler converts one stream of samples; it keeps the filter's state
// between calls.
type Resampler interface {
	// Resample converts all of in, writes to out and returns how many samples it
	// wrote.
	Resample(in, out []int16) int
}
