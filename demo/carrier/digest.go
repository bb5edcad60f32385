package carrier

import (
	"crypto/rand"
	"crypto/subtle"
	"sync"

	"github.com/emiago/sipgo/sip"
	"github.com/icholy/digest"
)

const realm = "carrier.test"

// mostNonces bounds the nonces that are remembered; then all are forgotten.
const mostNonces = 256

// A guard asks for a password (RFC 3261 section 22, RFC 8760). The count of each
// nonce must rise.
type guard struct {
	username, password string

	mu     sync.Mutex
	counts map[string]int  // by nonce: the highest seen
	from   map[string]bool // addresses that registered
}

func newGuard(username, password string) guard {
	return guard{username: username, password: password, counts: map[string]int{}, from: map[string]bool{}}
}

func (g *guard) nonce() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.counts) >= mostNonces {
		clear(g.counts)
	}
	n := rand.Text()
	g.counts[n] = 0
	return n
}

// challenge returns the challenges for a request that proves nothing; nil lets
// it in.
func (c *Carrier) challenge(req *sip.Request) []sip.Header {
	g := &c.guard
	if g.username == "" || req.Method != sip.INVITE && req.Method != sip.REGISTER {
		return nil
	}
	if h := req.GetHeader("Authorization"); h != nil && g.proved(req, h.Value()) {
		if req.Method == sip.REGISTER {
			g.mu.Lock()
			g.from[req.Source()] = true
			g.mu.Unlock()
		}
		return nil
	}
	var out []sip.Header
	nonce := g.nonce()
	for _, algorithm := range []string{"SHA-256", "MD5"} {
		ch := digest.Challenge{Realm: realm, Nonce: nonce, Algorithm: algorithm, QOP: []string{"auth"}}
		out = append(out, sip.NewHeader("WWW-Authenticate", ch.String()))
	}
	return out
}

func (g *guard) proved(req *sip.Request, header string) bool {
	got, err := digest.ParseCredentials(header)
	if err != nil || got.Username != g.username || got.Realm != realm || got.QOP != "auth" {
		return false
	}
	ch := digest.Challenge{Realm: realm, Nonce: got.Nonce, Algorithm: got.Algorithm, QOP: []string{"auth"}}
	want, err := digest.Digest(&ch, digest.Options{Method: string(req.Method), URI: got.URI, Count: got.Nc, Cnonce: got.Cnonce,
		Username: g.username, Password: g.password})
	if err != nil || subtle.ConstantTimeCompare([]byte(want.Response), []byte(got.Response)) == 0 {
		return false
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	seen, ours := g.counts[got.Nonce]
	if !ours || got.Nc <= seen {
		return false
	}
	g.counts[got.Nonce] = got.Nc
	return true
}

// Registered returns how many addresses have registered with the password.
func (c *Carrier) Registered() int {
	c.guard.mu.Lock()
	defer c.guard.mu.Unlock()
	return len(c.guard.from)
}
