package client

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"time"
)

// A key is a client's identity: what a browser keeps, non-extractable, in its
// own store.
type key struct {
	private *ecdsa.PrivateKey
	public  jwk
}

// jwk is a public P-256 key (RFC 7518 section 6.2.1); its members are in the
// order in which RFC 7638 section 3.2 hashes them.
type jwk struct {
	Crv string `json:"crv"`
	Kty string `json:"kty"`
	X   string `json:"x"`
	Y   string `json:"y"`
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func newKey() (*key, error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	point, err := private.PublicKey.Bytes() // 4, X, Y (SEC 1 section 2.3.3)
	if err != nil {
		return nil, err
	}
	return &key{private: private, public: jwk{Crv: "P-256", Kty: "EC", X: b64(point[1:33]), Y: b64(point[33:])}}, nil
}

// thumbprint is RFC 7638's.
func (k *key) thumbprint() string {
	b, _ := json.Marshal(k.public)
	sum := sha256.Sum256(b)
	return b64(sum[:])
}

// prove makes a DPoP proof for one request (RFC 9449 section 4.2); with a token
// the proof is bound to it (ath).
func (k *key) prove(method, target, token string, now time.Time) (string, error) {
	u, err := url.Parse(target)
	if err != nil {
		return "", err
	}
	u.RawQuery, u.Fragment = "", ""
	header := map[string]any{"typ": "dpop+jwt", "alg": "ES256", "jwk": k.public}
	claims := map[string]any{"htm": method, "htu": u.String(), "iat": now.Unix(), "jti": rand.Text()}
	if token != "" {
		sum := sha256.Sum256([]byte(token))
		claims["ath"] = b64(sum[:])
	}
	h, err := json.Marshal(header)
	if err != nil {
		return "", err
	}
	c, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	text := b64(h) + "." + b64(c)
	sum := sha256.Sum256([]byte(text))
	r, s, err := ecdsa.Sign(rand.Reader, k.private, sum[:])
	if err != nil {
		return "", err
	}
	var sig [64]byte // R and S, 32 bytes each (RFC 7518 section 3.4)
	r.FillBytes(sig[:32])
	s.FillBytes(sig[32:])
	return text + "." + b64(sig[:]), nil
}
