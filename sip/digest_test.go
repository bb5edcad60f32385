package sip

import (
	"encoding/hex"
	"hash"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"
)

func ha1(h func() hash.Hash, login, realm string) string {
	x := h()
	x.Write([]byte(login + ":" + realm + ":" + phonePassword))
	return hex.EncodeToString(x.Sum(nil))
}

// signed makes right credentials by hand.
func signed(d *digestServer, nonce string, nc uint32) credentials {
	c := credentials{user: "desk7", realm: d.realm, nonce: nonce, uri: "sip:x", algorithm: "SHA-256", cnonce: "c", qop: "auth", nc: nc}
	c.response = digestResponse(hashOf("SHA-256"), ha1(hashOf("SHA-256"), "desk7", d.realm), c, "REGISTER")
	return c
}

func TestDigestServer(t *testing.T) {
	clock := time.Unix(1e9, 0)
	d := newDigestServer("roamline", func() time.Time { return clock })
	secret := map[string]string{"SHA-256": ha1(hashOf("SHA-256"), "desk7", "roamline")}
	nonce := d.nonce()
	for _, row := range []struct {
		rule      string
		change    func(*credentials)
		nc        uint32
		ok, stale bool
	}{
		{"the first count", nil, 1, true, false},
		{"the same again", nil, 1, false, true},
		{"a later one", nil, 5, true, false},
		{"one that was overtaken", nil, 3, true, false},
		{"that again", nil, 3, false, true},
		{"far ahead", nil, 500, true, false},
		{"far behind", nil, 4, false, true},
		{"a wrong response", func(c *credentials) { c.response = strings.Repeat("0", 64) }, 501, false, false},
		{"another realm", func(c *credentials) { c.realm = "other" }, 502, false, false},
		{"a nonce that is not ours", func(c *credentials) {
			c.nonce = newDigestServer("roamline", time.Now).nonce()
			*c = signed(d, c.nonce, 1)
		}, 503, false, false},
		{"an algorithm without a secret", func(c *credentials) { c.algorithm = "MD5" }, 504, false, false},
		{"an algorithm of tomorrow", func(c *credentials) { c.algorithm = "SHA-1024" }, 505, false, false},
	} {
		c := signed(d, nonce, row.nc)
		if row.change != nil {
			row.change(&c)
		}
		if ok, stale := d.verify(c, "REGISTER", secret); ok != row.ok || stale != row.stale {
			t.Errorf("%s: %v, stale %v", row.rule, ok, stale)
		}
	}
	if ok, _ := d.verify(signed(d, nonce, 600), "REGISTER", nil); ok {
		t.Error("an unknown user is let in")
	}
	clock = clock.Add(nonceLife + time.Second)
	if ok, stale := d.verify(signed(d, nonce, 601), "REGISTER", secret); ok || !stale {
		t.Error("an old nonce is not stale")
	}
}

func TestNoncesAreBounded(t *testing.T) {
	clock := time.Unix(1e9, 0)
	d := newDigestServer("roamline", func() time.Time { return clock })
	first := d.nonce()
	made, _ := d.made(first)
	if !d.use(first, 1, made) {
		t.Fatal("refused")
	}
	for range 2 * maxNonces {
		clock = clock.Add(time.Millisecond)
		n := d.nonce()
		at, _ := d.made(n)
		d.use(n, 1, at)
	}
	if len(d.used) > maxNonces {
		t.Errorf("%d nonces kept", len(d.used))
	}
	if d.use(first, 1, made) {
		t.Error("a forgotten nonce is taken again")
	}
}

func TestChallengesByAgent(t *testing.T) {
	d := newDigestServer("roamline", time.Now)
	if n := len(d.challenges("Yealink SIP-T46U", false)); n != 2 {
		t.Errorf("%d challenges", n)
	}
	hs := d.challenges("baresip v1.0.0", true)
	if len(hs) != 1 || !strings.Contains(hs[0].Value(), "algorithm=MD5") || !strings.Contains(hs[0].Value(), "stale=true") {
		t.Errorf("%v", hs)
	}
}

func TestLimiter(t *testing.T) {
	clock := time.Unix(1e9, 0)
	l := newLimiter(1, 3, func() time.Time { return clock })
	a := netip.MustParseAddr("192.0.2.1")
	count := func(a netip.Addr, n int) (got int) {
		for range n {
			if l.allow(a) {
				got++
			}
		}
		return got
	}
	if got := count(a, 10); got != 3 {
		t.Errorf("%d at once", got)
	}
	clock = clock.Add(2 * time.Second)
	if got := count(a, 10); got != 2 {
		t.Errorf("%d after two seconds", got)
	}
	v6 := 0
	for i := range 10 {
		v6 += count(netip.MustParseAddr("2001:db8::"+strconv.Itoa(i+1)), 1)
	}
	if v6 != 3 {
		t.Errorf("%d to one /64", v6)
	}
	for i := range 2 * maxSources {
		l.allow(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}))
	}
	if len(l.by) > maxSources {
		t.Errorf("%d addresses remembered", len(l.by))
	}
}
