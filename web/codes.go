package web

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/roamline/roamline"
)

// Codes are typed by people from one screen into another: letters and digits
// that nobody takes for each other, 31 of them. Eight make 39 bits, which an
// hour at one guess in two seconds does not exhaust; a set-up code travels in a
// link and has 24.
const (
	codeAlphabet = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
	codeLength   = 8
	codeLife     = time.Hour
	setupLength  = 24
	setupLife    = 24 * time.Hour
)

// What a code is for is part of its hash, so that one kind can't be spent as
// another.
const (
	forEnrolment = "enrol:"
	forSetup     = "setup:"
)

// A purpose is what a code does when it is used.
type purpose struct {
	Client string `json:"client,omitempty"` // the client that gets the key; empty: a new one
	Name   string `json:"name,omitempty"`
	Place  string `json:"place,omitempty"`
}

func newCode(length int) string {
	code := make([]byte, 0, length)
	var b [1]byte
	for len(code) < length {
		rand.Read(b[:])
		// 8 times 31 values are used, the rest thrown away: every letter is as likely.
		if n := int(b[0]); n < 8*len(codeAlphabet) {
			code = append(code, codeAlphabet[n%len(codeAlphabet)])
		}
	}
	return string(code)
}

// plainCode takes out what people add when they type a code.
func plainCode(typed string) string {
	return strings.Map(func(r rune) rune {
		if r == ' ' || r == '-' {
			return -1
		}
		return r
	}, strings.ToUpper(typed))
}

func (d *Door) addCode(ctx context.Context, s roamline.Store, kind string, length int, what purpose, until time.Time) (string, error) {
	code := newCode(length)
	text, err := json.Marshal(what)
	if err != nil {
		return "", err
	}
	return code, s.AddCode(ctx, d.keys.hide(kind+code), string(text), until)
}

// useCode spends a code; inside Atomic, so that it is not lost if what it is
// for fails.
func (d *Door) useCode(ctx context.Context, s roamline.Store, kind, typed string) (what purpose, err error) {
	text, err := s.UseCode(ctx, d.keys.hide(kind+plainCode(typed)), d.Now())
	if err != nil {
		if roamline.KindOf(err) == roamline.NotFound {
			return what, badCode()
		}
		return what, err
	}
	return what, json.Unmarshal([]byte(text), &what)
}

func badCode() error {
	return refuse(http.StatusForbidden, typeCode, "This code is wrong, was used before, or is too old")
}

type codeInput struct {
	Body struct {
		ClientID string `json:"clientId,omitempty" maxLength:"64" doc:"The client that gets a new key; empty: a new client."`
		Name     string `json:"name,omitempty" maxLength:"128" doc:"Empty: as it is."`
		PlaceID  string `json:"placeId,omitempty" maxLength:"64" doc:"Empty: as it is."`
	}
}

type codeJSON struct {
	Code    string    `json:"code"`
	Expires time.Time `json:"expires"`
}

func (d *Door) createCode(ctx context.Context, _ caller, in *codeInput) (*body[codeJSON], error) {
	if in.Body.ClientID != "" {
		c, err := d.Store.Clients().Get(ctx, in.Body.ClientID)
		if err != nil {
			return nil, err
		}
		if c.Kind != roamline.Browser {
			return nil, refuse(http.StatusConflict, "", "A phone is admitted by its password, not by a code")
		}
	}
	if in.Body.PlaceID != "" {
		if _, err := d.Store.Places().Get(ctx, in.Body.PlaceID); err != nil {
			return nil, err
		}
	}
	until := d.Now().Add(codeLife)
	code, err := d.addCode(ctx, d.Store, forEnrolment, codeLength,
		purpose{Client: in.Body.ClientID, Name: in.Body.Name, Place: in.Body.PlaceID}, until)
	if err != nil {
		return nil, err
	}
	return &body[codeJSON]{codeJSON{code, until}}, nil
}
