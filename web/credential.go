package web

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/roamline/roamline"
)

// formerLife is how long a secret is good after it was replaced.
const formerLife = 24 * time.Hour

// maxCredential bounds what is read of a credential, in bytes.
const maxCredential = 256

const credentialPrefix = "rls_"

// credential writes what a system shows: "rls_", its identifier, a dot and its
// secret. The prefix lets scanners find one that was published by mistake.
func credential(id roamline.SystemID, secret string) string {
	return credentialPrefix + string(id) + "." + secret
}

// readCredential is credential backwards. It reports false for what no system
// was ever given.
func readCredential(text string) (id roamline.SystemID, secret string, ok bool) {
	rest, ours := strings.CutPrefix(text, credentialPrefix)
	name, secret, two := strings.Cut(rest, ".")
	if len(text) > maxCredential || !ours || !two || !plainWord(name) || !plainWord(secret) {
		return "", "", false
	}
	return roamline.SystemID(name), secret, true
}

func plainWord(s string) bool {
	return s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == ""
}

// systemSecrets are the hashes of a system's secret, and of the former one for
// as long as that is good. A secret is random and long, so that a fast hash
// without salt does.
type systemSecrets struct {
	now, former string    // SHA-256 in hexadecimal; empty: none
	until       time.Time // of the former
}

// String is how the store keeps them (roamline.SystemHash).
func (s systemSecrets) String() string {
	if s.former == "" {
		return s.now
	}
	return s.now + " " + s.former + " " + strconv.FormatInt(s.until.Unix(), 10)
}

func secretsOf(ctx context.Context, in roamline.Store, id roamline.SystemID) (systemSecrets, error) {
	kept, err := in.Secret(ctx, roamline.SystemHash, string(id))
	if err != nil {
		if roamline.KindOf(err) == roamline.NotFound {
			err = nil
		}
		return systemSecrets{}, err
	}
	s, ok := readSecrets(kept.Reveal())
	if !ok {
		err = &roamline.Error{Op: "web.secretsOf", Of: string(id), Err: fmt.Errorf("the kept hash can't be read")}
	}
	return s, err
}

func readSecrets(text string) (s systemSecrets, ok bool) {
	fields := strings.Fields(text)
	switch len(fields) {
	case 1:
		return systemSecrets{now: fields[0]}, true
	case 3:
		seconds, err := strconv.ParseInt(fields[2], 10, 64)
		return systemSecrets{now: fields[0], former: fields[1], until: time.Unix(seconds, 0).UTC()}, err == nil
	}
	return s, false
}

func hashOf(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// rotate puts fresh in the place of the secret of now.
func (s systemSecrets) rotate(fresh string, now time.Time, atOnce bool) systemSecrets {
	next := systemSecrets{now: hashOf(fresh)}
	if s.now != "" && !atOnce {
		next.former, next.until = s.now, now.Add(formerLife).UTC().Truncate(time.Second)
	}
	return next
}

// fits reports whether a secret is good at a time.
func (s systemSecrets) fits(secret string, at time.Time) bool {
	hash := []byte(hashOf(secret))
	return subtle.ConstantTimeCompare(hash, []byte(s.now)) == 1 ||
		at.Before(s.until) && subtle.ConstantTimeCompare(hash, []byte(s.former)) == 1
}

func badCredential() *refusal {
	r := refuse(http.StatusUnauthorized, typeToken, "Show the system's credential: Authorization: Bearer rls_... An administrator makes a new one with roamline system secret")
	r.header.Set("WWW-Authenticate", "Bearer")
	return r
}

// systemOf finds out which system sends a request, and counts it.
func (d *Door) systemOf(r *http.Request, from netip.Addr) (roamline.System, error) {
	const tooOften = "This sends too many events. Wait as long as Retry-After says"
	var none roamline.System
	if wait, ok := d.nearby.take(addressKey(from), d.Now()); !ok {
		return none, refuse(http.StatusTooManyRequests, typeTooOften, tooOften).after(wait)
	}
	headers := r.Header.Values("Authorization")
	if len(headers) != 1 {
		return none, badCredential()
	}
	scheme, text, _ := strings.Cut(headers[0], " ")
	id, secret, ok := readCredential(text)
	if !strings.EqualFold(scheme, "Bearer") || !ok {
		return none, badCredential()
	}
	kept, err := secretsOf(r.Context(), d.Store, id)
	if err != nil {
		return none, err
	}
	if !kept.fits(secret, d.Now()) {
		return none, badCredential()
	}
	y, err := d.Store.Systems().Get(r.Context(), string(id))
	switch {
	case err != nil && roamline.KindOf(err) == roamline.NotFound:
		return none, badCredential()
	case err != nil:
		return none, err
	case !y.Enabled:
		return none, refuse(http.StatusForbidden, "", "This system is switched off. An administrator can switch it on again")
	}
	if wait, ok := d.spoken.take(string(id), d.Now()); !ok {
		return none, refuse(http.StatusTooManyRequests, typeTooOften, tooOften).after(wait)
	}
	return y, nil
}
