package web

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// Bounds of a proof. The window is how far iat may be from our clock, both
// ways (RFC 9449 section 11.1); a page whose clock is further off reads the
// Date header of the refusal and allows for it.
const (
	proofWindow = 60 * time.Second
	maxProof    = 4096 // bytes of the header
	maxJTI      = 128  // bytes of its jti
)

// A proof shows that a request comes from whoever holds a key.
type proof struct {
	key string // the key's thumbprint (RFC 7638), SHA-256, base64url
	jti string
	iat time.Time
	htm string
	htu string
	ath string
}

// prove checks the DPoP header of a request, as RFC 9449 section 4.3 says, and
// uses it up. token is the access token that it goes with; empty: none.
func (d *Door) prove(r *http.Request, token string) (proof, error) {
	headers := r.Header.Values("DPoP")
	if len(headers) != 1 {
		return proof{}, badProof("One proof of possession is needed")
	}
	p, err := parseProof(headers[0])
	if err != nil {
		return proof{}, badProof("The proof of possession can't be read").because(err)
	}
	now := d.Now()
	scheme, host := d.origin(r)
	switch {
	case p.htm != r.Method:
		return proof{}, badProof("The proof is for another method")
	case !sameTarget(p.htu, scheme, host, r.URL):
		return proof{}, badProof("The proof is for another address")
	case p.iat.Before(now.Add(-proofWindow)) || p.iat.After(now.Add(proofWindow)):
		return proof{}, badProof("This machine's clock and the server's differ by more than a minute").as(typeClock)
	case token != "" && subtle.ConstantTimeCompare([]byte(p.ath), []byte(digest(token))) != 1:
		return proof{}, badProof("The proof is for another token")
	}
	fresh, room := d.jtis.use(p.key, p.jti, now)
	if !room {
		return proof{}, refuse(http.StatusServiceUnavailable, typeTooOften, "Too many requests at once").after(time.Second)
	}
	if !fresh {
		return proof{}, badProof("The proof was used before")
	}
	return p, nil
}

// parseProof reads a proof and verifies its signature with the key that it
// holds: ES256 with a P-256 key, the only one that clients make.
func parseProof(text string) (proof, error) {
	if len(text) > maxProof {
		return proof{}, errors.New("too long")
	}
	sig, err := jose.ParseSignedCompact(text, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		return proof{}, err
	}
	head := sig.Signatures[0].Protected
	if typ, _ := head.ExtraHeaders["typ"].(string); typ != "dpop+jwt" {
		return proof{}, fmt.Errorf("typ is not dpop+jwt")
	}
	if head.JSONWebKey == nil {
		return proof{}, errors.New("no jwk")
	}
	public, ok := head.JSONWebKey.Key.(*ecdsa.PublicKey)
	if !ok || public.Curve != elliptic.P256() {
		return proof{}, errors.New("jwk is not a public P-256 key")
	}
	payload, err := sig.Verify(public)
	if err != nil {
		return proof{}, err
	}
	var claims struct {
		JTI string   `json:"jti"`
		HTM string   `json:"htm"`
		HTU string   `json:"htu"`
		ATH string   `json:"ath"`
		IAT *float64 `json:"iat"`
	}
	if err := json.Unmarshal(payload, &claims); err != nil {
		return proof{}, err
	}
	switch {
	case claims.JTI == "" || len(claims.JTI) > maxJTI:
		return proof{}, errors.New("no jti, or too long a one")
	case claims.IAT == nil || *claims.IAT < 0 || *claims.IAT > 1<<40:
		return proof{}, errors.New("no iat")
	case claims.HTM == "" || claims.HTU == "":
		return proof{}, errors.New("no htm or htu")
	}
	thumb, err := head.JSONWebKey.Thumbprint(crypto.SHA256)
	if err != nil {
		return proof{}, err
	}
	return proof{
		key: base64.RawURLEncoding.EncodeToString(thumb),
		jti: claims.JTI, htm: claims.HTM, htu: claims.HTU, ath: claims.ATH,
		iat: time.UnixMilli(int64(*claims.IAT * 1000)),
	}, nil
}

// sameTarget reports whether htu names the address that a request was sent to.
// Query and fragment do not count, nor the case of scheme and host, nor a port
// that is the scheme's own (RFC 9449 section 4.3, RFC 3986 section 6.2).
func sameTarget(htu, scheme, host string, target *url.URL) bool {
	u, err := url.Parse(htu)
	if err != nil || u.User != nil || u.Opaque != "" {
		return false
	}
	return strings.EqualFold(u.Scheme, scheme) &&
		bareHost(scheme, u.Host) == bareHost(scheme, host) &&
		u.EscapedPath() == target.EscapedPath()
}

func bareHost(scheme, host string) string {
	host = strings.ToLower(host)
	if scheme == "https" {
		return strings.TrimSuffix(host, ":443")
	}
	return strings.TrimSuffix(host, ":80")
}

// digest is how a proof names its token (RFC 9449 section 4.2, ath).
func digest(token string) string {
	sum := sha256.Sum256([]byte(token))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// badProof refuses a proof (RFC 9449 section 7.1).
func badProof(title string) *refusal {
	r := refuse(http.StatusUnauthorized, typeProof, title)
	r.header.Set("WWW-Authenticate", `DPoP error="invalid_dpop_proof", algs="ES256"`)
	return r
}

// badToken refuses a token; code is empty if none was shown.
func badToken(title, code string) *refusal {
	r := refuse(http.StatusUnauthorized, typeToken, title)
	challenge := `DPoP algs="ES256"`
	if code != "" {
		challenge = fmt.Sprintf("DPoP error=%q, algs=\"ES256\"", code)
	}
	r.header.Set("WWW-Authenticate", challenge)
	return r
}
