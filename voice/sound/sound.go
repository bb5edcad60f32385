// Package sound is the supply of codecs, converters and prompts that the voice
// engine works with: G.711 by tables, G.722, Opus by gopus, a polyphase
// resampler, concealment of lost packets, tones and hold music made by arithmetic, and spoken prompts from files.
package sound

import (
	"embed"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/roamline/roamline"
	"github.com/roamline/roamline/voice"
)

// The spoken prompts; prompts/make.sh made them.
//
//go:embed prompts/*.wav
var spoken embed.FS

// A Library implements voice.Sounds. All its methods are safe for concurrent
// use.
type Library struct {
	prompts map[prepared]func() ([][]byte, error) // each prepared on its first use
}

var _ voice.Sounds = (*Library)(nil)

// A prepared prompt is one in the format of one codec.
type prepared struct {
	prompt roamline.Prompt
	codec  string
}

// tongues are the codecs that the library speaks, with the sampling of
// what they encode, Hz.
var tongues = []struct {
	codec roamline.Codec
	rate  int
}{{roamline.PCMU, 8000}, {roamline.PCMA, 8000}, {G722, g722Rate}, {roamline.Opus, opusRate}}

// sources are the prompts, as samples at a rate. Tones repeat without a seam.
var sources = map[roamline.Prompt]func(rate int) ([]int16, error){
	// The tones of ITU-T E.180 as most of Europe has them.
	roamline.Ringback:     func(rate int) ([]int16, error) { return cadence(425, 1000, 4000, rate), nil },
	roamline.BusyTone:     func(rate int) ([]int16, error) { return cadence(425, 500, 500, rate), nil },
	roamline.Congestion:   func(rate int) ([]int16, error) { return cadence(425, 250, 250, rate), nil },
	roamline.HoldMusic:    func(rate int) ([]int16, error) { return music(rate), nil },
	roamline.NotSignedIn:  speech(roamline.NotSignedIn),
	roamline.NumberVacant: speech(roamline.NumberVacant),
	roamline.NobodyPicked: speech(roamline.NobodyPicked),
	roamline.TryLater:     speech(roamline.TryLater),
}

// New returns a library with all prompts of the root package, each encoded when
// it is asked for first (the hold music in Opus takes longest: 0.2 s; Prepare
// does it beforehand). It fails if a spoken prompt's file is missing or can't be
// read.
func New() (*Library, error) {
	l := &Library{prompts: map[prepared]func() ([][]byte, error){}}
	for p, source := range sources {
		if _, err := source(8000); err != nil {
			return nil, &roamline.Error{Op: "sound.New", Of: string(p), Err: err}
		}
		for _, t := range tongues {
			l.prompts[prepared{p, t.codec.Name}] = sync.OnceValues(func() ([][]byte, error) {
				return encodePrompt(source, t.codec, t.rate)
			})
		}
	}
	return l, nil
}

// Prepare encodes what Frames would encode on first use, so that no call waits
// for it: all prompts in all codecs, about 0.5 s of one core.
func (l *Library) Prepare() error {
	for p, frames := range l.prompts {
		if _, err := frames(); err != nil {
			return &roamline.Error{Op: "sound.Prepare", Of: string(p.prompt), Err: err}
		}
	}
	return nil
}

// Frames returns the prompt encoded for c, one payload for each 20 ms; played
// again and again, tones and hold music have no seam. The payloads are shared
// and must not be modified. NotFound if the prompt is not known,
// Incompatibility if c has no encoder.
func (l *Library) Frames(p roamline.Prompt, c roamline.Codec) ([][]byte, error) {
	const op = "sound.Frames"
	if _, ok := sources[p]; !ok {
		return nil, &roamline.Error{Op: op, Kind: roamline.NotFound, Of: string(p)}
	}
	name, ok := tongue(c)
	if !ok {
		return nil, unknown(op, c)
	}
	frames, err := l.prompts[prepared{p, name}]()
	if err != nil {
		return nil, &roamline.Error{Op: op, Of: string(p), Err: err}
	}
	return frames, nil
}

