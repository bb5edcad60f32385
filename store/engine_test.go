package store

import "testing"

func TestParametersAreNumbered(t *testing.T) {
	for query, want := range map[string]string{
		"SELECT 1":                   "SELECT 1",
		"a = ? AND (b = ? OR ? = 0)": "a = $1 AND (b = $2 OR $3 = 0)",
		"?":                          "$1",
	} {
		if got := (Engine{Dollars: true}).sql(query); got != want {
			t.Errorf("%q became %q, want %q", query, got, want)
		}
		if got := (Engine{}).sql(query); got != query {
			t.Errorf("%q became %q, want it as it was", query, got)
		}
	}
}

func TestLimits(t *testing.T) {
	for asked, want := range map[int]int{-1: 100, 0: 100, 1: 1, 1000: 1000, 1001: 1000} {
		if got := limit(asked); got != want {
			t.Errorf("limit %d became %d, want %d", asked, got, want)
		}
	}
}
