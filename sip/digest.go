package sip

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"
)

// Digest as server (RFC 3261 section 22, RFC 7616, RFC 8760).

const (
	nonceLife = 5 * time.Minute
	maxNonces = 8192 // nonces whose counts are remembered
)

// The algorithms that we challenge with, the one that we like best first (RFC
// 8760 section 2.4).
var algorithms = []string{"SHA-256", "MD5"}

func hashOf(algorithm string) func() hash.Hash {
	switch {
	case strings.EqualFold(algorithm, "SHA-256"):
		return sha256.New
	case strings.EqualFold(algorithm, "MD5"), algorithm == "":
		return md5.New
	}
	return nil
}

// A digestServer makes nonces and remembers which counts were used with each. A
// nonce says by itself when it was made; nothing is kept for one that is never
// used.
type digestServer struct {
	realm string
	now   func() time.Time
	key   [32]byte

	mu        sync.Mutex
	used      map[string]*nonceUse
	forgotten time.Time // nonces made until then are stale if they are not in used
}

type nonceUse struct {
	made time.Time
	high uint32
	seen uint64 // bit i: count high-i was used
}

func newDigestServer(realm string, now func() time.Time) *digestServer {
	d := &digestServer{realm: realm, now: now, used: make(map[string]*nonceUse)}
	rand.Read(d.key[:])
	return d
}

func (d *digestServer) nonce() string {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], uint64(d.now().UnixMilli()))
	rand.Read(b[8:])
	return base64.RawURLEncoding.EncodeToString(append(b[:], d.seal(b[:])...))
}

func (d *digestServer) seal(b []byte) []byte {
	m := hmac.New(sha256.New, d.key[:])
	m.Write(b)
	return m.Sum(nil)[:12]
}

// made returns when a nonce of ours was made; false if it is not ours.
func (d *digestServer) made(nonce string) (time.Time, bool) {
	b, err := base64.RawURLEncoding.DecodeString(nonce)
	if err != nil || len(b) != 28 || !hmac.Equal(b[16:], d.seal(b[:16])) {
		return time.Time{}, false
	}
	return time.UnixMilli(int64(binary.BigEndian.Uint64(b[:8]))), true
}

// challenges are the WWW-Authenticate values of a 401. Agents that know MD5
// only, and stumble over what they do not know, get it alone.
func (d *digestServer) challenges(agent string, stale bool) []sip.Header {
	list := algorithms
	if knowsOnlyMD5(agent) {
		list = []string{"MD5"}
	}
	nonce := d.nonce()
	var hs []sip.Header
	for _, a := range list {
		v := `Digest realm="` + escapeName(d.realm) + `", nonce="` + nonce + `", algorithm=` + a + `, qop="auth"`
		if stale {
			v += ", stale=true"
		}
		hs = append(hs, sip.NewHeader("WWW-Authenticate", v))
	}
	return hs
}

// knowsOnlyMD5 names the user agents that give up when there is another
// challenge than MD5, against RFC 8760 section 2.4: SIP.js reads the first one
// only, JsSIP the last one.
func knowsOnlyMD5(agent string) bool {
	for _, prefix := range []string{"JsSIP", "SIP.js", "baresip", "SIPp", "Linphone/3"} {
		if strings.HasPrefix(agent, prefix) || strings.Contains(agent, " "+prefix) {
			return true
		}
	}
	return false
}

// credentials are what a Digest Authorization says.
type credentials struct {
	user, realm, nonce, uri, response, algorithm, cnonce, qop string
	nc                                                        uint32
}

