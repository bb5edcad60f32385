package voice

import (
	"bytes"
	"crypto/rand"

	"github.com/pion/srtp/v3"

	"github.com/roamline/roamline"
)

// replayWindow is how many packets back a late one is still taken; a second of
// voice is 50 (RFC 3711 section 3.3.2 asks for at least 64).
const replayWindow = 128

// keys protect the two directions of a leg; nil means in the clear.
type keys struct{ out, in *cryptor }

// suites are those that we can do for RFC 4568, in order of preference.
var suites = []struct {
	name    string
	profile srtp.ProtectionProfile
	length  int // master key and salt, bytes
}{
	{"AEAD_AES_128_GCM", srtp.ProtectionProfileAeadAes128Gcm, 16 + 12},         // RFC 7714 section 14.2
	{"AES_CM_128_HMAC_SHA1_80", srtp.ProtectionProfileAes128CmHmacSha1_80, 30}, // RFC 4568 section 6.2.1
	{"AES_CM_128_HMAC_SHA1_32", srtp.ProtectionProfileAes128CmHmacSha1_32, 30}, // RFC 4568 section 6.2.2
}

// freshKeys makes one key for each suite.
func freshKeys() []roamline.CryptoKey {
	out := make([]roamline.CryptoKey, len(suites))
	for i, s := range suites {
		k := make([]byte, s.length)
		rand.Read(k)
		out[i] = roamline.CryptoKey{Tag: i + 1, Suite: s.name, Key: k}
	}
	return out
}

// sdesContext makes what protects one direction.
func sdesContext(k roamline.CryptoKey) (*cryptor, error) {
	for _, s := range suites {
		if s.name != k.Suite {
			continue
		}
		if len(k.Key) != s.length {
			return nil, &roamline.Error{Op: "voice.Connect", Kind: roamline.Invalid, Of: "length of the SRTP key"}
		}
		return newCryptor(k.Key[:16], k.Key[16:], s.profile)
	}
	return nil, &roamline.Error{Op: "voice.Connect", Kind: roamline.Incompatibility, Of: k.Suite}
}

func newContext(key, salt []byte, p srtp.ProtectionProfile) (*srtp.Context, error) {
	return srtp.CreateContext(key, salt, p, srtp.SRTPReplayProtection(replayWindow), srtp.SRTCPReplayProtection(replayWindow))
}

func sameKey(a, b roamline.CryptoKey) bool {
	return a.Suite == b.Suite && bytes.Equal(a.Key, b.Key)
}

// sdesKeys returns the contexts for m. One whose key is still that of before
// is kept: its roll-over counter goes on (RFC 3711 section 3.3.1). The caller
// holds the engine's lock; the thread takes them over later.
func sdesKeys(before, m roamline.Media, old keys) (k keys, err error) {
	if m.Transport != roamline.SDES {
		return keys{}, nil
	}
	k = old
	if k.out == nil || !sameKey(before.Send, m.Send) {
		if k.out, err = sdesContext(m.Send); err != nil {
			return keys{}, err
		}
	}
	if k.in == nil || !sameKey(before.Recv, m.Recv) {
		if k.in, err = sdesContext(m.Recv); err != nil {
			return keys{}, err
		}
	}
	return k, nil
}
