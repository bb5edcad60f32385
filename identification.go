package roamline

import "time"

// A Method is a way to prove who is at a client.
type Method string

const (
	ByPassword      Method = "password"
	ByPIN           Method = "pin"
	ByAdministrator Method = "administrator" // an administrator put the user there
	ByOutside       Method = "outside"       // a System said that the user is there
)

// A Secret is something that must never be printed. Its text shows itself only
// to the code that calls Reveal.
type Secret struct{ text string }

// NewSecret wraps text.
func NewSecret(text string) Secret { return Secret{text} }

// Reveal returns the text.
func (s Secret) Reveal() string { return s.text }

// String hides the text from every printer.
func (Secret) String() string { return "(secret)" }

// GoString hides the text from %#v.
func (Secret) GoString() string { return "(secret)" }

// A Claim is what somebody presents at a client to say who she is.
type Claim struct {
	Client ClientID
	Method Method
	Login  string // who she says she is: a login, or a number with a PIN
	Secret Secret
	From   string // the network address it came from, for limits and history
	At     time.Time
}

// An Identification is a claim that was proven.
type Identification struct {
	ID     IdentificationID
	User   UserID
	Client ClientID
	Method Method
	By     UserID // the administrator, for ByAdministrator; for ByOutside the System's name as it was then
	At     time.Time
}
