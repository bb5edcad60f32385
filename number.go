package roamline

// A Number is what is dialled, in its normal form: E.164 with its plus
// ("+34910000001") or an internal extension of digits ("1001"). The package
// that reads what people type normalises it (route.Normalise).
type Number string

// International reports whether n is an E.164 number.
func (n Number) International() bool { return len(n) > 1 && n[0] == '+' }

// DestinationKind says what a number leads to.
type DestinationKind string

const ToUser DestinationKind = "user" // ID is a UserID

// A Destination is what a number leads to.
type Destination struct {
	Kind DestinationKind
	ID   string
}

// A Listing says where a number leads. Its key is the number.
type Listing struct {
	Number Number
	To     Destination
	Rev    Rev
}

// A Party is one end of a call as it is shown to the other.
type Party struct {
	Number  Number // empty if withheld
	Name    string // as displayed; may be empty
	Private bool   // asked to be withheld (RFC 3323)
}
