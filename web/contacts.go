package web

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/roamline/roamline"
)

// maxContacts is how many people a search returns.
const maxContacts = 50

type contactJSON struct {
	Name   string `json:"name"`
	Number string `json:"number"`
	Here   bool   `json:"here" doc:"Signed in somewhere now."`
}

type contactsJSON struct {
	Items []contactJSON `json:"items" nullable:"false"`
}

type contactsInput struct {
	Match string `query:"match" maxLength:"100" doc:"A part of a name or number; absent: anybody."`
}

// contacts finds people by name, login or number, one line for each number.
func (d *Door) contacts(ctx context.Context, c caller, in *contactsInput) (*body[contactsJSON], error) {
	q := roamline.Query{Limit: maxContacts, Match: strings.TrimSpace(in.Match)}
	people, _, err := d.Store.Users().List(ctx, q)
	if err != nil {
		return nil, err
	}
	here := map[roamline.UserID]bool{}
	for _, b := range d.Exchange.Bindings() {
		here[b.User] = true
	}
	found := map[roamline.Number]contactJSON{}
	for _, u := range people {
		if u.Disabled || u.ID == c.user.ID {
			continue
		}
		numbers, err := d.numbersOf(ctx, u.ID)
		if err != nil {
			return nil, err
		}
		for _, n := range numbers {
			found[n] = contactJSON{Name: u.Name, Number: string(n), Here: here[u.ID]}
		}
	}
	if q.Match != "" {
		if err := d.contactsByNumber(ctx, c, q, here, found); err != nil {
			return nil, err
		}
	}
	out := contactsJSON{Items: make([]contactJSON, 0, len(found))}
	for _, j := range found {
		out.Items = append(out.Items, j)
	}
	slices.SortFunc(out.Items, func(a, b contactJSON) int {
		return cmp.Or(cmp.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)), cmp.Compare(a.Number, b.Number))
	})
	out.Items = out.Items[:min(len(out.Items), maxContacts)]
	return &body[contactsJSON]{out}, nil
}

func (d *Door) contactsByNumber(ctx context.Context, c caller, q roamline.Query, here map[roamline.UserID]bool, found map[roamline.Number]contactJSON) error {
	listings, _, err := d.Store.Listings().List(ctx, q)
	if err != nil {
		return err
	}
	for _, l := range listings {
		if _, have := found[l.Number]; have || l.To.Kind != roamline.ToUser {
			continue
		}
		u, err := d.Store.Users().Get(ctx, l.To.ID)
		if err != nil || u.Disabled || u.ID == c.user.ID {
			continue // a number that leads nowhere is no contact
		}
		found[l.Number] = contactJSON{Name: u.Name, Number: string(l.Number), Here: here[u.ID]}
	}
	return nil
}
