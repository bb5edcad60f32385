package web

import (
	"context"
	"errors"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/roamline/roamline"
)

// userBody is what may be said of a user.
type userBodyJSON struct {
	Login    string    `json:"login" minLength:"1" maxLength:"64" doc:"What she types: lower case, no spaces."`
	Name     string    `json:"name" minLength:"1" maxLength:"128"`
	Language string    `json:"language,omitempty" maxLength:"35" doc:"BCP 47; empty: the site's."`
	CallerID string    `json:"callerId,omitempty" maxLength:"32" doc:"Shown when she calls out; empty: her first number."`
	Roles    []string  `json:"roles,omitempty" nullable:"false" maxItems:"8" enum:"administrator"`
	Disabled bool      `json:"disabled,omitempty"`
	Numbers  *[]string `json:"numbers,omitempty" maxItems:"50" doc:"The numbers that lead to her; absent: as they are."`

	Calls *callSettingsJSON `json:"calls,omitempty" doc:"What is done with calls to her; absent: as it is."`
}

// newUserJSON is a user with her first secrets.
type newUserJSON struct {
	Login    string   `json:"login" minLength:"1" maxLength:"64" doc:"What she types: lower case, no spaces."`
	Name     string   `json:"name" minLength:"1" maxLength:"128"`
	Language string   `json:"language,omitempty" maxLength:"35"`
	CallerID string   `json:"callerId,omitempty" maxLength:"32"`
	Roles    []string `json:"roles,omitempty" nullable:"false" maxItems:"8" enum:"administrator"`
	Disabled bool     `json:"disabled,omitempty"`
	Numbers  []string `json:"numbers,omitempty" nullable:"false" maxItems:"50"`
	Password string   `json:"password,omitempty" maxLength:"1024" doc:"At least 8 characters."`
	PIN      string   `json:"pin,omitempty" maxLength:"12" doc:"4 to 12 digits."`
}

type userJSON struct {
	ID       string    `json:"id"`
	Login    string    `json:"login"`
	Name     string    `json:"name"`
	Language string    `json:"language"`
	CallerID string    `json:"callerId"`
	Roles    []string  `json:"roles" nullable:"false"`
	Disabled bool      `json:"disabled"`
	Numbers  []string  `json:"numbers" nullable:"false"`
	Created  time.Time `json:"created"`
	Rev      int64     `json:"rev"`

	Calls callSettingsJSON `json:"calls" doc:"What is done with calls to her."`
}

func showUser(u roamline.User, numbers []roamline.Number) userJSON {
	return userJSON{
		ID: string(u.ID), Login: u.Login, Name: u.Name, Language: u.Language, CallerID: string(u.CallerID),
		Roles: texts(u.Roles), Disabled: u.Disabled, Numbers: texts(numbers), Created: u.Created, Rev: int64(u.Rev),
		Calls: showCalls(u.Calls),
	}
}

func userRev(u roamline.User) roamline.Rev { return u.Rev }

type idInput struct {
	ID string `path:"id" maxLength:"64"`
}

type removeInput struct {
	ID string `path:"id" maxLength:"64"`
	Matching
}

func (d *Door) registerUsers() {
	tags := []string{"people"}
	handle(d, forAdministrator, huma.Operation{OperationID: "list-users", Method: http.MethodGet, Path: "/users", Tags: tags,
		Summary: "People"}, d.listUsers)
	handle(d, forAdministrator, huma.Operation{OperationID: "create-user", Method: http.MethodPost, Path: "/users", Tags: tags,
		Summary: "Add a person, with numbers and secrets at once", DefaultStatus: http.StatusCreated}, d.createUser)
	handle(d, forAdministrator, huma.Operation{OperationID: "get-user", Method: http.MethodGet, Path: "/users/{id}", Tags: tags,
		Summary: "A person"}, d.getUser)
	changeable(d, huma.Operation{OperationID: "user", Path: "/users/{id}", Tags: tags, Summary: "Change a person"}, d.userBody, d.putUser)
	handle(d, forAdministrator, huma.Operation{OperationID: "delete-user", Method: http.MethodDelete, Path: "/users/{id}", Tags: tags,
		Summary: "Remove a person and her numbers", DefaultStatus: http.StatusNoContent}, d.deleteUser)
	handle(d, forAdministrator, huma.Operation{OperationID: "put-password", Method: http.MethodPut, Path: "/users/{id}/password", Tags: tags,
		Summary: "Set a password", DefaultStatus: http.StatusNoContent}, d.putPassword)
	handle(d, forAdministrator, huma.Operation{OperationID: "put-pin", Method: http.MethodPut, Path: "/users/{id}/pin", Tags: tags,
		Summary: "Set a PIN; an empty one removes it", DefaultStatus: http.StatusNoContent}, d.putPIN)
}

