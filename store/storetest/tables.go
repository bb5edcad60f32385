package storetest

import (
	"context"
	"fmt"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/roamline/roamline"
)

func users(t *testing.T, open func(*testing.T) roamline.Store) {
	check(t, open, []rule{
		{"a user comes back as written, with revision 1", func(t *testing.T, ctx context.Context, s roamline.Store) {
			want := ana()
			want.Rev = 1
			equal(t, must[roamline.User](t)(s.Users().Create(ctx, ana())), want)
			equal(t, must[roamline.User](t)(s.Users().Get(ctx, "u_ana")), want)
		}},
		{"what a user wants done with her calls comes back as written, and can be taken back", func(t *testing.T, ctx context.Context, s roamline.Store) {
			u := ana()
			u.Calls = roamline.CallSettings{Always: "1002", Busy: "1003", NoAnswer: "+34910000003", NotSignedIn: "1004",
				DoNotDisturb: true, Wait: 20 * time.Second}
			must[roamline.User](t)(s.Users().Create(ctx, u))
			u.Rev = 1
			equal(t, must[roamline.User](t)(s.Users().Get(ctx, "u_ana")), u)
			u.Calls = roamline.CallSettings{Wait: roamline.NoWait}
			must[roamline.User](t)(s.Users().Update(ctx, u))
			u.Rev = 2
			equal(t, must[roamline.User](t)(s.Users().Get(ctx, "u_ana")), u)
			u.Calls = roamline.CallSettings{}
			must[roamline.User](t)(s.Users().Update(ctx, u))
			u.Rev = 3
			equal(t, must[roamline.User](t)(s.Users().Get(ctx, "u_ana")), u)
		}},
		{"a user with nothing but what she needs comes back so", func(t *testing.T, ctx context.Context, s roamline.Store) {
			bare := roamline.User{ID: "u_1", Login: "bo", Rev: 1}
			must[roamline.User](t)(s.Users().Create(ctx, bare))
			equal(t, must[roamline.User](t)(s.Users().Get(ctx, "u_1")), bare)
		}},
		{"times are kept to the microsecond and come back in UTC", func(t *testing.T, ctx context.Context, s roamline.Store) {
			u := ana()
			u.Created = noon.Add(789 * time.Nanosecond).In(time.FixedZone("", 3600))
			equal(t, must[roamline.User](t)(s.Users().Create(ctx, u)).Created, noon)
		}},
		{"a missing user is not found", func(t *testing.T, ctx context.Context, s roamline.Store) {
			_, err := s.Users().Get(ctx, "u_nobody")
			is(t, err, roamline.NotFound)
			is(t, s.Users().Delete(ctx, "u_nobody", 0), roamline.NotFound)
			is(t, s.Users().Delete(ctx, "u_nobody", 1), roamline.NotFound)
			_, err = s.Users().Update(ctx, ana())
			is(t, err, roamline.NotFound)
		}},
		{"an identifier or a login is given once", func(t *testing.T, ctx context.Context, s roamline.Store) {
			must[roamline.User](t)(s.Users().Create(ctx, ana()))
			_, err := s.Users().Create(ctx, roamline.User{ID: "u_ana", Login: "other"})
			refuses(t, err, roamline.Conflict, "its key is taken")
			_, err = s.Users().Create(ctx, roamline.User{ID: "u_other", Login: "ana"})
			refuses(t, err, roamline.Conflict, "its login is taken")
		}},
		{"a login can't be taken by an update", func(t *testing.T, ctx context.Context, s roamline.Store) {
			must[roamline.User](t)(s.Users().Create(ctx, ana()))
			bo := must[roamline.User](t)(s.Users().Create(ctx, roamline.User{ID: "u_bo", Login: "bo"}))
			bo.Login = "ana"
			_, err := s.Users().Update(ctx, bo)
			is(t, err, roamline.Conflict)
		}},
		{"an update counts the revision up", func(t *testing.T, ctx context.Context, s roamline.Store) {
			u := must[roamline.User](t)(s.Users().Create(ctx, ana()))
			u.Name, u.Disabled, u.Roles = "Ana B.", true, nil
			changed := must[roamline.User](t)(s.Users().Update(ctx, u))
			u.Rev = 2
			equal(t, changed, u)
			equal(t, must[roamline.User](t)(s.Users().Get(ctx, "u_ana")), u)
		}},
		{"an update or a deletion of an older revision is a conflict", func(t *testing.T, ctx context.Context, s roamline.Store) {
			old := must[roamline.User](t)(s.Users().Create(ctx, ana()))
			must[roamline.User](t)(s.Users().Update(ctx, old))
			_, err := s.Users().Update(ctx, old)
			is(t, err, roamline.Conflict)
			is(t, s.Users().Delete(ctx, "u_ana", old.Rev), roamline.Conflict)
			ok(t, s.Users().Delete(ctx, "u_ana", 2))
			_, err = s.Users().Get(ctx, "u_ana")
			is(t, err, roamline.NotFound)
		}},
		{"of updates at once exactly one wins", func(t *testing.T, ctx context.Context, s roamline.Store) {
			u := must[roamline.User](t)(s.Users().Create(ctx, ana()))
			errs := atOnce(8, func(i int) error {
				mine := u
				mine.Name = fmt.Sprint(i)
				_, err := s.Users().Update(ctx, mine)
				return err
			})
			oneWins(t, errs, roamline.Conflict)
		}},
		{"revision 0 deletes whatever is there", func(t *testing.T, ctx context.Context, s roamline.Store) {
			u := must[roamline.User](t)(s.Users().Create(ctx, ana()))
			must[roamline.User](t)(s.Users().Update(ctx, u))
			ok(t, s.Users().Delete(ctx, "u_ana", 0))
		}},
		{"text that is not UTF-8, or holds NUL, is invalid", func(t *testing.T, ctx context.Context, s roamline.Store) {
			for _, name := range []string{"a\x00b", "\xff"} {
				u := ana()
				u.Name = name
				_, err := s.Users().Create(ctx, u)
				is(t, err, roamline.Invalid)
				_, err = s.Users().Get(ctx, name)
				is(t, err, roamline.Invalid)
			}
		}},
		{"an empty identifier or login is invalid", func(t *testing.T, ctx context.Context, s roamline.Store) {
			_, err := s.Users().Create(ctx, roamline.User{Login: "x"})
			refuses(t, err, roamline.Invalid, "its id must not be empty")
			_, err = s.Users().Create(ctx, roamline.User{ID: "u_x"})
			refuses(t, err, roamline.Invalid, "its login must not be empty")
		}},
	})
}

