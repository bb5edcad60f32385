// Package identify turns a claim into a proven user. It holds what all methods
// have in common: limits on tries, bounded work, one answer for every failure.
//
// A method is a Verifier in a folder of its own: password, pin, and later
// badge, card, passkey, single sign-on, the login of the machine, or a trusted
// system outside. To add one, give it a roamline.Method, write Verify, and put
// it into the map that New is given. Whatever proof looks like (a secret that
// was typed, a signed challenge, a card's certificate), it arrives in a Claim,
// and what leaves is a user. A method neither counts tries nor binds.
//
// The state of the client (admitted or not) is the switchboard's to check,
// before a claim is proven at all.
package identify

import (
	"context"

	"github.com/roamline/roamline"
)

// A Verifier proves claims of one method. Verify returns whose claim it is;
// Unauthorized if it is not proven, whatever the reason: an unknown user, a
// disabled one and a wrong secret must cost the same time and say the same.
type Verifier interface {
	Verify(ctx context.Context, c roamline.Claim) (roamline.UserID, error)
}
