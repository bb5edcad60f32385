package bus

import (
	"errors"
	"fmt"
	"strings"
)

// keyLimit is the longest key, in bytes, before it is written.
const keyLimit = 256

// writeKey writes any text as a key that NATS takes. Letters, digits, "-" and
// "_" stay, so that the keys of our identifiers can be read; every other byte is
// "=" and two hexadecimal digits (NATS allows "=" in keys).
func writeKey(text string) (string, error) {
	if text == "" || len(text) > keyLimit {
		return "", fmt.Errorf("a key has 1 to %d bytes", keyLimit)
	}
	var b strings.Builder
	for i := range len(text) {
		if c := text[i]; plain(c) {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "=%02x", c)
		}
	}
	return b.String(), nil
}

func plain(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_'
}

// readKey reads what writeKey wrote, and nothing else.
func readKey(key string) (string, error) {
	text := make([]byte, 0, len(key))
	for i := 0; i < len(key); i++ {
		c := key[i]
		if c == '=' && i+2 < len(key) {
			if _, err := fmt.Sscanf(key[i+1:i+3], "%02x", &c); err != nil {
				return "", errNotOurs
			}
			i += 2
		}
		text = append(text, c)
	}
	if again, err := writeKey(string(text)); err != nil || again != key {
		return "", errNotOurs
	}
	return string(text), nil
}

var errNotOurs = errors.New("not a key that this program wrote")
