package main

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
)

// Bencode is the coding of rtpengine's control protocol: strings, integers,
// lists ([]any) and dictionaries (map[string]any).

const deepest = 8 // lists and dictionaries within each other

var errBencode = errors.New("not bencode")

// decode reads one value and returns what follows it.
func decode(b []byte) (v any, rest []byte, err error) { return decodeAt(b, 0) }

func decodeAt(b []byte, depth int) (any, []byte, error) {
	if len(b) < 2 || depth > deepest {
		return nil, nil, errBencode
	}
	switch b[0] {
	case 'i':
		digits, rest, ok := bytes.Cut(b[1:], []byte("e"))
		n, err := strconv.Atoi(string(digits))
		if !ok || err != nil {
			return nil, nil, errBencode
		}
		return n, rest, nil
	case 'l':
		return decodeList(b[1:], depth+1)
	case 'd':
		return decodeDictionary(b[1:], depth+1)
	}
	digits, rest, ok := bytes.Cut(b, []byte(":"))
	n, err := strconv.Atoi(string(digits))
	if !ok || err != nil || n < 0 || n > len(rest) {
		return nil, nil, errBencode
	}
	return string(rest[:n]), rest[n:], nil
}

func decodeList(b []byte, depth int) (any, []byte, error) {
	var l []any
	for len(b) > 0 && b[0] != 'e' {
		v, rest, err := decodeAt(b, depth)
		if err != nil {
			return nil, nil, err
		}
		l, b = append(l, v), rest
	}
	if len(b) == 0 {
		return nil, nil, errBencode
	}
	return l, b[1:], nil
}

func decodeDictionary(b []byte, depth int) (any, []byte, error) {
	l, rest, err := decodeList(b, depth)
	if err != nil {
		return nil, nil, err
	}
	list := l.([]any)
	d := map[string]any{}
	for pair := range slices.Chunk(list, 2) {
		k, ok := pair[0].(string)
		if !ok || len(pair) < 2 {
			return nil, nil, errBencode
		}
		d[k] = pair[1]
	}
	return d, rest, nil
}

// encode writes a dictionary of strings, keys in order.
func encode(d map[string]string) []byte {
	b := []byte("d")
	for _, k := range slices.Sorted(maps.Keys(d)) {
		b = fmt.Appendf(b, "%d:%s%d:%s", len(k), k, len(d[k]), d[k])
	}
	return append(b, 'e')
}
