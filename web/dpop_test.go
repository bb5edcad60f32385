package web

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/roamline/roamline"
)

func TestProofs(t *testing.T) {
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	here := origin + base + "/client"
	for _, row := range []struct {
		rule string
		of   proofOf
		kind string // of the problem; empty: passes
	}{
		{"a right proof passes", proofOf{}, ""},
		{"scheme and host in any case, default port", proofOf{url: "HTTPS://Phone.Example:443" + base + "/client"}, ""},
		{"query and fragment of htu do not count", proofOf{url: here + "?a=b#c"}, ""},
		{"another method", proofOf{method: "POST"}, typeProof},
		{"method in another case", proofOf{method: "get"}, typeProof},
		{"another path", proofOf{url: here + "s"}, typeProof},
		{"another host", proofOf{url: "https://evil.example" + base + "/client"}, typeProof},
		{"another scheme", proofOf{url: "http://phone.example" + base + "/client"}, typeProof},
		{"another port", proofOf{url: "https://phone.example:8443" + base + "/client"}, typeProof},
		{"a user in htu", proofOf{url: "https://x@phone.example" + base + "/client"}, typeProof},
		{"59 seconds old", proofOf{at: time.Unix(-59, 0)}, ""},
		{"too old", proofOf{at: time.Unix(-61, 0)}, typeClock},
		{"from the future", proofOf{at: time.Unix(61, 0)}, typeClock},
		{"signed by another key than it shows", proofOf{with: other}, typeProof},
		{"another type of token", proofOf{typ: "JWT"}, typeProof},
		{"for another token", proofOf{token: "another"}, typeProof},
		{"without ath", proofOf{drop: "ath"}, typeProof},
		{"without jti", proofOf{drop: "jti"}, typeProof},
		{"without iat", proofOf{drop: "iat"}, typeProof},
		{"without htm", proofOf{drop: "htm"}, typeProof},
		{"without htu", proofOf{drop: "htu"}, typeProof},
		{"jti without end", proofOf{jti: strings.Repeat("j", maxJTI+1)}, typeProof},
	} {
		t.Run(row.rule, func(t *testing.T) {
			h := open(t)
			b := h.browser()
			p := row.of
			if p.method == "" {
				p.method = "GET"
			}
			if p.url == "" {
				p.url = here
			}
			if p.token == "" {
				p.token = b.token
			}
			if !p.at.IsZero() {
				p.at = h.clock().Add(time.Duration(p.at.Unix()) * time.Second)
			}
			r := b.signed("GET", "/client", "")
			r.Header.Set("DPoP", b.proof(p))
			a := h.serve(h.handler, r)
			if row.kind == "" {
				a.want(200)
				return
			}
			if a.want(401); a.kind() != row.kind {
				t.Errorf("type %q, want %q: %s", a.kind(), row.kind, a.text)
			}
			if !strings.Contains(a.header.Get("WWW-Authenticate"), `error="invalid_dpop_proof"`) {
				t.Errorf("challenge %q", a.header.Get("WWW-Authenticate"))
			}
		})
	}
}

func TestProofIsUsedUp(t *testing.T) {
	h := open(t)
	b := h.browser()
	r := b.signed("GET", "/client", "")
	h.serve(h.handler, r).want(200)
	h.serve(h.handler, r.Clone(t.Context())).want(401)
	h.pass(59 * time.Second)
	h.serve(h.handler, r.Clone(t.Context())).want(401)
	h.pass(2 * time.Second)
	if a := h.serve(h.handler, r.Clone(t.Context())).want(401); a.kind() != typeClock {
		t.Errorf("too old a proof is refused by its time, not %q", a.kind())
	}
}

func TestTwoProofsAreNone(t *testing.T) {
	h := open(t)
	b := h.browser()
	r := b.signed("GET", "/client", "")
	r.Header.Add("DPoP", r.Header.Get("DPoP"))
	h.serve(h.handler, r).want(401)
}

func TestPrivateKeyInProofIsRefused(t *testing.T) {
	h := open(t)
	b := h.browser()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: b.key},
		(&jose.SignerOptions{}).WithType("dpop+jwt").WithHeader("jwk", jose.JSONWebKey{Key: b.key}))
	if err != nil {
		t.Fatal(err)
	}
	sig, err := signer.Sign([]byte(`{"jti":"1","htm":"GET","htu":"x","iat":1}`))
	if err != nil {
		t.Fatal(err)
	}
	text, _ := sig.CompactSerialize()
	if _, err := parseProof(text); err == nil {
		t.Error("taken")
	}
}

func TestTokens(t *testing.T) {
	h := open(t)
	victim, thief := h.browser(), h.browser()

	t.Run("a stolen token with another key", func(t *testing.T) {
		b := &browser{h: h, key: thief.key, token: victim.token, from: thief.from}
		if a := b.do("GET", "/client", "").want(401); a.kind() != typeToken {
			t.Errorf("type %q", a.kind())
		}
	})
	t.Run("none", func(t *testing.T) {
		r := victim.signed("GET", "/client", "")
		r.Header.Del("Authorization")
		h.serve(h.handler, r).want(401)
	})
	t.Run("as bearer", func(t *testing.T) {
		r := victim.signed("GET", "/client", "")
		r.Header.Set("Authorization", "Bearer "+victim.token)
		h.serve(h.handler, r).want(401)
	})
	t.Run("with a changed letter", func(t *testing.T) {
		b := *victim
		b.token = b.token[:len(b.token)-2] + "AA"
		b.do("GET", "/client", "").want(401)
	})
	t.Run("signed by nobody", func(t *testing.T) {
		b := *victim
		parts := strings.Split(b.token, ".")
		b.token = "eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0." + parts[1] + "."
		b.do("GET", "/client", "").want(401)
	})
	t.Run("by another server's key", func(t *testing.T) {
		b := *victim
		other := open(t)
		b.token, _ = other.makeToken(token{client: b.id, key: "x", until: h.clock().Add(time.Hour)})
		b.do("GET", "/client", "").want(401)
	})
	t.Run("eleven minutes old", func(t *testing.T) {
		h.pass(tokenLife)
		if a := victim.do("GET", "/client", "").want(401); a.kind() != typeToken {
			t.Errorf("type %q", a.kind())
		}
		victim.renew().want(200)
		victim.do("GET", "/client", "").want(200)
	})
}

