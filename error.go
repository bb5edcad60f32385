package roamline

import "errors"

// A Kind is what sort of failure an error is. One table maps kinds to SIP
// codes, one to HTTP codes.
type Kind int

const (
	Internal     Kind = iota // a bug, or something broke underneath
	Invalid                  // the request can't be understood; say what is wrong with it
	Unauthorized             // no proof, or a wrong one
	Forbidden                // proven, and not allowed
	NotFound
	Conflict // somebody else changed it first, or the name is taken
	Exhausted
	Unavailable // try again later
	Incompatibility
)

// An Error says which step failed, how, and for whom.
type Error struct {
	Op   string // package and verb: "route.Plan"
	Kind Kind
	Of   string // the number, client, user or field concerned; may be empty
	Err  error  // the cause; may be nil
}

func (e *Error) Error() string {
	s := e.Op
	if e.Of != "" {
		s += " " + e.Of
	}
	if e.Err != nil {
		return s + ": " + e.Err.Error()
	}
	return s + ": " + e.Kind.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// KindOf returns the kind of the outermost *Error in err's chain; Internal if
// there is none.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Internal
}

func (k Kind) String() string {
	switch k {
	case Invalid:
		return "invalid"
	case Unauthorized:
		return "not proven"
	case Forbidden:
		return "not allowed"
	case NotFound:
		return "not found"
	case Conflict:
		return "conflict"
	case Exhausted:
		return "too many"
	case Unavailable:
		return "unavailable"
	case Incompatibility:
		return "incompatible"
	}
	return "internal error"
}
