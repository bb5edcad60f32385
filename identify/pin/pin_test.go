package pin

import (
	"path/filepath"
	"testing"

	"github.com/roamline/roamline"
	"github.com/roamline/roamline/identify/password"
	"github.com/roamline/roamline/route"
	"github.com/roamline/roamline/store/sqlite"
)

func TestPolicy(t *testing.T) {
	for _, row := range []struct {
		rule, pin string
		ok        bool
	}{
		{"four digits", "4071", true},
		{"twelve digits", "407155550123", true},
		{"three are too few", "407", false},
		{"thirteen are too many", "4071555501234", false},
		{"letters are not digits", "40a1", false},
		{"one digit again and again", "7777", false},
		{"upwards in a row", "6789", false},
		{"upwards over nine", "7890", false},
		{"downwards in a row", "4321", false},
	} {
		if _, err := Hash(t.Context(), roamline.NewSecret(row.pin)); (err == nil) != row.ok {
			t.Errorf("%s: %q: %v", row.rule, row.pin, err)
		}
	}
}

func TestVerify(t *testing.T) {
	ctx := t.Context()
	st, err := sqlite.Open(ctx, filepath.Join(t.TempDir(), "db"))
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	hash, _ := Hash(ctx, roamline.NewSecret("4071"))
	secret, _ := password.Hash(ctx, roamline.NewSecret("correct horse"))
	for _, u := range []roamline.User{{ID: "u_ana", Login: "ana", Name: "Ana"}, {ID: "u_bo", Login: "bo", Name: "Bo", Disabled: true}, {ID: "u_cy", Login: "cy", Name: "Cy"}} {
		if _, err := st.Users().Create(ctx, u); err != nil {
			t.Fatal(err)
		}
	}
	for _, err := range []error{
		st.SetSecret(ctx, roamline.PINHash, "u_ana", hash), st.SetSecret(ctx, roamline.PINHash, "u_bo", hash),
		st.SetSecret(ctx, roamline.PasswordHash, "u_ana", secret),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, err := st.Listings().Create(ctx, roamline.Listing{Number: "+34910000001", To: roamline.Destination{Kind: roamline.ToUser, ID: "u_ana"}}); err != nil {
		t.Fatal(err)
	}
	site := roamline.Site{Country: "ES", Extensions: 5}
	byPIN := New(st, func(s string) (roamline.Number, error) { return route.Normalise(s, site) })
	for _, row := range []struct {
		rule, login, pin string
		user             roamline.UserID
	}{
		{"by login", "ana", "4071", "u_ana"},
		{"by her number as people write it", "910 000 001", "4071", "u_ana"},
		{"a wrong PIN", "ana", "4072", ""},
		{"somebody who has none", "cy", "4071", ""},
		{"somebody disabled", "bo", "4071", ""},
		{"nobody", "nobody", "4071", ""},
		{"her password is not her PIN", "ana", "correct horse", ""},
	} {
		u, err := byPIN.Verify(ctx, roamline.Claim{Login: row.login, Secret: roamline.NewSecret(row.pin)})
		if u != row.user || (row.user == "" && roamline.KindOf(err) != roamline.Unauthorized) {
			t.Errorf("%s: %q, %v", row.rule, u, err)
		}
	}
	if u, err := password.New(st).Verify(ctx, roamline.Claim{Login: "ana", Secret: roamline.NewSecret("correct horse")}); u != "u_ana" {
		t.Errorf("by password: %q, %v", u, err)
	}
}
