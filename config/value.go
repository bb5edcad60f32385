package config

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/roamline/roamline"
)

const (
	second     = time.Second
	minute     = time.Minute
	day        = 24 * time.Hour
	minSession = 90 * time.Second // RFC 4028 section 5: no shorter Min-SE
)

// A reader puts a value of the file (string, bool, int64, []any) or of the
// environment (always string) where it belongs. Its error says what is wrong
// with the value, and nothing else.
type reader func(value any) error

func text(to *string) reader {
	return func(v any) error {
		s, ok := v.(string)
		if !ok {
			return fmt.Errorf("%v must be written in quotes", v)
		}
		*to = strings.TrimSpace(s)
		return nil
	}
}

// parsed reads a text by a function.
func parsed[T any](to *T, parse func(string) (T, error)) reader {
	return func(v any) error {
		var s string
		if err := text(&s)(v); err != nil {
			return err
		}
		got, err := parse(s)
		if err == nil {
			*to = got
		}
		return err
	}
}

// list reads a list of texts; in the environment they are separated by commas.
func list[T any](to *[]T, parse func(string) (T, error)) reader {
	return func(v any) error {
		var items []any
		switch v := v.(type) {
		case []any:
			items = v
		case string:
			for s := range strings.SplitSeq(v, ",") {
				if s = strings.TrimSpace(s); s != "" {
					items = append(items, s)
				}
			}
		default:
			return fmt.Errorf("%v is not a list", v)
		}
		var all []T
		for _, item := range items {
			var one T
			if err := parsed(&one, parse)(item); err != nil {
				return err
			}
			all = append(all, one)
		}
		*to = all
		return nil
	}
}

func boolean(to *bool) reader {
	return func(v any) error {
		switch v := v.(type) {
		case bool:
			*to = v
			return nil
		case string:
			b, err := strconv.ParseBool(v)
			if err != nil {
				return fmt.Errorf("%q is neither true nor false", v)
			}
			*to = b
			return nil
		}
		return fmt.Errorf("%v is neither true nor false", v)
	}
}

func integer(to *int, least, most int) reader {
	return func(v any) error {
		var n int64
		switch v := v.(type) {
		case int64:
			n = v
		case string:
			var err error
			if n, err = strconv.ParseInt(v, 10, 64); err != nil {
				return fmt.Errorf("%q is not a whole number", v)
			}
		default:
			return fmt.Errorf("%v is not a whole number", v)
		}
		if n < int64(least) || n > int64(most) {
			return fmt.Errorf("%d is not between %d and %d", n, least, most)
		}
		*to = int(n)
		return nil
	}
}

func duration(to *time.Duration, least, most time.Duration) reader {
	return func(v any) error {
		s, ok := v.(string)
		if !ok {
			return fmt.Errorf("%v has no unit: ms, s, m or h", v)
		}
		d, err := time.ParseDuration(s)
		if err != nil {
			return fmt.Errorf("%q is not a duration", s)
		}
		if d < least || d > most {
			return fmt.Errorf("%s is not between %s and %s", s, least, most)
		}
		*to = d
		return nil
	}
}

func choice(to *string, of ...string) reader {
	return parsed(to, func(s string) (string, error) {
		if s = strings.ToLower(s); !slices.Contains(of, s) {
			return "", fmt.Errorf("%q is none of: %s", s, strings.Join(of, ", "))
		}
		return s, nil
	})
}

// listener reads where a door listens. Only a must can't be left empty.
func listener(to *netip.AddrPort, must bool) reader {
	return parsed(to, func(s string) (netip.AddrPort, error) {
		var none netip.AddrPort
		if s == "" {
			if must {
				return none, errors.New("it can't be empty")
			}
			return none, nil
		}
		full := s
		if strings.HasPrefix(s, ":") {
			full = "0.0.0.0" + s
		} else if port, ok := strings.CutPrefix(s, "localhost:"); ok {
			full = "127.0.0.1:" + port
		}
		ap, err := netip.ParseAddrPort(full)
		if err != nil {
			return none, fmt.Errorf("%q is not an IP address and a port", s)
		}
		return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port()), nil
	})
}

func addresses(to *[]netip.Addr) reader {
	return list(to, func(s string) (netip.Addr, error) {
		a, err := netip.ParseAddr(s)
		if err != nil {
			return a, fmt.Errorf("%q is not an IP address", s)
		}
		if a = a.Unmap(); a.IsUnspecified() || a.IsMulticast() {
			return a, fmt.Errorf("nobody can send to %s", s)
		}
		return a, nil
	})
}