func others(t *testing.T, open func(*testing.T) roamline.Store) {
	check(t, open, []rule{
		{"a number comes back as written", func(t *testing.T, ctx context.Context, s roamline.Store) {
			must[roamline.User](t)(s.Users().Create(ctx, ana()))
			l := roamline.Listing{Number: "+34910000001", To: roamline.Destination{Kind: roamline.ToUser, ID: "u_ana"}}
			must[roamline.Listing](t)(s.Listings().Create(ctx, l))
			l.Rev = 1
			equal(t, must[roamline.Listing](t)(s.Listings().Get(ctx, "+34910000001")), l)
			_, err := s.Listings().Create(ctx, l)
			is(t, err, roamline.Conflict)
		}},
		{"a number may lead to something that is not a user", func(t *testing.T, ctx context.Context, s roamline.Store) {
			l := roamline.Listing{Number: "900", To: roamline.Destination{Kind: "group", ID: "g_1"}, Rev: 1}
			equal(t, must[roamline.Listing](t)(s.Listings().Create(ctx, l)), l)
		}},
		{"a client comes back as written", func(t *testing.T, ctx context.Context, s roamline.Store) {
			must[roamline.Place](t)(s.Places().Create(ctx, roamline.Place{ID: "p_ward", Name: "Ward 3"}))
			c := desk()
			c.Place = "p_ward"
			must[roamline.Client](t)(s.Clients().Create(ctx, c))
			c.Rev = 1
			equal(t, must[roamline.Client](t)(s.Clients().Get(ctx, "c_desk")), c)
		}},
		{"a client's name, login and key are its own", func(t *testing.T, ctx context.Context, s roamline.Store) {
			must[roamline.Client](t)(s.Clients().Create(ctx, desk()))
			must[roamline.Client](t)(s.Clients().Create(ctx, roamline.Client{ID: "c_phone", Name: "Phone", Kind: roamline.Phone, Login: "phone1"}))
			for field, c := range map[string]roamline.Client{
				"name":       {ID: "c_1", Name: desk().Name},
				"login":      {ID: "c_1", Name: "x", Login: "phone1"},
				"thumbprint": {ID: "c_1", Name: "x", Thumbprint: desk().Thumbprint},
			} {
				_, err := s.Clients().Create(ctx, c)
				refuses(t, err, roamline.Conflict, "its "+field+" is taken")
			}
		}},
		{"clients without login, or without key, are not taken for one", func(t *testing.T, ctx context.Context, s roamline.Store) {
			for _, id := range []roamline.ClientID{"c_1", "c_2"} {
				must[roamline.Client](t)(s.Clients().Create(ctx, roamline.Client{ID: id, Name: string(id)}))
			}
		}},
		{"a client without a name is invalid", func(t *testing.T, ctx context.Context, s roamline.Store) {
			_, err := s.Clients().Create(ctx, roamline.Client{ID: "c_1"})
			refuses(t, err, roamline.Invalid, "its name must not be empty")
		}},
		{"a trunk comes back with all its lists", func(t *testing.T, ctx context.Context, s roamline.Store) {
			want := trunk()
			must[roamline.Trunk](t)(s.Trunks().Create(ctx, want))
			want.Rev = 1
			equal(t, must[roamline.Trunk](t)(s.Trunks().Get(ctx, "t_1")), want)
			want.Gateways, want.Sources, want.In, want.Dials, want.Symmetric = nil, nil, nil, nil, false
			must[roamline.Trunk](t)(s.Trunks().Update(ctx, want))
			want.Rev = 2
			equal(t, must[roamline.Trunk](t)(s.Trunks().Get(ctx, "t_1")), want)
		}},
		{"a trunk's name is its own", func(t *testing.T, ctx context.Context, s roamline.Store) {
			must[roamline.Trunk](t)(s.Trunks().Create(ctx, trunk()))
			_, err := s.Trunks().Create(ctx, roamline.Trunk{ID: "t_2", Name: "carrier"})
			refuses(t, err, roamline.Conflict, "its name is taken")
		}},
		{"a system comes back with what it may speak for", func(t *testing.T, ctx context.Context, s roamline.Store) {
			want := system()
			must[roamline.System](t)(s.Systems().Create(ctx, want))
			want.Rev = 1
			equal(t, must[roamline.System](t)(s.Systems().Get(ctx, "s_1")), want)
			want.Places, want.Clients, want.Enabled = nil, nil, false
			must[roamline.System](t)(s.Systems().Update(ctx, want))
			want.Rev = 2
			equal(t, must[roamline.System](t)(s.Systems().Get(ctx, "s_1")), want)
		}},
		{"a system's name is its own, and never empty", func(t *testing.T, ctx context.Context, s roamline.Store) {
			must[roamline.System](t)(s.Systems().Create(ctx, system()))
			_, err := s.Systems().Create(ctx, roamline.System{ID: "s_2", Name: "Badge doors"})
			refuses(t, err, roamline.Conflict, "its name is taken")
			_, err = s.Systems().Create(ctx, roamline.System{ID: "s_2"})
			refuses(t, err, roamline.Invalid, "its name must not be empty")
		}},
	})
}

