package config

import (
	"os"
	"testing"
)

// docs/roamline.toml is what `roamline serve --print-config` prints; after a
// change of the settings write it anew.
func TestTheFileInDocsIsCurrent(t *testing.T) {
	got, err := os.ReadFile("../docs/roamline.toml")
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != Annotated() {
		t.Error("docs/roamline.toml is stale: roamline serve --print-config > docs/roamline.toml")
	}
}
