package web

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/roamline/roamline"
)

// tokenLife is how long an access token is good.
const tokenLife = 10 * time.Minute

// Names under which the store keeps what the door signs with.
const (
	ownerToken = "web.token" // signs access tokens
	ownerCode  = "web.code"  // hides one-time codes
)

// keys are what the door signs with: 256 random bits each.
type keys struct{ token, code []byte }

func loadKeys(ctx context.Context, s roamline.Store) (keys, error) {
	t, err := loadKey(ctx, s, ownerToken)
	if err != nil {
		return keys{}, err
	}
	c, err := loadKey(ctx, s, ownerCode)
	return keys{token: t, code: c}, err
}

func loadKey(ctx context.Context, s roamline.Store, owner string) (key []byte, err error) {
	var kept roamline.Secret
	err = s.Atomic(ctx, func(s roamline.Store) error {
		kept, err = s.Secret(ctx, roamline.ServerKey, owner)
		if err == nil || roamline.KindOf(err) != roamline.NotFound {
			return err
		}
		fresh := make([]byte, 32)
		rand.Read(fresh)
		kept = roamline.NewSecret(base64.RawStdEncoding.EncodeToString(fresh))
		return s.SetSecret(ctx, roamline.ServerKey, owner, kept)
	})
	if err != nil {
		return nil, &roamline.Error{Op: "web.New", Kind: roamline.KindOf(err), Of: owner, Err: err}
	}
	key, err = base64.RawStdEncoding.DecodeString(kept.Reveal())
	if err != nil || len(key) != 32 {
		return nil, &roamline.Error{Op: "web.New", Of: owner, Err: err}
	}
	return key, nil
}

// hide returns what the store keeps of a one-time code.
func (k keys) hide(code string) string {
	m := hmac.New(sha256.New, k.code)
	m.Write([]byte(code))
	return hex.EncodeToString(m.Sum(nil))
}

// A token says which client holds which key, until when.
type token struct {
	client roamline.ClientID
	key    string // thumbprint
	until  time.Time
}

// claims are a token as it travels (RFC 9068; cnf: RFC 9449 section 6.1).
type claims struct {
	Issuer   string          `json:"iss"`
	Audience string          `json:"aud"`
	Subject  string          `json:"sub"`
	Issued   int64           `json:"iat"`
	Expires  int64           `json:"exp"`
	Confirm  json.RawMessage `json:"cnf"`
}

type confirm struct {
	JKT string `json:"jkt"`
}

const (
	issuer   = "roamline"
	typToken = "at+jwt"
)

func (d *Door) makeToken(t token) (string, error) {
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.HS256, Key: d.keys.token},
		(&jose.SignerOptions{}).WithType(typToken))
	if err != nil {
		return "", err
	}
	cnf, err := json.Marshal(confirm{t.key})
	if err != nil {
		return "", err
	}
	payload, err := json.Marshal(claims{
		Issuer: issuer, Audience: issuer, Subject: string(t.client),
		Issued: d.Now().Unix(), Expires: t.until.Unix(), Confirm: cnf,
	})
	if err != nil {
		return "", err
	}
	sig, err := signer.Sign(payload)
	if err != nil {
		return "", err
	}
	return sig.CompactSerialize()
}

// readToken verifies a token. What it says was true when it was made: the
// client is looked up by whoever asks.
func (d *Door) readToken(text string) (token, error) {
	if len(text) > maxProof {
		return token{}, badToken("This token is none of ours", "invalid_token")
	}
	sig, err := jose.ParseSignedCompact(text, []jose.SignatureAlgorithm{jose.HS256})
	if err != nil {
		return token{}, badToken("This token is none of ours", "invalid_token").because(err)
	}
	if typ, _ := sig.Signatures[0].Protected.ExtraHeaders["typ"].(string); typ != typToken {
		return token{}, badToken("This token is none of ours", "invalid_token")
	}
	payload, err := sig.Verify(d.keys.token)
	if err != nil {
		return token{}, badToken("This token is none of ours", "invalid_token")
	}
	var c claims
	var cnf confirm
	if json.Unmarshal(payload, &c) != nil || json.Unmarshal(c.Confirm, &cnf) != nil ||
		c.Issuer != issuer || c.Audience != issuer || c.Subject == "" || cnf.JKT == "" {
		return token{}, badToken("This token is none of ours", "invalid_token")
	}
	t := token{client: roamline.ClientID(c.Subject), key: cnf.JKT, until: time.Unix(c.Expires, 0)}
	if !d.Now().Before(t.until) {
		return token{}, badToken("This token is too old", "invalid_token")
	}
	return t, nil
}
