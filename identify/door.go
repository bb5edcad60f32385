package identify

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"time"

	"github.com/roamline/roamline"
)

// A Door proves claims. Its methods may be called from any goroutine.
type Door struct {
	methods map[roamline.Method]Verifier
	limits  Limits
	tries   *tries
	turns   chan struct{} // one for each proof that is computed now
}

// New returns a door with these methods. Zero limits mean their defaults.
func New(methods map[roamline.Method]Verifier, l Limits) *Door {
	l.fill(runtime.GOMAXPROCS(0))
	return &Door{methods: methods, limits: l, tries: newTries(l), turns: make(chan struct{}, l.AtOnce)}
}

var errProof = errors.New("the name or the secret is not right")

// Prove returns the identification that a claim leads to.
//
// Errors: Unauthorized if it is not proven; Exhausted, as a *TooManyError, if
// there were too many tries or too much is being proven at once; Forbidden if
// the site does not allow the method.
func (d *Door) Prove(ctx context.Context, c roamline.Claim) (roamline.Identification, error) {
	const op = "identify.Prove"
	v, ok := d.methods[c.Method]
	if !ok {
		return roamline.Identification{}, &roamline.Error{Op: op, Kind: roamline.Forbidden, Of: string(c.Method),
			Err: fmt.Errorf("this site does not allow it")}
	}
	c.Login = strings.ToLower(strings.TrimSpace(c.Login))
	keys := keysOf(c)
	if wait := d.tries.begin(keys, c.At); wait > 0 {
		return roamline.Identification{}, tooMany(op, wait)
	}
	user, err := d.verify(ctx, v, c)
	if err != nil {
		if roamline.KindOf(err) == roamline.Unauthorized {
			return roamline.Identification{}, &roamline.Error{Op: op, Kind: roamline.Unauthorized, Err: errProof}
		}
		d.tries.forgive(keys) // not the person's fault
		return roamline.Identification{}, err
	}
	d.tries.succeed(keys)
	return roamline.Identification{
		ID: roamline.IdentificationID(roamline.NewID("i_")), User: user, Client: c.Client, Method: c.Method, At: c.At,
	}, nil
}

// verify runs a proof when it is its turn: hashing is made to be costly, and
// must not take every core from the calls.
func (d *Door) verify(ctx context.Context, v Verifier, c roamline.Claim) (roamline.UserID, error) {
	wait := time.NewTimer(d.limits.Queue)
	defer wait.Stop()
	select {
	case d.turns <- struct{}{}:
	case <-ctx.Done():
		return "", &roamline.Error{Op: "identify.Prove", Kind: roamline.Unavailable, Err: ctx.Err()}
	case <-wait.C:
		return "", tooMany("identify.Prove", d.limits.Queue)
	}
	defer func() { <-d.turns }()
	return v.Verify(ctx, c)
}

// A TooManyError says when it makes sense to try again.
type TooManyError struct {
	wait time.Duration
}

func (e *TooManyError) Error() string {
	return fmt.Sprintf("too many tries: wait %v", e.wait.Round(time.Second))
}

// RetryAfter returns for how long further tries are refused.
func (e *TooManyError) RetryAfter() time.Duration { return e.wait }

func tooMany(op string, wait time.Duration) error {
	return &roamline.Error{Op: op, Kind: roamline.Exhausted, Err: &TooManyError{max(wait, time.Second)}}
}
