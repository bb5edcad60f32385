package voice

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"errors"

	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"
)

// A cryptor protects, or opens, the packets of one direction. It is pion's
// context, but for RTP under AEAD_AES_128_GCM, which most packets are: there
// the state is found without a table and nothing is looked at twice
// (docs/voice.md has the figures). What RFC 3711 and RFC 7714 ask for is the same, and
// the tests hold both against each other.
type cryptor struct {
	*srtp.Context
	aead    cipher.AEAD // nil: all is pion's
	salt    [gcmSalt]byte
	iv      [gcmSalt]byte // scratch
	last    *srtpStream
	streams map[uint32]*srtpStream // by SSRC; who never proved the key is not in it
}

// An srtpStream is the state of one SSRC (RFC 3711 section 3.2.3).
type srtpStream struct {
	ssrc   uint32
	top    int64 // highest index: the sequence number with its roll-overs
	window [2]uint64
}

const (
	gcmSalt = 12 // bytes (RFC 7714 section 12)
	gcmTag  = 16
	gcmKey  = 16
)

var errSRTP = errors.New("an SRTP packet that is malformed, replayed, or not under the key")

func newCryptor(key, salt []byte, p srtp.ProtectionProfile) (*cryptor, error) {
	ctx, err := newContext(key, salt, p)
	c := &cryptor{Context: ctx}
	if err != nil || p != srtp.ProtectionProfileAeadAes128Gcm {
		return c, err
	}
	master, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	// The key derivation of RFC 3711 section 4.3.1, with the labels of RTP; the
	// salt of 96 bits is padded to the right (RFC 7714 section 11).
	derive := func(label byte) (out [aes.BlockSize]byte) {
		copy(out[:], salt)
		out[7] ^= label
		master.Encrypt(out[:], out[:])
		return out
	}
	session, mask := derive(0), derive(2)
	copy(c.salt[:], mask[:])
	block, err := aes.NewCipher(session[:gcmKey])
	if err != nil {
		return nil, err
	}
	c.aead, err = cipher.NewGCM(block)
	c.streams = map[uint32]*srtpStream{}
	return c, err
}

func (c *cryptor) find(ssrc uint32) *srtpStream {
	if c.last != nil && c.last.ssrc == ssrc {
		return c.last
	}
	return c.streams[ssrc]
}

// nonce is the initialization vector of RFC 7714 section 8.1.
func (c *cryptor) nonce(ssrc uint32, index int64) []byte {
	c.iv = [gcmSalt]byte{}
	binary.BigEndian.PutUint32(c.iv[2:], ssrc)
	binary.BigEndian.PutUint32(c.iv[6:], uint32(index>>16))
	binary.BigEndian.PutUint16(c.iv[10:], uint16(index))
	for i := range c.iv {
		c.iv[i] ^= c.salt[i]
	}
	return c.iv[:]
}

// index guesses the roll-over counter (RFC 3711 section 3.3.1).
func (s *srtpStream) index(seq uint16) int64 {
	if s == nil {
		return int64(seq)
	}
	if i := s.top + int64(int16(seq-uint16(s.top))); i >= 0 {
		return i
	}
	return int64(seq)
}

// seen reports whether the index was taken already, or is too old to know
// (RFC 3711 section 3.3.2).
func (s *srtpStream) seen(index int64) bool {
	if s == nil || index > s.top {
		return false
	}
	back := uint64(s.top - index)
	return back >= replayWindow || s.window[back/64]&(1<<(back%64)) != 0
}

func (s *srtpStream) take(index int64) {
	if index <= s.top {
		back := uint64(s.top - index)
		s.window[back/64] |= 1 << (back % 64)
		return
	}
	switch on := uint64(index - s.top); {
	case on < 64:
		s.window[1] = s.window[1]<<on | s.window[0]>>(64-on)
		s.window[0] = s.window[0]<<on | 1
	case on < replayWindow:
		s.window[0], s.window[1] = 1, s.window[0]<<(on-64)
	default:
		s.window = [2]uint64{1, 0}
	}
	s.top = index
}

// took notes a packet that was sent, or that proved the key.
func (c *cryptor) took(s *srtpStream, ssrc uint32, index int64) {
	if s == nil {
		s = &srtpStream{ssrc: ssrc, top: -1}
		c.streams[ssrc] = s
	}
	s.take(index)
	c.last = s
}

// encryptRTP protects the packet p into dst, which has room for it and does
// not overlap with it. The caller sees to it that no index is used twice
// (sender.take).
func (c *cryptor) encryptRTP(dst, p []byte, scratch *rtp.Header) ([]byte, error) {
	if c.aead == nil {
		return c.EncryptRTP(dst, p, scratch)
	}
	var h rtpHeader
	if !parseRTP(p, &h) {
		return nil, errSRTP
	}
	s := c.find(h.ssrc)
	index := s.index(h.seq)
	dst = append(dst, p[:h.start]...)
	dst = c.aead.Seal(dst, c.nonce(h.ssrc, index), p[h.start:], p[:h.start])
	c.took(s, h.ssrc, index)
	return dst, nil
}

// decryptRTP opens the packet p with header h in place.
func (c *cryptor) decryptRTP(p []byte, h *rtpHeader, scratch *rtp.Header) ([]byte, error) {
	if c.aead == nil {
		return c.DecryptRTP(p[:0], p, scratch)
	}
	s := c.find(h.ssrc)
	index := s.index(h.seq)
	if len(p) < h.start+gcmTag || s.seen(index) {
		return nil, errSRTP
	}
	if _, err := c.aead.Open(p[h.start:h.start], c.nonce(h.ssrc, index), p[h.start:], p[:h.start]); err != nil {
		return nil, errSRTP
	}
	c.took(s, h.ssrc, index)
	return p[:len(p)-gcmTag], nil
}
