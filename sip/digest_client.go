package sip

import (
	"errors"
	"strings"

	"github.com/emiago/sipgo/sip"
	"github.com/icholy/digest"
	"github.com/roamline/roamline"
)

// A login answers challenges of a trunk.
type login struct {
	user   string
	secret roamline.Secret
}

var (
	errNoLogin   = errors.New("it asks for a user name and a password, and none is set")
	errRefused   = errors.New("it refused the user name or the password")
	errChallenge = errors.New("it asks for credentials in a way that is not known here")
)

// authorize returns req once more, with CSeq cseq and the answer to the
// challenge in res (RFC 3261 section 22.2). An error says why there is none: no
// login, or the credentials in req were wrong.
func (l login) authorize(req *sip.Request, res *sip.Response, cseq uint32) (*sip.Request, error) {
	ask, reply := "WWW-Authenticate", "Authorization"
	if res.StatusCode == sip.StatusProxyAuthRequired {
		ask, reply = "Proxy-Authenticate", "Proxy-Authorization"
	}
	if l.user == "" || l.secret.Reveal() == "" {
		return nil, errNoLogin
	}
	ch := chooseChallenge(res, ask)
	if ch == nil {
		return nil, errChallenge
	}
	if header(req, reply) != "" && !ch.Stale {
		return nil, errRefused
	}
	cred, err := digest.Digest(ch, digest.Options{Method: string(req.Method), URI: req.Recipient.String(),
		Username: l.user, Password: l.secret.Reveal(), Count: 1})
	if err != nil {
		return nil, errChallenge
	}
	next := again(req, cseq)
	next.AppendHeader(sip.NewHeader(reply, cred.String()))
	return next, nil
}

// chooseChallenge takes the first that can be answered: the server has put them
// in its order of preference (RFC 8760 section 2.4).
func chooseChallenge(res *sip.Response, name string) *digest.Challenge {
	for _, h := range res.GetHeaders(name) {
		ch, err := digest.ParseChallenge(h.Value())
		if err != nil {
			continue
		}
		for i, q := range ch.QOP { // the library splits at commas and keeps the spaces
			ch.QOP[i] = strings.TrimSpace(q)
		}
		if digest.CanDigest(ch) && (len(ch.QOP) == 0 || ch.SupportsQOP("auth")) {
			return ch
		}
	}
	return nil
}
