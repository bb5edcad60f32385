package route

import (
	"slices"
	"strings"

	"github.com/nyaruka/phonenumbers"
	"github.com/roamline/roamline"
)

// Normalise reads a number as people write it ("910 00 00 01", "0034910000001",
// "tel:+34-910-000-001", "1001") and returns its normal form: an emergency
// number or an extension as it is, everything else in E.164 with the site's
// country; without a country, digits without a plus are an extension. Invalid
// says what can't be read.
func Normalise(typed string, s roamline.Site) (roamline.Number, error) {
	digits := strip(typed)
	switch {
	case digits == "" || digits == "+":
		return "", unreadable(typed, "it has no digits")
	case slices.Contains(s.Emergency, digits):
		return roamline.Number(digits), nil
	case digits[0] != '+' && len(digits) <= s.Extensions:
		return roamline.Number(digits), nil
	case digits[0] == '+': // as it is: the library would drop a national zero
		if len(digits) < 7 || len(digits) > 16 { // E.164 section 6: at most 15 digits
			return "", unreadable(typed, "a number with a plus has 6 to 15 digits")
		}
		return roamline.Number(digits), nil
	case s.Country == "":
		if len(digits) > 15 {
			return "", unreadable(typed, "it has too many digits")
		}
		return roamline.Number(digits), nil
	}
	n, err := phonenumbers.Parse(digits, s.Country)
	if err != nil {
		return "", unreadable(typed, "write it with its country, such as +34910000001")
	}
	e164 := phonenumbers.Format(n, phonenumbers.E164)
	if !phonenumbers.IsPossibleNumber(n) || len(e164) < 7 || len(e164) > 16 {
		return "", unreadable(typed, "it has too many or too few digits for its country")
	}
	return roamline.Number(e164), nil
}

// strip keeps a leading plus and the digits; a letter or any other sign in the
// number makes it empty. A scheme and the signs that people group digits with
// are dropped (RFC 3966 section 5.1.1).
func strip(typed string) string {
	typed = strings.TrimSpace(typed)
	for _, scheme := range []string{"tel:", "sip:", "sips:"} {
		if len(typed) >= len(scheme) && strings.EqualFold(typed[:len(scheme)], scheme) {
			typed, _, _ = strings.Cut(typed[len(scheme):], "@")
		}
	}
	typed, _, _ = strings.Cut(typed, ";")
	var b strings.Builder
	for i, r := range typed {
		switch {
		case r >= '0' && r <= '9', r == '+' && i == 0:
			b.WriteRune(r)
		case strings.ContainsRune(" -./()\u00a0\u202f", r):
		default:
			return ""
		}
	}
	if b.Len() > 24 { // E.164 allows 15 digits; leave room for prefixes
		return ""
	}
	return b.String()
}

func unreadable(typed, why string) error {
	if len(typed) > 40 {
		typed = typed[:40]
	}
	return &roamline.Error{Op: "route.Normalise", Kind: roamline.Invalid, Of: typed, Err: reason(why)}
}

type reason string

func (r reason) Error() string { return string(r) }
