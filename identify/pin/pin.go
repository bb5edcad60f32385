// Package pin is identification by a PIN, with a login or with one's own
// number. A PIN is short, so it counts only at admitted clients: the
// switchboard checks that before anything is proven, and identify.Limits bound
// the tries.
package pin

import (
	"context"
	"errors"

	"github.com/roamline/roamline"
	"github.com/roamline/roamline/identify/password"
)

const (
	least = 4 // digits
	most  = 12
)

// Hash turns a new PIN into what is stored; Invalid says what is wrong with it.
func Hash(_ context.Context, s roamline.Secret) (roamline.Secret, error) {
	if err := check(s.Reveal()); err != nil {
		return roamline.Secret{}, &roamline.Error{Op: "pin.Hash", Kind: roamline.Invalid, Of: "pin", Err: err}
	}
	return password.Stored(s), nil
}

// check refuses what is no PIN, and the first that anybody would guess: one
// digit again and again, or digits in a row.
func check(pin string) error {
	if len(pin) < least || len(pin) > most {
		return errors.New("use 4 to 12 digits")
	}
	same, up, down := true, true, true
	for i := range len(pin) {
		if pin[i] < '0' || pin[i] > '9' {
			return errors.New("use digits only")
		}
		if i > 0 {
			same = same && pin[i] == pin[i-1]
			up = up && (pin[i]-'0') == (pin[i-1]-'0'+1)%10
			down = down && (pin[i-1]-'0') == (pin[i]-'0'+1)%10
		}
	}
	if same || up || down {
		return errors.New("that is the first that anybody would guess: choose another")
	}
	return nil
}

// An Accounts is what proving needs of a store.
type Accounts interface {
	password.Accounts
	Listings() roamline.Table[roamline.Listing]
}

// A Verifier proves claims by PIN.
type Verifier struct {
	accounts  Accounts
	normalise func(string) (roamline.Number, error)
}

// New returns a verifier over accounts; normalise reads a number as typed.
func New(a Accounts, normalise func(string) (roamline.Number, error)) *Verifier {
	return &Verifier{a, normalise}
}

// Verify implements identify.Verifier. The claim's login is a login, or a
// number that leads to the user.
func (v *Verifier) Verify(ctx context.Context, c roamline.Claim) (roamline.UserID, error) {
	u, err := password.ByLogin(ctx, v.accounts, c.Login)
	if err != nil {
		return "", err
	}
	if u.ID == "" {
		if u, err = v.byNumber(ctx, c.Login); err != nil {
			return "", err
		}
	}
	return password.Prove(ctx, v.accounts, u, roamline.PINHash, c.Secret)
}

// byNumber finds the user whose number was typed; the zero User if there is
// none.
func (v *Verifier) byNumber(ctx context.Context, typed string) (u roamline.User, err error) {
	n, err := v.normalise(typed)
	if err != nil {
		return u, nil // not a number: an unknown user
	}
	l, err := v.accounts.Listings().Get(ctx, string(n))
	if err == nil && l.To.Kind == roamline.ToUser {
		u, err = v.accounts.Users().Get(ctx, l.To.ID)
	}
	if roamline.KindOf(err) == roamline.NotFound {
		err = nil
	}
	return u, err
}