func TestRevokedClientIsRefusedAtOnce(t *testing.T) {
	h := open(t)
	b := h.admitted()
	b.do("GET", "/client", "").want(200)
	if _, _, err := h.Bearer(t.Context(), b.token); err != nil {
		t.Fatal(err)
	}
	h.local("POST", "/clients/"+string(b.id)+"/revoke", "").want(200)
	b.do("GET", "/client", "").want(403)
	b.renew().want(403)
	if _, _, err := h.Bearer(t.Context(), b.token); roamline.KindOf(err) != roamline.Forbidden {
		t.Errorf("bearer: %v", err)
	}
}

func TestBearer(t *testing.T) {
	h := open(t)
	waiting, admitted := h.browser(), h.admitted()
	if _, _, err := h.Bearer(t.Context(), waiting.token); roamline.KindOf(err) != roamline.Forbidden {
		t.Errorf("waiting: %v", err)
	}
	id, until, err := h.Bearer(t.Context(), admitted.token)
	if err != nil || id != admitted.id || !until.Equal(h.clock().Add(tokenLife)) {
		t.Errorf("%v until %v: %v", id, until, err)
	}
	for _, text := range []string{"", "x", admitted.token + "x", strings.Repeat("a.", 4000)} {
		if _, _, err := h.Bearer(t.Context(), text); roamline.KindOf(err) != roamline.Unauthorized {
			t.Errorf("%.10q: %v", text, err)
		}
	}
}

func TestForwardedIsBelievedFromProxiesOnly(t *testing.T) {
	proxy := func(o *Options) { o.Proxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")} }
	for _, row := range []struct {
		rule, peer, list string
		want             string
	}{
		{"a stranger says what it likes", "192.0.2.1:1", "203.0.113.9", "192.0.2.1"},
		{"a proxy is believed", "10.0.0.1:1", "203.0.113.9", "203.0.113.9"},
		{"what the caller wrote in front is not", "10.0.0.1:1", "198.51.100.1, 203.0.113.9", "203.0.113.9"},
		{"a chain of proxies is passed over", "10.0.0.1:1", "203.0.113.9, 10.0.0.2", "203.0.113.9"},
		{"rubbish ends it", "10.0.0.1:1", "rubbish", "10.0.0.1"},
		{"nothing leaves the peer", "10.0.0.1:1", "", "10.0.0.1"},
		{"a mapped address is the plain one", "[::ffff:192.0.2.1]:1", "", "192.0.2.1"},
	} {
		t.Run(row.rule, func(t *testing.T) {
			h := open(t, proxy)
			r := httptest.NewRequest("GET", "http://inside"+base+"/client", nil)
			r.RemoteAddr = row.peer
			if row.list != "" {
				r.Header.Set("X-Forwarded-For", row.list)
			}
			r.Header.Set("X-Forwarded-Proto", "https")
			r.Header.Set("X-Forwarded-Host", "outside")
			if got := h.address(r); got.String() != row.want {
				t.Errorf("address %v, want %v", got, row.want)
			}
			scheme, host := h.origin(r)
			if believed := strings.HasPrefix(row.peer, "10."); believed != (scheme == "https" && host == "outside") {
				t.Errorf("%s://%s", scheme, host)
			}
		})
	}
}

func TestReplaysAreBounded(t *testing.T) {
	s, now := newReplays(3), time.Unix(1000, 0)
	for _, jti := range []string{"a", "b", "c"} {
		if fresh, room := s.use("k", jti, now); !fresh || !room {
			t.Fatalf("%s: %v %v", jti, fresh, room)
		}
	}
	if _, room := s.use("k", "d", now); room {
		t.Error("one too many was let in")
	}
	if fresh, _ := s.use("k", "a", now); fresh {
		t.Error("a full table forgot")
	}
	if fresh, _ := s.use("k", "a", now.Add(2*proofWindow)); fresh {
		t.Error("forgotten while the proof may still be good")
	}
	if fresh, room := s.use("k", "a", now.Add(8*proofWindow)); !fresh || !room {
		t.Error("never forgotten")
	}
}

func FuzzProof(f *testing.F) {
	h := &house{t: &testing.T{}, now: time.Unix(1_800_000_000, 0)}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		f.Fatal(err)
	}
	b := &browser{h: h, key: key}
	f.Add(b.proof(proofOf{method: "GET", url: origin + "/x"}))
	f.Add("..")
	f.Add("eyJhbGciOiJub25lIn0.e30.")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := parseProof(text)
		if err != nil {
			return
		}
		if p.key == "" || p.jti == "" || p.htm == "" || p.htu == "" {
			t.Errorf("taken with holes: %+v", p)
		}
		sameTarget(p.htu, "https", "phone.example", &url.URL{Path: "/x"})
	})
}