func (d *Door) listUsers(ctx context.Context, _ caller, in *Page) (*body[listJSON[userJSON]], error) {
	users, more, err := d.Store.Users().List(ctx, in.query())
	if err != nil {
		return nil, err
	}
	numbers := map[roamline.UserID][]roamline.Number{}
	for _, u := range users {
		if numbers[u.ID], err = d.numbersOf(ctx, u.ID); err != nil {
			return nil, err
		}
	}
	return &body[listJSON[userJSON]]{listOf(users, more,
		func(u roamline.User) string { return string(u.ID) },
		func(u roamline.User) userJSON { return showUser(u, numbers[u.ID]) })}, nil
}

func (d *Door) getUser(ctx context.Context, _ caller, in *idInput) (*record[userJSON], error) {
	u, err := d.Store.Users().Get(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return d.userRecord(ctx, d.Store, u)
}

func (d *Door) userRecord(ctx context.Context, s roamline.Store, u roamline.User) (*record[userJSON], error) {
	numbers, err := numbersIn(ctx, s, u.ID)
	return &record[userJSON]{etag(u.Rev), showUser(u, numbers)}, err
}

// A person is everything that is written when a user is made.
type person struct {
	user          roamline.User
	numbers       []roamline.Number
	password, pin roamline.Secret // hashed; empty: none
}

// readPerson checks and hashes what was sent; where is the place of the fields
// in an error.
func (d *Door) readPerson(ctx context.Context, in newUserJSON, where string) (p person, err error) {
	p.user = roamline.User{ID: roamline.UserID(roamline.NewID("u_")), Created: d.Now()}
	if err := d.fillUser(&p.user, userBodyJSON{Login: in.Login, Name: in.Name, Language: in.Language,
		CallerID: in.CallerID, Roles: in.Roles, Disabled: in.Disabled}, where); err != nil {
		return p, err
	}
	if p.numbers, err = d.readNumbers(in.Numbers, where+"numbers"); err != nil {
		return p, err
	}
	if in.Password != "" {
		if p.password, err = hashed(ctx, d.HashPassword, in.Password, where+"password"); err != nil {
			return p, err
		}
	}
	if in.PIN != "" {
		p.pin, err = hashed(ctx, d.HashPIN, in.PIN, where+"pin")
	}
	return p, err
}

func hashed(ctx context.Context, hash func(context.Context, roamline.Secret) (roamline.Secret, error), text, where string) (roamline.Secret, error) {
	h, err := hash(ctx, roamline.NewSecret(text))
	if err != nil && roamline.KindOf(err) == roamline.Invalid {
		return h, invalid(where, reason(err))
	}
	return h, err
}

// invalid refuses one field.
func invalid(where, what string) error {
	r := refuse(http.StatusUnprocessableEntity, "", "That can't be used")
	r.Detail = what
	return r.at(where, what)
}

// reason is what an error says without the steps that it went through.
func reason(err error) string {
	var e *roamline.Error
	for errors.As(err, &e) && e.Err != nil {
		err = e.Err
	}
	return err.Error()
}

// write puts a person into a store; inside Atomic.
func (p person) write(ctx context.Context, s roamline.Store) (roamline.User, error) {
	u, err := s.Users().Create(ctx, p.user)
	if err != nil {
		if roamline.KindOf(err) == roamline.Conflict {
			return u, refuse(http.StatusConflict, typeTaken, "Somebody has that login already").at("body.login", "is taken")
		}
		return u, err
	}
	if err := lead(ctx, s, u.ID, p.numbers); err != nil {
		return u, err
	}
	if p.password != (roamline.Secret{}) {
		if err := s.SetSecret(ctx, roamline.PasswordHash, string(u.ID), p.password); err != nil {
			return u, err
		}
	}
	if p.pin != (roamline.Secret{}) {
		err = s.SetSecret(ctx, roamline.PINHash, string(u.ID), p.pin)
	}
	return u, err
}

func (d *Door) createUser(ctx context.Context, _ caller, in *struct{ Body newUserJSON }) (out *record[userJSON], err error) {
	p, err := d.readPerson(ctx, in.Body, "body.")
	if err != nil {
		return nil, err
	}
	err = d.Store.Atomic(ctx, func(s roamline.Store) error {
		u, err := p.write(ctx, s)
		if err != nil {
			return err
		}
		out, err = d.userRecord(ctx, s, u)
		return err
	})
	return out, err
}

var (
	goodLogin    = regexp.MustCompile(`^[^\s\p{C}@/]+(@[^\s\p{C}@/]+)?$`)
	goodLanguage = regexp.MustCompile(`^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$`)
)

func (d *Door) fillUser(u *roamline.User, in userBodyJSON, where string) error {
	u.Login = strings.ToLower(strings.TrimSpace(in.Login))
	if !goodLogin.MatchString(u.Login) {
		return invalid(where+"login", "must be letters and signs without spaces")
	}
	u.Name = strings.TrimSpace(in.Name)
	if u.Name == "" {
		return invalid(where+"name", "must not be empty")
	}
	if in.Language != "" && !goodLanguage.MatchString(in.Language) {
		return invalid(where+"language", `must be a language tag such as "en" or "es-ES"`)
	}
	u.Language = in.Language
	u.CallerID = ""
	if in.CallerID != "" {
		n, err := d.Normalise(in.CallerID)
		if err != nil {
			return invalid(where+"callerId", reason(err))
		}
		u.CallerID = n
	}
	u.Roles = nil
	for _, r := range in.Roles {
		if r != string(roamline.RoleAdministrator) {
			return invalid(where+"roles", "there is no role "+r)
		}
		if !u.Is(roamline.Role(r)) {
			u.Roles = append(u.Roles, roamline.Role(r))
		}
	}
	u.Disabled = in.Disabled
	if in.Calls == nil || reflect.DeepEqual(*in.Calls, showCalls(u.Calls)) { // a PATCH of something else
		return nil
	}
	var err error
	u.Calls, err = d.readCalls(*in.Calls, where+"calls.")
	return err
}

func (d *Door) readNumbers(typed []string, where string) (out []roamline.Number, err error) {
	for i, t := range typed {
		n, err := d.Normalise(t)
		if err != nil {
			return nil, invalid(where+"["+strconv.Itoa(i)+"]", reason(err))
		}
		if !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	return out, nil
}

// lead makes exactly these numbers lead to a user. A number that leads
// elsewhere is not taken away: that is done where numbers are changed.
func lead(ctx context.Context, s roamline.Store, to roamline.UserID, wanted []roamline.Number) error {
	have, err := numbersIn(ctx, s, to)
	if err != nil {
		return err
	}
	for _, n := range have {
		if !slices.Contains(wanted, n) {
			if err := s.Listings().Delete(ctx, string(n), 0); err != nil {
				return err
			}
		}
	}
	for _, n := range wanted {
		if slices.Contains(have, n) {
			continue
		}
		_, err := s.Listings().Create(ctx, roamline.Listing{Number: n, To: roamline.Destination{Kind: roamline.ToUser, ID: string(to)}})
		if err != nil && roamline.KindOf(err) == roamline.Conflict {
			return refuse(http.StatusConflict, typeTaken, string(n)+" leads to somebody else already").at("body.numbers", string(n)+" is taken")
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (d *Door) userBody(ctx context.Context, id string) (userBodyJSON, error) {
	u, err := d.Store.Users().Get(ctx, id)
	calls := showCalls(u.Calls)
	return userBodyJSON{Login: u.Login, Name: u.Name, Language: u.Language, CallerID: string(u.CallerID),
		Roles: texts(u.Roles), Disabled: u.Disabled, Calls: &calls}, err
}

func (d *Door) putUser(ctx context.Context, c caller, in *changeInput[userBodyJSON]) (out *record[userJSON], err error) {
	var numbers []roamline.Number
	if in.Body.Numbers != nil {
		if numbers, err = d.readNumbers(*in.Body.Numbers, "body.numbers"); err != nil {
			return nil, err
		}
	}
	var u roamline.User
	var was roamline.CallSettings
	err = d.Store.Atomic(ctx, func(s roamline.Store) error {
		u, err = revise(ctx, s.Users(), in.ID, in.Matching, userRev, func(u *roamline.User) error {
			was = u.Calls
			return d.fillUser(u, in.Body, "body.")
		})
		if err != nil {
			return err
		}
		if err := d.keepAnAdministrator(ctx, s, c); err != nil {
			return err
		}
		if in.Body.Numbers != nil {
			if err := lead(ctx, s, u.ID, numbers); err != nil {
				return err
			}
		}
		if in.Body.Calls != nil && u.Calls != was {
			if err := checkForwards(ctx, s, u.ID, u.Calls, "body.calls."); err != nil {
				return err
			}
		}
		out, err = d.userRecord(ctx, s, u)
		return err
	})
	if err == nil && u.Disabled {
		err = d.releaseUser(ctx, u.ID)
	}
	return out, err
}

// keepAnAdministrator refuses a change after which nobody could change
// anything. Whoever has the server's own socket may.
func (d *Door) keepAnAdministrator(ctx context.Context, s roamline.Store, c caller) error {
	if c.local {
		return nil
	}
	there, err := hasAdministrator(ctx, s)
	if err == nil && !there {
		return refuse(http.StatusConflict, "", "This is the last administrator. Make somebody else one first")
	}
	return err
}

func hasAdministrator(ctx context.Context, s roamline.Store) (bool, error) {
	q := roamline.Query{Limit: 1000}
	for {
		users, more, err := s.Users().List(ctx, q)
		if err != nil {
			return false, err
		}
		for _, u := range users {
			if !u.Disabled && u.Is(roamline.RoleAdministrator) {
				return true, nil
			}
		}
		if !more || len(users) == 0 {
			return false, nil
		}
		q.After = string(users[len(users)-1].ID)
	}
}

// releaseUser ends every binding of somebody who may no longer identify.
func (d *Door) releaseUser(ctx context.Context, u roamline.UserID) error {
	for _, b := range d.Exchange.Bindings() {
		if b.User != u {
			continue
		}
		if err := d.Exchange.Release(ctx, b.Client, roamline.UserDisabled); err != nil && roamline.KindOf(err) != roamline.NotFound {
			return err
		}
	}
	return nil
}

func (d *Door) deleteUser(ctx context.Context, c caller, in *removeInput) (*struct{}, error) {
	err := d.Store.Atomic(ctx, func(s roamline.Store) error {
		if err := lead(ctx, s, roamline.UserID(in.ID), nil); err != nil {
			return err
		}
		for _, kind := range []roamline.SecretKind{roamline.PasswordHash, roamline.PINHash} {
			if err := s.SetSecret(ctx, kind, in.ID, roamline.Secret{}); err != nil {
				return err
			}
		}
		if err := remove(ctx, s.Users(), in.ID, in.Matching, userRev); err != nil {
			return err
		}
		return d.keepAnAdministrator(ctx, s, c)
	})
	if err == nil {
		err = d.releaseUser(ctx, roamline.UserID(in.ID))
	}
	return nil, err
}

type passwordInput struct {
	ID   string `path:"id" maxLength:"64"`
	Body struct {
		Password string `json:"password" minLength:"8" maxLength:"1024"`
	}
}

func (d *Door) putPassword(ctx context.Context, _ caller, in *passwordInput) (*struct{}, error) {
	h, err := hashed(ctx, d.HashPassword, in.Body.Password, "body.password")
	if err != nil {
		return nil, err
	}
	return nil, d.setUserSecret(ctx, roamline.PasswordHash, in.ID, h)
}

type pinInput struct {
	ID   string `path:"id" maxLength:"64"`
	Body struct {
		PIN string `json:"pin" maxLength:"12" doc:"4 to 12 digits; empty removes it."`
	}
}

func (d *Door) putPIN(ctx context.Context, _ caller, in *pinInput) (*struct{}, error) {
	var h roamline.Secret
	if in.Body.PIN != "" {
		var err error
		if h, err = hashed(ctx, d.HashPIN, in.Body.PIN, "body.pin"); err != nil {
			return nil, err
		}
	}
	return nil, d.setUserSecret(ctx, roamline.PINHash, in.ID, h)
}

func (d *Door) setUserSecret(ctx context.Context, kind roamline.SecretKind, id string, h roamline.Secret) error {
	return d.Store.Atomic(ctx, func(s roamline.Store) error {
		if _, err := s.Users().Get(ctx, id); err != nil {
			return err
		}
		return s.SetSecret(ctx, kind, id, h)
	})
}