// parseCredentials reads an Authorization value; false if it is not a usable
// Digest one.
func parseCredentials(v string) (credentials, bool) {
	var c credentials
	scheme, rest, ok := strings.Cut(strings.TrimSpace(v), " ")
	if !ok || !strings.EqualFold(scheme, "Digest") {
		return c, false
	}
	parts, err := splitOutside(rest, ',')
	if err != nil {
		return c, false
	}
	seen := make(map[string]bool, len(parts))
	for _, p := range parts {
		name, value, ok := strings.Cut(p, "=")
		name = strings.ToLower(strings.TrimSpace(name))
		if !ok || seen[name] {
			return c, false
		}
		seen[name] = true
		value = unquote(strings.TrimSpace(value))
		switch name {
		case "username":
			c.user = value
		case "realm":
			c.realm = value
		case "nonce":
			c.nonce = value
		case "uri":
			c.uri = value
		case "response":
			c.response = strings.ToLower(value)
		case "algorithm":
			c.algorithm = value
		case "cnonce":
			c.cnonce = value
		case "qop":
			c.qop = value
		case "nc":
			n, err := strconv.ParseUint(value, 16, 32)
			if err != nil || len(value) != 8 {
				return c, false
			}
			c.nc = uint32(n)
		}
	}
	// Without qop there is no count, and so no guard against replay.
	return c, c.user != "" && c.nonce != "" && c.response != "" && strings.EqualFold(c.qop, "auth") && c.cnonce != "" && c.nc > 0
}

// verify reports whether c proves knowledge of ha1 (by algorithm) for a request
// of that method; stale says that it does, but its nonce is used up. The uri of
// c need not equal the Request-URI: phones differ there, and count and nonce
// already stop a replay. It takes as long for an unknown user: ha1 may be nil.
func (d *digestServer) verify(c credentials, method string, ha1 map[string]string) (ok, stale bool) {
	h := hashOf(c.algorithm)
	if h == nil {
		return false, false
	}
	name := strings.ToUpper(c.algorithm)
	if name == "" {
		name = "MD5"
	}
	secret, have := ha1[name]
	want := digestResponse(h, secret, c, method)
	right := subtle.ConstantTimeCompare([]byte(want), []byte(c.response)) == 1
	made, ours := d.made(c.nonce)
	if !have || !right || !ours || c.realm != d.realm {
		return false, false
	}
	if d.now().Sub(made) > nonceLife || !d.use(c.nonce, c.nc, made) {
		return false, true
	}
	return true, false
}

func digestResponse(h func() hash.Hash, ha1 string, c credentials, method string) string {
	sum := func(parts ...string) string {
		x := h()
		x.Write([]byte(strings.Join(parts, ":")))
		return hex.EncodeToString(x.Sum(nil))
	}
	return sum(ha1, c.nonce, nc8(c.nc), c.cnonce, c.qop, sum(method, c.uri))
}

func nc8(n uint32) string {
	s := strconv.FormatUint(uint64(n), 16)
	return "00000000"[:8-len(s)] + s
}

// use notes a count of a nonce; false if it was used before, or too long ago to
// know. Requests may overtake each other a little.
func (d *digestServer) use(nonce string, nc uint32, made time.Time) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	u := d.used[nonce]
	if u == nil {
		if !made.After(d.forgotten) {
			return false
		}
		if len(d.used) >= maxNonces {
			d.sweep()
		}
		d.used[nonce] = &nonceUse{made: made, high: nc, seen: 1}
		return true
	}
	if nc > u.high {
		if shift := nc - u.high; shift < 64 {
			u.seen = u.seen<<shift | 1
		} else {
			u.seen = 1
		}
		u.high = nc
		return true
	}
	back := u.high - nc
	if back >= 64 || u.seen&(1<<back) != 0 {
		return false
	}
	u.seen |= 1 << back
	return true
}

// sweep forgets nonces that have expired; if that is not enough the older half,
// which are stale from then on.
func (d *digestServer) sweep() {
	limit := d.now().Add(-nonceLife)
	for n, u := range d.used {
		if u.made.Before(limit) {
			delete(d.used, n)
		}
	}
	if len(d.used) < maxNonces {
		return
	}
	var oldest, newest time.Time
	for _, u := range d.used {
		if oldest.IsZero() || u.made.Before(oldest) {
			oldest = u.made
		}
		if u.made.After(newest) {
			newest = u.made
		}
	}
	d.forgotten = oldest.Add(newest.Sub(oldest) / 2)
	for n, u := range d.used {
		if !u.made.After(d.forgotten) {
			delete(d.used, n)
		}
	}
}
