// Package password is identification by a password, and the hashing that a PIN
// shares with it: argon2id (RFC 9106) in the PHC string form.
package password

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"

	"github.com/roamline/roamline"
)

// The parameters are OWASP's (Password Storage Cheat Sheet): 19 MiB, two
// passes, one lane. A stored hash names its own, so they can be raised.
const (
	memory  = 19 * 1024 // KiB
	passes  = 2
	lanes   = 1
	saltLen = 16 // bytes (RFC 9106 section 3.1)
	hashLen = 32 // bytes
)

const (
	least = 8    // characters (NIST SP 800-63B)
	most  = 1024 // bytes
)

// Hash turns a new password into what is stored; Invalid says what is wrong
// with the password.
func Hash(_ context.Context, s roamline.Secret) (roamline.Secret, error) {
	text := s.Reveal()
	switch {
	case utf8.RuneCountInString(text) < least:
		return roamline.Secret{}, refused("use at least 8 characters")
	case len(text) > most:
		return roamline.Secret{}, refused("it is longer than 1024 bytes")
	}
	return Stored(s), nil
}

func refused(why string) error {
	return &roamline.Error{Op: "password.Hash", Kind: roamline.Invalid, Of: "password", Err: errors.New(why)}
}

// Stored hashes a secret with a fresh salt.
func Stored(s roamline.Secret) roamline.Secret {
	salt := make([]byte, saltLen)
	rand.Read(salt)
	sum := argon2.IDKey([]byte(s.Reveal()), salt, passes, memory, lanes, hashLen)
	b64 := base64.RawStdEncoding
	return roamline.NewSecret(fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, memory, passes, lanes,
		b64.EncodeToString(salt), b64.EncodeToString(sum)))
}

// Matches reports whether s is what stored was made of. A hash that can't be
// read matches nothing.
func Matches(s, stored roamline.Secret) bool {
	p, err := parse(stored.Reveal())
	if err != nil {
		return false
	}
	sum := argon2.IDKey([]byte(s.Reveal()), p.salt, p.passes, p.memory, p.lanes, uint32(len(p.sum)))
	return subtle.ConstantTimeCompare(sum, p.sum) == 1
}

type params struct {
	memory, passes uint32
	lanes          uint8
	salt, sum      []byte
}

// parse reads a PHC string, within bounds that keep a foreign hash from taking
// all memory.
func parse(phc string) (p params, err error) {
	parts := strings.Split(phc, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return p, errors.New("not an argon2id hash")
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &p.memory, &p.passes, &p.lanes); err != nil {
		return p, err
	}
	if p.memory > 1<<20 || p.passes < 1 || p.passes > 100 || p.lanes < 1 {
		return p, errors.New("parameters out of bounds")
	}
	if p.salt, err = base64.RawStdEncoding.DecodeString(parts[4]); err != nil {
		return p, err
	}
	p.sum, err = base64.RawStdEncoding.DecodeString(parts[5])
	if err == nil && (len(p.sum) < 16 || len(p.sum) > 64 || len(p.salt) < 8) {
		err = errors.New("lengths out of bounds")
	}
	return p, err
}

// An Accounts is what proving needs of a store.
type Accounts interface {
	Users() roamline.Table[roamline.User]
	Secret(ctx context.Context, kind roamline.SecretKind, owner string) (roamline.Secret, error)
}

// A Verifier proves claims by password.
type Verifier struct{ accounts Accounts }

// New returns a verifier over accounts.
func New(a Accounts) *Verifier { return &Verifier{a} }

// Verify implements identify.Verifier.
func (v *Verifier) Verify(ctx context.Context, c roamline.Claim) (roamline.UserID, error) {
	u, err := ByLogin(ctx, v.accounts, c.Login)
	if err != nil {
		return "", err
	}
	return Prove(ctx, v.accounts, u, roamline.PasswordHash, c.Secret)
}

// ByLogin finds the user with a login; the zero User if there is none.
func ByLogin(ctx context.Context, a Accounts, login string) (roamline.User, error) {
	found, _, err := a.Users().List(ctx, roamline.Query{Where: map[string]string{"login": login}, Limit: 1})
	if err != nil || len(found) == 0 {
		return roamline.User{}, err
	}
	return found[0], nil
}

// nobody is what a secret is compared with where there is nothing to compare:
// an unknown user must cost what a wrong secret costs.
var nobody = Stored(roamline.NewSecret(rand.Text()))

// Prove compares a secret with what is stored for u, and returns u if they
// match. It takes the same time for a user who is unknown (zero), disabled or
// without such a secret, and answers the same: Unauthorized.
func Prove(ctx context.Context, a Accounts, u roamline.User, kind roamline.SecretKind, s roamline.Secret) (roamline.UserID, error) {
	stored := nobody
	if u.ID != "" {
		got, err := a.Secret(ctx, kind, string(u.ID))
		switch {
		case err == nil && !u.Disabled:
			stored = got
		case err != nil && roamline.KindOf(err) != roamline.NotFound:
			return "", err
		}
	}
	if len(s.Reveal()) > most || !Matches(s, stored) || u.ID == "" {
		return "", &roamline.Error{Op: "password.Prove", Kind: roamline.Unauthorized}
	}
	return u.ID, nil
}
