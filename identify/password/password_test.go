package password

import (
	"strings"
	"testing"

	"github.com/roamline/roamline"
)

func TestHash(t *testing.T) {
	right := roamline.NewSecret("correct horse")
	stored, err := Hash(t.Context(), right)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(stored.Reveal(), "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Errorf("stored as %q", stored.Reveal())
	}
	if !Matches(right, stored) || Matches(roamline.NewSecret("wrong horse"), stored) {
		t.Error("the wrong one matches")
	}
	if again := Stored(right); again == stored {
		t.Error("two hashes of one password are the same: no salt")
	}
	for _, bad := range []string{"seven77", strings.Repeat("x", 1025)} {
		if _, err := Hash(t.Context(), roamline.NewSecret(bad)); roamline.KindOf(err) != roamline.Invalid {
			t.Errorf("%d characters: %v", len(bad), err)
		}
	}
}

// A hash that somebody else wrote, or that was damaged, must match nothing and
// must not take all memory.
func FuzzMatches(f *testing.F) {
	f.Add(nobody.Reveal())
	f.Add("$argon2id$v=19$m=4294967295,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA")
	f.Add("$argon2id$v=19$m=8,t=1,p=0$$")
	f.Fuzz(func(t *testing.T, stored string) {
		if p, err := parse(stored); err != nil || p.memory > 1<<12 || p.passes > 2 {
			return // refused, or true but slow
		}
		Matches(roamline.NewSecret("x"), roamline.NewSecret(stored))
	})
}
