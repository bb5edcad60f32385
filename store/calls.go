package store

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/roamline/roamline"
)

// keptCalls is the kept form of a user's call settings. It has the fields of
// the root's type, and doesn't compile when those change: then old rows need a
// thought.
type keptCalls struct {
	Always       roamline.Number `json:"always,omitempty"`
	Busy         roamline.Number `json:"busy,omitempty"`
	NoAnswer     roamline.Number `json:"noAnswer,omitempty"`
	NotSignedIn  roamline.Number `json:"notSignedIn,omitempty"`
	DoNotDisturb bool            `json:"doNotDisturb,omitempty"`
	Wait         time.Duration   `json:"wait,omitempty"` // nanoseconds; -1: not at all
}

// keepCalls is how call settings are kept; settings of nothing as {}.
func keepCalls(c roamline.CallSettings) string {
	text, err := json.Marshal(keptCalls(c))
	if err != nil {
		panic(err) // it holds plain texts and numbers
	}
	return string(text)
}

// settings reads what keepCalls wrote.
type settings struct{ to *roamline.CallSettings }

func (s settings) Scan(value any) error {
	text, ok := value.(string)
	if !ok {
		return fmt.Errorf("call settings are kept as %T", value)
	}
	var kept keptCalls
	err := json.Unmarshal([]byte(text), &kept)
	*s.to = roamline.CallSettings(kept)
	return err
}
