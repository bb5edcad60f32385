// Package media is one end of a call's voice for a pretend carrier or client:
// RTP over plain UDP, or over ICE and DTLS-SRTP as a browser does it. It paces
// what it plays, keeps what it hears, and counts. It shares nothing with the
// server's voice engine.
package media

import (
	"fmt"
	"strings"

	"github.com/thesyncim/gopus"

	"github.com/roamline/roamline/demo/pcm"
)

// A format is one payload format of a description (RFC 8866 section 6.6).
type format struct {
	name     string
	rate     int // RTP clock, Hz
	channels int
	payload  uint8
	fmtp     string
}

func (f format) is(g format) bool { return strings.EqualFold(f.name, g.name) && f.rate == g.rate }

func (f format) event() bool { return strings.EqualFold(f.name, "telephone-event") }

// step returns how far the RTP clock goes in one sample of 8 kHz.
func (f format) step() uint32 { return uint32(f.rate / pcm.Rate) }

var known = []format{
	{name: "PCMU", rate: 8000, channels: 1, payload: 0},
	{name: "PCMA", rate: 8000, channels: 1, payload: 8},
	{name: "opus", rate: 48000, channels: 2, payload: 111, fmtp: "minptime=10;useinbandfec=1"},
}

var events = []format{
	{name: "telephone-event", rate: 8000, channels: 1, payload: 101, fmtp: "0-16"},
	{name: "telephone-event", rate: 48000, channels: 1, payload: 110, fmtp: "0-16"},
}

// formats returns what codecs name, in order, with the events for their clocks.
func formats(codecs []string) ([]format, error) {
	if len(codecs) == 0 {
		codecs = []string{"PCMU", "PCMA"}
	}
	var out, te []format
next:
	for _, name := range codecs {
		for _, f := range known {
			if !strings.EqualFold(f.name, name) {
				continue
			}
			out = append(out, f)
			for _, e := range events {
				if e.rate == f.rate && !containsFormat(te, e) {
					te = append(te, e)
				}
			}
			continue next
		}
		return nil, fmt.Errorf("media: codec %q is not known: PCMU, PCMA and opus are", name)
	}
	return append(out, te...), nil
}

func containsFormat(in []format, f format) bool {
	for _, g := range in {
		if g.is(f) {
			return true
		}
	}
	return false
}

// A coder turns 20 ms of sound into a payload and payloads into sound.
type coder interface {
	encode(frame []int16) ([]byte, error)
	decode(payload []byte) ([]int16, error)
}

func newCoder(f format) (coder, error) {
	switch strings.ToUpper(f.name) {
	case "PCMU":
		return lawCoder{pcm.ULaw}, nil
	case "PCMA":
		return lawCoder{pcm.ALaw}, nil
	case "OPUS":
		return newOpus()
	}
	return nil, fmt.Errorf("media: no coder for %s", f.name)
}

type lawCoder struct{ *pcm.Law }

func (l lawCoder) encode(frame []int16) ([]byte, error)   { return l.Encode(nil, frame), nil }
func (l lawCoder) decode(payload []byte) ([]int16, error) { return l.Decode(nil, payload), nil }

// opusCoder codes at 8 kHz: what a telephone call has. The RTP clock is 48 kHz
// all the same (RFC 7587 section 4.1).
type opusCoder struct {
	enc *gopus.Encoder
	dec *gopus.Decoder
	buf [4000]byte
	pcm [pcm.Rate * 120 / 1000]int16
}

func newOpus() (coder, error) {
	enc, err := gopus.NewEncoder(gopus.EncoderConfig{SampleRate: pcm.Rate, Channels: 1, Application: gopus.ApplicationVoIP})
	if err != nil {
		return nil, err
	}
	if err := enc.SetFrameSize(pcm.Frame); err != nil {
		return nil, err
	}
	dec, err := gopus.NewDecoder(gopus.DefaultDecoderConfig(pcm.Rate, 1))
	if err != nil {
		return nil, err
	}
	return &opusCoder{enc: enc, dec: dec}, nil
}

func (o *opusCoder) encode(frame []int16) ([]byte, error) {
	n, err := o.enc.EncodeInt16(frame, o.buf[:])
	return append([]byte(nil), o.buf[:n]...), err
}

func (o *opusCoder) decode(payload []byte) ([]int16, error) {
	n, err := o.dec.DecodeInt16(payload, o.pcm[:])
	if err != nil {
		return nil, err
	}
	return append([]int16(nil), o.pcm[:n]...), nil
}