func prefixes(to *[]netip.Prefix) reader {
	return list(to, func(s string) (netip.Prefix, error) {
		if a, err := netip.ParseAddr(s); err == nil {
			return netip.PrefixFrom(a.Unmap(), a.Unmap().BitLen()), nil
		}
		p, err := netip.ParsePrefix(s)
		if err != nil {
			return p, fmt.Errorf("%q is not a network prefix", s)
		}
		return p.Masked(), nil
	})
}

func ports(to *PortRange) reader {
	return parsed(to, func(s string) (PortRange, error) {
		first, last, ok := strings.Cut(s, "-")
		a, errA := strconv.ParseUint(strings.TrimSpace(first), 10, 16)
		b, errB := strconv.ParseUint(strings.TrimSpace(last), 10, 16)
		if !ok || errA != nil || errB != nil {
			return PortRange{}, fmt.Errorf("%q is not a range of ports", s)
		}
		a += a % 2 // RTP takes the even port of a pair (RFC 3550 section 11)
		if a < 1024 || b < a+1 {
			return PortRange{}, fmt.Errorf("%q holds no pair of ports above 1023", s)
		}
		return PortRange{uint16(a), uint16(b)}, nil
	})
}

// secretURL keeps a URL that may hold a password out of every message.
func secretURL(to *roamline.Secret, schemes ...string) reader {
	return func(v any) error {
		var s string
		if err := text(&s)(v); err != nil {
			return errors.New("it must be written in quotes")
		}
		for one := range strings.SplitSeq(s, ",") {
			u, err := url.Parse(strings.TrimSpace(one))
			if s != "" && (err != nil || u.Host == "" || !slices.Contains(schemes, u.Scheme)) {
				return fmt.Errorf("it is not a URL that begins with %s://", schemes[0])
			}
		}
		*to = roamline.NewSecret(s)
		return nil
	}
}

func webURL(to *string) reader {
	return parsed(to, func(s string) (string, error) {
		if u, err := url.Parse(s); s != "" && (err != nil || u.Host == "" || u.Scheme != "https") {
			return "", fmt.Errorf("%q is not a URL that begins with https://", s)
		}
		return s, nil
	})
}

func origins(to *[]string) reader {
	return list(to, func(s string) (string, error) {
		u, err := url.Parse(s)
		if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || s != u.Scheme+"://"+u.Host {
			return "", fmt.Errorf("%q is not a scheme and a host, without a path", s)
		}
		return strings.ToLower(s), nil
	})
}

var hostName = regexp.MustCompile(`^([a-zA-Z0-9]([-a-zA-Z0-9]{0,61}[a-zA-Z0-9])?\.)*[a-zA-Z0-9]([-a-zA-Z0-9]{0,61}[a-zA-Z0-9])?$`)

func hosts(to *[]string) reader {
	return list(to, func(s string) (string, error) {
		if _, err := netip.ParseAddr(s); err == nil || hostName.MatchString(s) && len(s) < 254 {
			return strings.ToLower(s), nil
		}
		return "", fmt.Errorf("%q is neither a host name nor an IP address", s)
	})
}

func country(to *string) reader {
	return parsed(to, func(s string) (string, error) {
		s = strings.ToUpper(s)
		for _, r := range s {
			if r < 'A' || r > 'Z' {
				return "", fmt.Errorf("%q is not a country code", s)
			}
		}
		if len(s) != 0 && len(s) != 2 {
			return "", fmt.Errorf("%q is not a country code of two letters", s)
		}
		return s, nil
	})
}

func methods(to *[]roamline.Method) reader {
	return list(to, func(s string) (roamline.Method, error) {
		m := roamline.Method(strings.ToLower(s))
		if m != roamline.ByPassword && m != roamline.ByPIN {
			return "", fmt.Errorf("%q is not a way to identify", s)
		}
		return m, nil
	})
}

func dialled(to *[]string) reader {
	return list(to, func(s string) (string, error) {
		if s == "" || len(s) > 16 || strings.Trim(s, "0123456789*#+") != "" {
			return "", fmt.Errorf("%q can't be dialled", s)
		}
		return s, nil
	})
}
