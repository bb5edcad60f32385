package roamline

import (
	"crypto/rand"
	"encoding/base32"
	"strings"
)

// Identifiers are opaque strings with a prefix that tells their kind to a
// reader of a log. They never change and are never given out again.
type (
	UserID           string // "u_..."
	ClientID         string // "c_..."
	PlaceID          string // "p_..."
	TrunkID          string // "t_..."
	SystemID         string // "s_..."
	IdentificationID string // "i_..."
	CallID           string // "k_...": the server's own; a SIP Call-ID belongs to a leg
	LegID            string // the call's identifier, a dot and a count; "l_..." before a call owns it
)

// NewID returns a fresh identifier with the given prefix: 80 random bits in
// 16 lower-case letters and digits (RFC 4648 section 6).
func NewID(prefix string) string {
	var b [10]byte
	rand.Read(b[:])
	return prefix + strings.ToLower(base32.StdEncoding.EncodeToString(b[:]))
}
