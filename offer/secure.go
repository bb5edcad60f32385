package offer

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/roamline/roamline"
)

// suites are the crypto suites known, with the bytes of master key and salt
// (RFC 4568 section 6.2, RFC 7714 section 14.2).
var suites = map[string]int{
	"AEAD_AES_128_GCM":        16 + 12,
	"AES_CM_128_HMAC_SHA1_80": 16 + 14,
	"AES_CM_128_HMAC_SHA1_32": 16 + 14,
}

// parseCrypto reads the value of a crypto attribute (RFC 4568 section 9.1):
//
//	1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19z...|2^20|1:4 UNENCRYPTED_SRTCP
//
// A line that asks for something that the server can't do is not usable: an
// unknown suite, a master key identifier, several keys, or any session
// parameter but a window size hint (section 6.3.7 of the RFC wants it refused).
func parseCrypto(v string) (roamline.CryptoKey, bool) {
	f := strings.Fields(v)
	if len(f) < 3 {
		return roamline.CryptoKey{}, false
	}
	tag, err := strconv.ParseUint(f[0], 10, 30)
	suite := strings.ToUpper(f[1])
	size, known := suites[suite]
	if err != nil || !known {
		return roamline.CryptoKey{}, false
	}
	for _, param := range f[3:] {
		if !strings.HasPrefix(strings.ToUpper(param), "WSH=") {
			return roamline.CryptoKey{}, false
		}
	}
	method, params, _ := strings.Cut(f[2], ":")
	if !strings.EqualFold(method, "inline") {
		return roamline.CryptoKey{}, false
	}
	text, rest, _ := strings.Cut(params, "|")
	if strings.Contains(rest, ":") || strings.Contains(params, ";") { // MKI, or a second key
		return roamline.CryptoKey{}, false
	}
	key, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(text, "="))
	if err != nil || len(key) != size {
		return roamline.CryptoKey{}, false
	}
	return roamline.CryptoKey{Tag: int(tag), Suite: suite, Key: key}, true
}

// formatCrypto writes the value of a crypto attribute.
func formatCrypto(k roamline.CryptoKey) string {
	return fmt.Sprintf("%d %s inline:%s", k.Tag, k.Suite, base64.StdEncoding.EncodeToString(k.Key))
}

// chosenCrypto picks the first line of an offer whose suite we can do. The
// answer repeats its tag (RFC 4568 section 5.1.2).
func chosenCrypto(st *stream, ours []roamline.CryptoKey) (send, recv roamline.CryptoKey, ok bool) {
	for v := range st.all("crypto") {
		theirs, usable := parseCrypto(v)
		if !usable {
			continue
		}
		for _, k := range ours {
			if strings.EqualFold(k.Suite, theirs.Suite) && len(k.Key) == suites[theirs.Suite] {
				k.Tag, k.Suite = theirs.Tag, theirs.Suite
				return k, theirs, true
			}
		}
	}
	return send, recv, false
}

// agreedCrypto reads which of our offered lines an answer took (RFC 4568
// section 5.1.3): its tag says, and the suite must be the same.
func agreedCrypto(st *stream, offered []roamline.CryptoKey) (send, recv roamline.CryptoKey, ok bool) {
	for v := range st.all("crypto") {
		theirs, usable := parseCrypto(v)
		if !usable {
			continue
		}
		for _, k := range offered {
			if k.Tag == theirs.Tag && k.Suite == theirs.Suite {
				return k, theirs, true
			}
		}
	}
	return send, recv, false
}

// digests are the bytes of the fingerprints accepted, best known first. SHA-1
// and older prove nothing any more (RFC 8122 section 5).
var digests = []struct {
	name string
	size int
}{{"sha-256", 32}, {"sha-384", 48}, {"sha-512", 64}}

// fingerprint returns the far end's certificate fingerprint as
// "sha-256 AB:CD:...". Where there are several, SHA-256 is taken, which every
// peer must offer (RFC 8122 section 5.1).
func (d *description) fingerprint(st *stream) (string, error) {
	at := &st.section
	if _, ok := at.value("fingerprint"); !ok {
		at = &d.section
	}
	for _, digest := range digests {
		for v := range at.all("fingerprint") {
			name, text, _ := strings.Cut(v, " ")
			if !strings.EqualFold(name, digest.name) {
				continue
			}
			text = strings.ToUpper(strings.TrimSpace(text))
			raw, err := hex.DecodeString(strings.ReplaceAll(text, ":", ""))
			if err != nil || len(raw) != digest.size || len(text) != digest.size*3-1 {
				return "", errors.New("malformed certificate fingerprint")
			}
			return digest.name + " " + text, nil
		}
	}
	return "", nil
}

// secure fills in the ICE credentials and the fingerprint of a DTLS stream.
func (d *description) secure(st *stream, m *roamline.Media) error {
	var err error
	if m.Fingerprint, err = d.fingerprint(st); err != nil {
		return &roamline.Error{Kind: roamline.Invalid, Err: err}
	}
	if m.Fingerprint == "" {
		return errors.New("no certificate fingerprint of SHA-256 or better")
	}
	m.Ufrag, _ = d.value(st, "ice-ufrag")
	m.Pwd, _ = d.value(st, "ice-pwd")
	// RFC 8839 section 5.4: ufrag 4 to 256, pwd 22 to 256 characters.
	if m.Ufrag == "" && m.Pwd == "" {
		return errors.New("no ICE credentials")
	}
	if !iceChars(m.Ufrag, 4) || !iceChars(m.Pwd, 22) {
		return &roamline.Error{Kind: roamline.Invalid, Err: errors.New("malformed ICE credentials")}
	}
	return nil
}

func iceChars(s string, least int) bool {
	if len(s) < least || len(s) > 256 {
		return false
	}
	for _, c := range []byte(s) {
		letter := c|0x20 >= 'a' && c|0x20 <= 'z'
		if !letter && (c < '0' || c > '9') && c != '+' && c != '/' {
			return false
		}
	}
	return true
}
