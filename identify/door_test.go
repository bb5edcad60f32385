package identify

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/roamline/roamline"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

// secrets is a method that knows ana's secret, and counts what it computes.
type secrets struct {
	computed atomic.Int32
	hold     chan struct{} // nil: no waiting
	broken   error
}

func (s *secrets) Verify(ctx context.Context, c roamline.Claim) (roamline.UserID, error) {
	s.computed.Add(1)
	if s.hold != nil {
		<-s.hold
	}
	if s.broken != nil {
		return "", s.broken
	}
	if c.Login == "ana" && c.Secret.Reveal() == "right" {
		return "u_ana", nil
	}
	return "", &roamline.Error{Kind: roamline.Unauthorized, Err: errors.New("unknown user bo")}
}

func door(s *secrets, l Limits) *Door {
	return New(map[roamline.Method]Verifier{roamline.ByPassword: s}, l)
}

func claim(login, secret, client, from string, at time.Time) roamline.Claim {
	return roamline.Claim{Method: roamline.ByPassword, Login: login, Secret: roamline.NewSecret(secret), Client: roamline.ClientID(client), From: from, At: at}
}

func TestProve(t *testing.T) {
	d := door(&secrets{}, Limits{})
	id, err := d.Prove(t.Context(), claim(" ANA ", "right", "desk1", "10.0.0.1", noon))
	if err != nil || id.User != "u_ana" || id.Client != "desk1" || id.Method != roamline.ByPassword || !id.At.Equal(noon) || id.ID == "" {
		t.Errorf("%+v, %v", id, err)
	}
	_, unknown := d.Prove(t.Context(), claim("bo", "right", "desk1", "10.0.0.1", noon))
	_, wrong := d.Prove(t.Context(), claim("ana", "wrong", "desk1", "10.0.0.1", noon))
	if roamline.KindOf(wrong) != roamline.Unauthorized || unknown.Error() != wrong.Error() {
		t.Errorf("an unknown user is told %q, a wrong secret %q", unknown, wrong)
	}
	c := claim("ana", "right", "desk1", "", noon)
	c.Method = roamline.ByPIN
	if _, err := d.Prove(t.Context(), c); roamline.KindOf(err) != roamline.Forbidden {
		t.Errorf("a method that the site does not have: %v", err)
	}
}

func TestLockOut(t *testing.T) {
	const attacker, owner = "198.51.100.9", "10.0.0.1"
	for _, row := range []struct {
		rule  string
		tries int // wrong ones of the attacker, one a second
		then  roamline.Claim
		want  roamline.Kind // Internal: proven
	}{
		{"five wrong tries are free", 4, claim("ana", "right", "evil", attacker, noon.Add(5*time.Second)), roamline.Internal},
		{"then even the right secret must wait", 5, claim("ana", "right", "evil", attacker, noon.Add(5*time.Second)), roamline.Exhausted},
		{"after the wait it is right again", 5, claim("ana", "right", "evil", attacker, noon.Add(8*time.Second)), roamline.Internal},
		{"the owner elsewhere never waits", 5, claim("ana", "right", "desk1", owner, noon.Add(5*time.Second)), roamline.Internal},
		{"another account at the attacker's client is free", 5, claim("bo", "x", "evil", attacker, noon.Add(5*time.Second)), roamline.Unauthorized},
		{"an hour later all is forgotten", 5, claim("ana", "right", "evil", attacker, noon.Add(2*time.Hour)), roamline.Internal},
	} {
		t.Run(row.rule, func(t *testing.T) {
			d := door(&secrets{}, Limits{})
			for i := range row.tries {
				d.Prove(t.Context(), claim("ana", "wrong", "evil", attacker, noon.Add(time.Duration(i)*time.Second)))
			}
			_, err := d.Prove(t.Context(), row.then)
			if err == nil && row.want != roamline.Internal || err != nil && roamline.KindOf(err) != row.want {
				t.Errorf("%v, want %v", err, row.want)
			}
			var late *TooManyError
			if row.want == roamline.Exhausted && (!errors.As(err, &late) || late.RetryAfter() <= 0) {
				t.Errorf("%v does not say when to try again", err)
			}
		})
	}
}

func TestManyAccountsFromOneAddressMustWait(t *testing.T) {
	s := &secrets{}
	d := door(s, Limits{})
	var err error
	for i := range 210 {
		from := fmt.Sprintf("2001:db8:1:2::%x", i+1) // one subscriber
		_, err = d.Prove(t.Context(), claim(fmt.Sprint("user", i), "x", fmt.Sprint("client", i), from, noon))
	}
	if roamline.KindOf(err) != roamline.Exhausted {
		t.Errorf("the 210th account from one address: %v", err)
	}
	if n := s.computed.Load(); n != 200 {
		t.Errorf("%d hashes were computed, want 200: a refused try must cost nothing", n)
	}
}

