package offer

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

const (
	maxSize    = 32 << 10 // bytes of a description
	maxStreams = 32       // m= lines of a description
	maxWord    = 64       // bytes of what is repeated in an answer
)

// A section is the session part of a description, or one m= line with what
// follows it.
type section struct {
	conn  string // what follows "c=IN "; empty if there is no such line
	attrs []attr
}

type attr struct{ key, value string }

// A stream is one m= line with its lines (RFC 8866 section 5.14).
type stream struct {
	section
	kind    string // "audio", "video", "image", ...
	port    uint16
	proto   string // as written
	formats []string
}

type description struct {
	section
	streams []stream
}

// value returns the first value of a media-level attribute, else that of the
// session level. Keys are compared without regard to case.
func (d *description) value(st *stream, key string) (string, bool) {
	for _, at := range [...]*section{&st.section, &d.section} {
		if v, ok := at.value(key); ok {
			return v, true
		}
	}
	return "", false
}

// has reports whether an attribute stands at the media or the session level.
func (d *description) has(st *stream, key string) bool {
	_, ok := d.value(st, key)
	return ok
}

func (s *section) value(key string) (string, bool) {
	for _, a := range s.attrs {
		if strings.EqualFold(a.key, key) {
			return a.value, true
		}
	}
	return "", false
}

// all calls yield for every value of a media-level attribute in order.
func (s *section) all(key string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for _, a := range s.attrs {
			if strings.EqualFold(a.key, key) && !yield(a.value) {
				return
			}
		}
	}
}

// parse reads a description. The package comment says what it accepts.
func parse(text []byte) (*description, error) {
	if len(text) > maxSize {
		return nil, errors.New("description longer than 32 kB")
	}
	d := &description{}
	first := true
	for line := range strings.SplitSeq(string(text), "\n") {
		line = strings.TrimSuffix(line, "\r")
		if line == "" {
			continue
		}
		if strings.ContainsFunc(line, control) {
			return nil, errors.New("control character in a line")
		}
		if len(line) < 2 || line[1] != '=' {
			return nil, fmt.Errorf("not a line: %.40q", line)
		}
		if first && line != "v=0" {
			return nil, errors.New("not SDP version 0")
		}
		first = false
		if err := d.line(line[0], line[2:]); err != nil {
			return nil, err
		}
	}
	if first {
		return nil, errors.New("empty description")
	}
	return d, nil
}

func control(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }

// token reports whether s is a token, roughly (RFC 8866 section 9), that may be
// repeated.
func token(s string) bool {
	return s != "" && len(s) <= maxWord &&
		!strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
}

func (d *description) line(letter byte, value string) error {
	at := &d.section
	if n := len(d.streams); n > 0 {
		at = &d.streams[n-1].section
	}
	switch letter {
	case 'm':
		if len(d.streams) == maxStreams {
			return errors.New("more than 32 streams")
		}
		st, err := parseStream(value)
		if err != nil {
			return err
		}
		d.streams = append(d.streams, st)
	case 'c':
		// The first of several lines counts: more are layers of a multicast
		// session (RFC 8866 section 5.7).
		if rest, ok := strings.CutPrefix(value, "IN "); !ok {
			return fmt.Errorf("connection not of the Internet: %.40q", value)
		} else if at.conn == "" {
			at.conn = rest
		}
	case 'a':
		key, val, _ := strings.Cut(value, ":")
		at.attrs = append(at.attrs, attr{strings.TrimSpace(key), strings.TrimSpace(val)})
	case 'v', 'o', 's', 'i', 'u', 'e', 'p', 'b', 't', 'r', 'z', 'k':
		// Nothing that a telephone call needs.
	default:
		return fmt.Errorf("unknown type letter %q", letter) // RFC 8866 section 5
	}
	return nil
}

func parseStream(value string) (stream, error) {
	f := strings.Fields(value)
	for _, word := range f {
		if len(word) > maxWord {
			return stream{}, fmt.Errorf("stream with a word of %d bytes", len(word))
		}
	}
	if len(f) < 3 {
		return stream{}, fmt.Errorf("stream without port or transport: %.40q", value)
	}
	port, _, _ := strings.Cut(f[1], "/") // a number of ports: layers, RFC 8866 section 5.14
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return stream{}, fmt.Errorf("port %.20q of a stream", f[1])
	}
	if len(f) < 4 && n != 0 {
		return stream{}, fmt.Errorf("stream without a format: %.40q", value)
	}
	return stream{kind: f[0], port: uint16(n), proto: f[2], formats: f[3:]}, nil
}
