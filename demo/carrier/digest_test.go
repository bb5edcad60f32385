package carrier

import (
	"testing"

	"github.com/emiago/sipgo/sip"
	"github.com/icholy/digest"
)

func register() *sip.Request {
	return sip.NewRequest(sip.REGISTER, sip.Uri{Scheme: "sip", Host: realm})
}

func TestThePasswordIsAskedFor(t *testing.T) {
	for _, row := range []struct {
		name, password string
		challenge      int // which of them is answered: SHA-256, MD5
		in             bool
	}{
		{"SHA-256", "right", 0, true},
		{"MD5", "right", 1, true},
		{"a wrong password", "wrong", 0, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := &Carrier{guard: newGuard("trunk", "right")}
			asked := c.challenge(register())
			if len(asked) != 2 {
				t.Fatalf("%d challenges", len(asked))
			}
			ch, err := digest.ParseChallenge(asked[row.challenge].Value())
			if err != nil {
				t.Fatal(err)
			}
			cred, err := digest.Digest(ch, digest.Options{Method: "REGISTER", URI: "sip:" + realm, Username: "trunk", Password: row.password, Count: 1})
			if err != nil {
				t.Fatal(err)
			}
			again := register()
			again.AppendHeader(sip.NewHeader("Authorization", cred.String()))
			if in := c.challenge(again) == nil; in != row.in {
				t.Errorf("let in: %v", in)
			}
			if c.challenge(again) == nil {
				t.Error("the same proof was taken twice")
			}
			if (c.Registered() == 1) != row.in {
				t.Errorf("registered: %d", c.Registered())
			}
		})
	}
}