func TestManyAccountsAtOneClientMustWait(t *testing.T) {
	d := door(&secrets{}, Limits{})
	var err error
	for i := range 31 {
		_, err = d.Prove(t.Context(), claim(fmt.Sprint("user", i), "x", "evil", fmt.Sprint("10.0.0.", i), noon))
	}
	if roamline.KindOf(err) != roamline.Exhausted {
		t.Errorf("the 31st account at one client: %v", err)
	}
}

func TestBusyClientNeverWaits(t *testing.T) {
	d := door(&secrets{}, Limits{})
	at := noon
	for i := range 5000 { // a ward's desk: one mistake in ten, somebody every two minutes
		at = at.Add(2 * time.Minute)
		secret := "right"
		if i%10 == 0 {
			secret = "wrong"
		}
		if _, err := d.Prove(t.Context(), claim("ana", secret, "desk1", "10.0.0.1", at)); roamline.KindOf(err) == roamline.Exhausted {
			t.Fatalf("sign-in %d: %v", i, err)
		}
	}
}

func TestOwnerBehindTheAttackersAddressNeverWaits(t *testing.T) {
	d := door(&secrets{}, Limits{})
	if _, err := d.Prove(t.Context(), claim("ana", "right", "desk1", "10.0.0.1", noon)); err != nil {
		t.Fatal(err)
	}
	at := noon.Add(8 * time.Hour)
	for i := range 300 {
		d.Prove(t.Context(), claim("ana", "wrong", fmt.Sprint("evil", i), "10.0.0.1", at))
	}
	if _, err := d.Prove(t.Context(), claim("ana", "right", "desk1", "10.0.0.1", at)); err != nil {
		t.Errorf("at the client where she was before: %v", err)
	}
	var late *TooManyError
	_, err := d.Prove(t.Context(), claim("bo", "x", "desk2", "10.0.0.1", at))
	if !errors.As(err, &late) || late.RetryAfter() > 30*time.Second {
		t.Errorf("whoever was never here waits, and not for long: %v", err)
	}
}

func TestOwnAccountBuysNoGuesses(t *testing.T) {
	d := door(&secrets{}, Limits{})
	var err error
	for i := range 40 {
		if _, err = d.Prove(t.Context(), claim(fmt.Sprint("victim", i), "x", "evil", "10.0.0.1", noon)); err != nil && i >= 30 {
			break
		}
		d.Prove(t.Context(), claim("ana", "right", "evil", "10.0.0.1", noon))
	}
	if roamline.KindOf(err) != roamline.Exhausted {
		t.Errorf("after 30 guesses with right ones between: %v", err)
	}
}

func TestEveryFailureCostsTheSame(t *testing.T) {
	for _, login := range []string{"ana", "nobody"} {
		s := &secrets{}
		door(s, Limits{}).Prove(t.Context(), claim(login, "wrong", "desk1", "", noon))
		if n := s.computed.Load(); n != 1 {
			t.Errorf("%s: %d proofs computed", login, n)
		}
	}
}

func TestWhatBrokeIsNotThePersonsFault(t *testing.T) {
	s := &secrets{broken: &roamline.Error{Kind: roamline.Unavailable}}
	d := door(s, Limits{})
	for range 20 {
		if _, err := d.Prove(t.Context(), claim("ana", "right", "desk1", "", noon)); roamline.KindOf(err) != roamline.Unavailable {
			t.Fatal(err)
		}
	}
	s.broken = nil
	if _, err := d.Prove(t.Context(), claim("ana", "right", "desk1", "", noon)); err != nil {
		t.Error(err)
	}
}

func TestProofsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &secrets{hold: make(chan struct{})}
		d := door(s, Limits{AtOnce: 2})
		late := make(chan error, 3)
		for i := range 3 {
			go func() {
				_, err := d.Prove(t.Context(), claim("ana", "right", fmt.Sprint("desk", i), "", noon))
				late <- err
			}()
		}
		if err := <-late; roamline.KindOf(err) != roamline.Exhausted {
			t.Errorf("the third proof at once: %v", err)
		}
		if n := s.computed.Load(); n != 2 {
			t.Errorf("%d at once", n)
		}
		close(s.hold)
		for range 2 {
			if err := <-late; err != nil {
				t.Error(err)
			}
		}
	})
}

func TestCountersAreBounded(t *testing.T) {
	d := door(&secrets{}, Limits{Kept: 10, PerSite: 1000})
	for i := range 1000 {
		d.Prove(t.Context(), claim(fmt.Sprint(i), "x", "c", "s", noon.Add(time.Duration(i))))
	}
	if n := len(d.tries.of); n > 10 {
		t.Errorf("%d counters kept", n)
	}
}
