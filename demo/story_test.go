package demo

import (
	"errors"
	"strings"
	"testing"
)

func TestAStoryIsGoodOnlyIfEveryVoiceWasHeard(t *testing.T) {
	heard := way{Of: "Ana", To: "Caller", Tone: true, Likeness: 0.95}
	good := scene{Desk: "Desk 1", OnlyHere: true, Ways: [2]way{heard, heard}}
	for _, row := range []struct {
		name   string
		spoil  func(*scene)
		scenes int
		err    error
		ok     bool
	}{
		{"all heard at every desk", func(*scene) {}, 3, nil, true},
		{"the call that she took along is missing", func(*scene) {}, 2, nil, false},
		{"a tone is missing", func(s *scene) { s.Ways[1].Tone = false }, 3, nil, false},
		{"the words are not what was said", func(s *scene) { s.Ways[0].Likeness = 0.5 }, 3, nil, false},
		{"the other desk rang too", func(s *scene) { s.OnlyHere = false }, 3, nil, false},
		{"it broke off", func(*scene) {}, 3, errors.New("refused"), false},
	} {
		t.Run(row.name, func(t *testing.T) {
			var out strings.Builder
			s := &teller{out: newPaper(&out)}
			for range row.scenes {
				sc := good
				row.spoil(&sc)
				s.scenes = append(s.scenes, &sc)
			}
			ok := row.err == nil && s.allHeard()
			s.out.verdict(ok, row.err, "folder")
			if ok != row.ok || strings.Contains(out.String(), "✓ Every voice was heard") != row.ok {
				t.Errorf("ok %v, it says:\n%s", ok, out.String())
			}
		})
	}
}