func system() roamline.System {
	return roamline.System{ID: "s_1", Name: "Badge doors", Enabled: true, Places: []roamline.PlaceID{"p_1", "p_2"},
		Clients: []roamline.ClientID{"c_1"}, Created: noon}
}

func trunk() roamline.Trunk {
	return roamline.Trunk{ID: "t_1", Name: "carrier", Enabled: true,
		Gateways: []roamline.Gateway{{Host: "sip.example.net", Port: 5061, Transport: "tls"}, {Host: "192.0.2.1", Transport: "udp", Priority: 1}},
		Sources:  []roamline.Source{{Prefix: netip.MustParsePrefix("192.0.2.0/24")}, {Prefix: netip.MustParsePrefix("2001:db8::/32"), Port: 5060, Transport: "tcp"}},
		Register: true, Username: "u", Domain: "example.net", Advertise: "198.51.100.1", MaxCalls: 30,
		In: []roamline.Rewrite{{Match: `0(\d+)`, With: "+34$1"}}, Out: []roamline.Rewrite{{Match: `\+34(.*)`, With: "0$1"}},
		Dials: []string{"+34", "+"}, Emergency: true, Identity: roamline.IdentityPAI, SRTP: roamline.SRTPOptional,
		Codecs: []string{"PCMA", "opus"}, Symmetric: true}
}

