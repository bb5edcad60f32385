package voice

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"
)

// Ours and pion's must agree on each packet: what is sent, byte for byte, and
// what is taken and refused.
func TestSRTPIsAsPionDoesIt(t *testing.T) {
	key, salt := bytes.Repeat([]byte{0x5a}, 16), []byte("a salt of 12")
	rnd := rand.New(rand.NewPCG(1, 2))
	one := func(p srtp.ProtectionProfile) (ours *cryptor, theirs *srtp.Context) {
		ours, err := newCryptor(key, salt, p)
		if err != nil {
			t.Fatal(err)
		}
		if theirs, err = newContext(key, salt, p); err != nil {
			t.Fatal(err)
		}
		return ours, theirs
	}
	out, pionOut := one(srtp.ProtectionProfileAeadAes128Gcm)
	in, pionIn := one(srtp.ProtectionProfileAeadAes128Gcm)
	var scratch rtp.Header
	var sent [][]byte
	at := map[uint32]int64{3: 100, 4: 32000, 5: 7}
	for range 20000 {
		ssrc := uint32(3 + rnd.IntN(3))
		at[ssrc] += int64([]int{1, 1, 1, 2, 40, 63, 64, 65, 127, 128, 129, 3000}[rnd.IntN(12)])
		p := rtp.Packet{Header: rtp.Header{Version: 2, PayloadType: 8, SSRC: ssrc, SequenceNumber: uint16(at[ssrc]), Timestamp: rnd.Uint32()},
			Payload: make([]byte, rnd.IntN(200))}
		if rnd.IntN(4) == 0 {
			p.CSRC = []uint32{1, 2}
			p.Header.SetExtension(1, []byte{7, 7})
		}
		plain, err := p.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		got, err := out.encryptRTP(make([]byte, 0, bufferSize), plain, &scratch)
		want, err2 := pionOut.EncryptRTP(nil, plain, nil)
		if err != nil || err2 != nil || !bytes.Equal(got, want) {
			t.Fatalf("%v, %v, %d:\n%x\n%x", err, err2, at[ssrc], got, want)
		}
		if len(sent) == 0 || rnd.IntN(3) > 0 {
			sent = append(sent, got) // the others come later, or never
		}
		if len(sent) > 300 {
			sent = sent[1:]
		}
		for range 3 {
			c := bytes.Clone(sent[max(0, len(sent)-1-int(rnd.ExpFloat64()*20))])
			if rnd.IntN(10) == 0 {
				c[rnd.IntN(len(c))] ^= 1 << rnd.IntN(8)
			}
			want, err2 := pionIn.DecryptRTP(nil, c, nil)
			var h rtpHeader
			if !parseRTP(c, &h) {
				continue
			}
			got, err := in.decryptRTP(c, &h, &scratch)
			if (err == nil) != (err2 == nil) || err == nil && !bytes.Equal(got, want) {
				t.Fatalf("SSRC %d, number %d: %v, pion %v", h.ssrc, h.seq, err, err2)
			}
		}
	}
}

func FuzzSRTP(f *testing.F) {
	f.Add(make([]byte, 40))
	f.Add(append([]byte{0x80, 0, 0, 1}, make([]byte, 200)...))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := newCryptor(make([]byte, 16), make([]byte, gcmSalt), srtp.ProtectionProfileAeadAes128Gcm)
		if err != nil {
			t.Fatal(err)
		}
		var h rtpHeader
		if parseRTP(b, &h) {
			if _, err := c.decryptRTP(b, &h, nil); err == nil || len(c.streams) != 0 {
				t.Fatal("taken without the key")
			}
		}
	})
}