// Decoder returns a decoder for c in its initial state: 8000 Hz for PCMU and
// PCMA, 16000 Hz for G722, 48000 Hz for opus (of which a packet holds at most
// 5760 samples), mono.
// That of opus is an io.Closer and should be closed, and has a method
// Recover(next []byte, pcm []int16) int for a lost frame whose copy is in the
// next packet. Incompatibility if c is not known.
func (l *Library) Decoder(c roamline.Codec) (voice.Decoder, error) {
	const op = "sound.Decoder"
	switch name, _ := tongue(c); name {
	case roamline.PCMU.Name:
		return &g711Decoder{law: muLaw, gap: newConcealer(8000)}, nil
	case roamline.PCMA.Name:
		return &g711Decoder{law: aLaw, gap: newConcealer(8000)}, nil
	case G722.Name:
		return newG722Decoder(), nil
	case roamline.Opus.Name:
		d, err := newOpusDecoder()
		if err != nil {
			return nil, &roamline.Error{Op: op, Of: c.Name, Err: err}
		}
		return d, nil
	}
	return nil, unknown(op, c)
}

// Encoder returns an encoder for c in its initial state, with the sampling of
// Decoder. A frame is 20 ms; for G.711 any length, for G722 any even
// number of samples, for opus 10, 20, 40 or 60 ms.
// That of opus is an io.Closer and should be closed. Incompatibility if c is
// not known.
func (l *Library) Encoder(c roamline.Codec) (voice.Encoder, error) {
	return l.EncoderFrom(c, 8000)
}

// EncoderFrom is Encoder for a voice that was sampled at from, Hz, before it
// was converted to c's sampling: that of opus spends nothing on a band that is
// empty, and keeps one that isn't (from above 8000: wide band).
func (l *Library) EncoderFrom(c roamline.Codec, from int) (voice.Encoder, error) {
	setting := opusLeg
	if from > 8000 {
		setting = opusWide
	}
	e, err := newEncoder(c, setting)
	if errors.Is(err, errUnknown) {
		return nil, unknown("sound.Encoder", c)
	}
	if err != nil {
		return nil, &roamline.Error{Op: "sound.Encoder", Of: c.Name, Err: err}
	}
	return e, nil
}

// Resampler returns a converter between two samplings, Hz, of a mono stream. It
// delays by 16 samples of the slower one.
func (l *Library) Resampler(from, to int) voice.Resampler {
	if from == to {
		return unchanged{}
	}
	return newResampler(from, to)
}

var errUnknown = errors.New("no such codec")

func newEncoder(c roamline.Codec, s opusSetting) (voice.Encoder, error) {
	switch name, _ := tongue(c); name {
	case roamline.PCMU.Name:
		return g711Encoder{muLaw}, nil
	case roamline.PCMA.Name:
		return g711Encoder{aLaw}, nil
	case G722.Name:
		return newG722Encoder(), nil
	case roamline.Opus.Name:
		return newOpusEncoder(s)
	}
	return nil, errUnknown
}

// tongue returns the name by which the library knows c.
func tongue(c roamline.Codec) (string, bool) {
	for _, t := range tongues {
		if t.codec.Is(c) {
			return t.codec.Name, true
		}
	}
	return "", false
}

func unknown(op string, c roamline.Codec) error {
	return &roamline.Error{Op: op, Kind: roamline.Incompatibility, Of: fmt.Sprintf("%s/%d", c.Name, c.Rate)}
}

// speech returns the source of a spoken prompt.
func speech(p roamline.Prompt) func(rate int) ([]int16, error) {
	return func(rate int) ([]int16, error) {
		file, err := spoken.ReadFile("prompts/" + string(p) + ".wav")
		if err != nil {
			return nil, err
		}
		pcm, from, err := parseWAV(file)
		if err != nil || from == rate {
			return pcm, err
		}
		out := make([]int16, len(pcm)*rate/from+1)
		return out[:newResampler(from, rate).Resample(pcm, out)], nil
	}
}

// encodePrompt encodes a prompt in frames of 20 ms, the last filled up with
// silence. The codec hears the prompt's last half second first, so that its
// state at the beginning is that of the end and a repetition has no seam.
func encodePrompt(source func(int) ([]int16, error), c roamline.Codec, rate int) ([][]byte, error) {
	pcm, err := source(rate)
	if err != nil {
		return nil, err
	}
	e, err := newEncoder(c, opusPrompt)
	if err != nil {
		return nil, err
	}
	if closer, ok := e.(io.Closer); ok {
		defer closer.Close()
	}
	frame := rate / 50
	pcm = append(pcm, make([]int16, (frame-len(pcm)%frame)%frame)...)
	before := min(len(pcm), 25*frame)
	var (
		out [][]byte
		buf [1500]byte
	)
	for at := -before; at < len(pcm); at += frame {
		from := (at + len(pcm)) % len(pcm)
		n, err := e.Encode(pcm[from:from+frame], buf[:])
		if err != nil {
			return nil, err
		}
		if at >= 0 {
			out = append(out, append([]byte(nil), buf[:n]...))
		}
	}
	return out, nil
}