func lists(t *testing.T, open func(*testing.T) roamline.Store) {
	id := func(u roamline.User) string { return string(u.ID) }
	check(t, open, []rule{
		{"pages follow each other without gap or repetition, in byte order of the keys", func(t *testing.T, ctx context.Context, s roamline.Store) {
			for _, n := range []roamline.Number{"1001", "+34910000001", "+1", "200", "10"} {
				must[roamline.Listing](t)(s.Listings().Create(ctx, roamline.Listing{Number: n, To: roamline.Destination{Kind: "group", ID: "g"}}))
			}
			var got []string
			for q := (roamline.Query{Limit: 2}); ; {
				page, more, err := s.Listings().List(ctx, q)
				ok(t, err)
				got = append(got, keys(page, func(l roamline.Listing) string { return string(l.Number) })...)
				if !more {
					break
				}
				q.After = got[len(got)-1]
			}
			equal(t, got, []string{"+1", "+34910000001", "10", "1001", "200"})
		}},
		{"a full last page says that there is no more", func(t *testing.T, ctx context.Context, s roamline.Store) {
			must[roamline.User](t)(s.Users().Create(ctx, ana()))
			page, more, err := s.Users().List(ctx, roamline.Query{Limit: 1})
			ok(t, err)
			equal(t, keys(page, id), []string{"u_ana"})
			equal(t, more, false)
		}},
		{"a list without limit has 100, and none more than 1000", func(t *testing.T, ctx context.Context, s roamline.Store) {
			ok(t, s.Atomic(ctx, func(s roamline.Store) error {
				for i := range 1001 {
					if _, err := s.Users().Create(ctx, roamline.User{ID: roamline.UserID(fmt.Sprintf("u_%04d", i)), Login: fmt.Sprint(i)}); err != nil {
						return err
					}
				}
				return nil
			}))
			for asked, want := range map[int]int{0: 100, 5000: 1000} {
				page, more, err := s.Users().List(ctx, roamline.Query{Limit: asked})
				ok(t, err)
				equal(t, len(page), want)
				equal(t, more, true)
			}
		}},
		{"match finds a part of a name, login or number, whatever the case, accents too", func(t *testing.T, ctx context.Context, s roamline.Store) {
			must[roamline.User](t)(s.Users().Create(ctx, ana()))
			must[roamline.User](t)(s.Users().Create(ctx, roamline.User{ID: "u_bo", Login: "bo", Name: "Bo"}))
			must[roamline.Listing](t)(s.Listings().Create(ctx, roamline.Listing{Number: "4711", To: roamline.Destination{Kind: roamline.ToUser, ID: "u_bo"}}))
			for part, want := range map[string][]string{
				"ÍÑIG": {"u_ana"}, "aNa": {"u_ana"}, "B": {"u_bo"}, "471": {"u_bo"}, "": {"u_ana", "u_bo"}, "zz": {},
			} {
				page, _, err := s.Users().List(ctx, roamline.Query{Match: part})
				ok(t, err)
				equal(t, keys(page, id), want)
			}
		}},
		{"match takes the pattern characters as they are", func(t *testing.T, ctx context.Context, s roamline.Store) {
			for i, name := range []string{"100%", "a_b", `back\slash`, "plain"} {
				must[roamline.Client](t)(s.Clients().Create(ctx, roamline.Client{ID: roamline.ClientID(fmt.Sprint(i)), Name: name}))
			}
			for part, want := range map[string][]string{"%": {"0"}, "_": {"1"}, `\`: {"2"}, "'": {}} {
				page, _, err := s.Clients().List(ctx, roamline.Query{Match: part})
				ok(t, err)
				equal(t, keys(page, func(c roamline.Client) string { return string(c.ID) }), want)
			}
		}},
		{"where chooses by every column that it knows", func(t *testing.T, ctx context.Context, s roamline.Store) { whereChooses(t, ctx, s) }},
		{"an unknown column of where is invalid", func(t *testing.T, ctx context.Context, s roamline.Store) {
			_, _, err := s.Users().List(ctx, roamline.Query{Where: map[string]string{"name": "x"}})
			is(t, err, roamline.Invalid)
			_, _, err = s.Trunks().List(ctx, roamline.Query{Where: map[string]string{"1=1 OR name": "x"}})
			is(t, err, roamline.Invalid)
		}},
	})
}

func whereChooses(t *testing.T, ctx context.Context, s roamline.Store) {
	must[roamline.User](t)(s.Users().Create(ctx, ana()))
	must[roamline.Place](t)(s.Places().Create(ctx, roamline.Place{ID: "p_1", Name: "House"}))
	must[roamline.Place](t)(s.Places().Create(ctx, roamline.Place{ID: "p_2", Name: "Ward", Within: "p_1"}))
	c := desk()
	c.Place, c.Login = "p_2", "desk2"
	must[roamline.Client](t)(s.Clients().Create(ctx, c))
	must[roamline.Client](t)(s.Clients().Create(ctx, roamline.Client{ID: "c_z", Name: "z", State: roamline.Waiting}))
	must[roamline.Listing](t)(s.Listings().Create(ctx, roamline.Listing{Number: "1", To: roamline.Destination{Kind: roamline.ToUser, ID: "u_ana"}}))
	must[roamline.Trunk](t)(s.Trunks().Create(ctx, trunk()))
	must[roamline.System](t)(s.Systems().Create(ctx, system()))

	chosen(t, ctx, s.Users(), "login", "ana", "no")
	chosen(t, ctx, s.Listings(), "to", "u_ana", "u_no")
	chosen(t, ctx, s.Places(), "within", "p_1", "p_2")
	chosen(t, ctx, s.Places(), "within", "", "p_no")
	chosen(t, ctx, s.Trunks(), "name", "carrier", "no")
	chosen(t, ctx, s.Systems(), "name", "Badge doors", "no")
	for column, value := range map[string]string{"thumbprint": c.Thumbprint, "login": "desk2", "name": c.Name, "state": "admitted", "place": "p_2"} {
		chosen(t, ctx, s.Clients(), column, value, "no")
	}
}

func chosen[T any](t *testing.T, ctx context.Context, table roamline.Table[T], column, is, isNot string) {
	t.Helper()
	page, _, err := table.List(ctx, roamline.Query{Where: map[string]string{column: is}})
	ok(t, err)
	if len(page) != 1 {
		t.Errorf("%s = %q chose %d records, want 1", column, is, len(page))
	}
	page, _, err = table.List(ctx, roamline.Query{Where: map[string]string{column: isNot}})
	ok(t, err)
	if len(page) != 0 {
		t.Errorf("%s = %q chose %d records, want none", column, isNot, len(page))
	}
}

// atOnce runs do n times at the same time and returns what each returned.
func atOnce(n int, do func(int) error) []error {
	errs := make([]error, n)
	start := make(chan struct{})
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			<-start
			errs[i] = do(i)
		})
	}
	close(start)
	all.Wait()
	return errs
}

func oneWins(t *testing.T, errs []error, others roamline.Kind) {
	t.Helper()
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
			continue
		}
		is(t, err, others)
	}
	equal(t, won, 1)
}
