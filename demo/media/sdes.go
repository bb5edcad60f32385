package media

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/pion/srtp/v3"
)

// suite is the one of RFC 4568 section 6.2 that everybody has.
const (
	suite     = "AES_CM_128_HMAC_SHA1_80"
	masterKey = 16 // bytes, and then
	salt      = 14
)

// A cryptoKey is a line of RFC 4568 section 9.1.
type cryptoKey struct {
	tag int
	key []byte // master key and salt
}

func (c *cryptoKey) String() string {
	return fmt.Sprintf("%d %s inline:%s", c.tag, suite, base64.StdEncoding.EncodeToString(c.key))
}

// readCrypto reads a crypto attribute; nil if it is not of our suite.
func readCrypto(text string) *cryptoKey {
	f := strings.Fields(text)
	if len(f) < 3 || f[1] != suite {
		return nil
	}
	tag, err := strconv.Atoi(f[0])
	inline, isKey := strings.CutPrefix(f[2], "inline:")
	if err != nil || !isKey {
		return nil
	}
	inline, _, _ = strings.Cut(inline, "|") // lifetime and MKI
	key, err := base64.StdEncoding.DecodeString(inline)
	if err != nil || len(key) != masterKey+salt {
		return nil
	}
	return &cryptoKey{tag, key}
}

// sdes is SRTP with keys that travel in the descriptions. Its path's lock
// guards it.
type sdes struct {
	own, far cryptoKey
	out, in  *srtp.Context
}

func newSDES() *sdes {
	s := &sdes{own: cryptoKey{1, make([]byte, masterKey+salt)}}
	rand.Read(s.own.key)
	return s
}

// ours is the line to send; an answer carries the tag of the offer's line.
func (s *sdes) ours() *cryptoKey { return &cryptoKey{s.own.tag, s.own.key} }

// agree takes the far end's key; the same again changes nothing.
func (s *sdes) agree(far *cryptoKey) (err error) {
	if far == nil {
		return errors.New("media: the far end offers no " + suite)
	}
	s.own.tag = far.tag
	if s.out == nil {
		if s.out, err = srtp.CreateContext(s.own.key[:masterKey], s.own.key[masterKey:], srtp.ProtectionProfileAes128CmHmacSha1_80); err != nil {
			return err
		}
	}
	if s.in != nil && string(far.key) == string(s.far.key) {
		return nil
	}
	s.far = *far
	s.in, err = srtp.CreateContext(far.key[:masterKey], far.key[masterKey:], srtp.ProtectionProfileAes128CmHmacSha1_80,
		srtp.SRTPReplayProtection(64), srtp.SRTCPReplayProtection(64))
	return err
}

func (s *sdes) seal(packet []byte, rtcp bool) ([]byte, error) {
	if rtcp {
		return s.out.EncryptRTCP(nil, packet, nil)
	}
	return s.out.EncryptRTP(nil, packet, nil)
}

func (s *sdes) unseal(packet []byte, rtcp bool) ([]byte, error) {
	if rtcp {
		return s.in.DecryptRTCP(nil, packet, nil)
	}
	return s.in.DecryptRTP(nil, packet, nil)
}
