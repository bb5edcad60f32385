package web

import (
	"context"
	"errors"

	"github.com/roamline/roamline"
)

// An Exchange is what the door asks of the switchboard.
type Exchange interface {
	// Identify proves a claim and binds. Unauthorized: not proven. Exhausted: too
	// many tries; if the error or one it wraps has a method
	// RetryAfter() time.Duration, the page is told for how long.
	Identify(ctx context.Context, c roamline.Claim) (roamline.Binding, error)
	// Put binds a user at a client because an administrator says so.
	Put(ctx context.Context, user roamline.UserID, at roamline.ClientID, by roamline.UserID) (roamline.Binding, error)
	// Release ends the binding at a client. NotFound: nobody is there.
	Release(ctx context.Context, at roamline.ClientID, why roamline.ReleaseReason) error
	// Vouch binds a user at a client on the word of the outside system of that
	// name; Withdraw ends it, of whoever is there if user is empty. NotFound:
	// nobody is there. Conflict: somebody else is.
	Vouch(ctx context.Context, user roamline.UserID, at roamline.ClientID, system string) (roamline.Binding, error)
	Withdraw(ctx context.Context, user roamline.UserID, at roamline.ClientID, system string) error
	Bindings() []roamline.Binding
	At(c roamline.ClientID) (roamline.Binding, bool)
	// Touch notes that a person used a client: it puts off the end by idle time.
	Touch(c roamline.ClientID)
	Calls() []roamline.CallView
	End(ctx context.Context, id roamline.CallID) error
	// Fetch brings a call to the client where its person is. NotFound: it is not
	// running or not hers. Conflict: nobody is at the client.
	Fetch(ctx context.Context, id roamline.CallID, to roamline.ClientID) error
	// Watch gives the present state, NewsReady, then changes. The channel is
	// closed when ctx ends, or when its reader is too slow.
	Watch(ctx context.Context) <-chan roamline.News
}

// closed stands for the exchange of a server that does not run: facts can be
// read and changed, nobody is anywhere.
type closed struct{}

var errClosed = errors.New("the server is not running")

func stopped(op string) error {
	return &roamline.Error{Op: "web." + op, Kind: roamline.Unavailable, Err: errClosed}
}

func (closed) Identify(context.Context, roamline.Claim) (roamline.Binding, error) {
	return roamline.Binding{}, stopped("Identify")
}

func (closed) Put(context.Context, roamline.UserID, roamline.ClientID, roamline.UserID) (roamline.Binding, error) {
	return roamline.Binding{}, stopped("Put")
}

func (closed) Release(_ context.Context, at roamline.ClientID, _ roamline.ReleaseReason) error {
	return &roamline.Error{Op: "web.Release", Kind: roamline.NotFound, Of: string(at), Err: errClosed}
}

func (closed) Vouch(context.Context, roamline.UserID, roamline.ClientID, string) (roamline.Binding, error) {
	return roamline.Binding{}, stopped("Vouch")
}

func (closed) Withdraw(context.Context, roamline.UserID, roamline.ClientID, string) error {
	return stopped("Withdraw")
}

func (closed) Bindings() []roamline.Binding                    { return nil }
func (closed) At(roamline.ClientID) (roamline.Binding, bool)   { return roamline.Binding{}, false }
func (closed) Touch(roamline.ClientID)                         {}
func (closed) Calls() []roamline.CallView                      { return nil }
func (closed) End(_ context.Context, id roamline.CallID) error { return stopped("End") }
func (closed) Fetch(context.Context, roamline.CallID, roamline.ClientID) error {
	return stopped("Fetch")
}
func (closed) Watch(ctx context.Context) <-chan roamline.News {
	ch := make(chan roamline.News)
	close(ch)
	return ch
}
