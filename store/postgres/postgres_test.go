package postgres_test

import (
	"testing"

	"github.com/roamline/roamline"
	"github.com/roamline/roamline/store/postgres"
	"github.com/roamline/roamline/store/storetest"
)

func open(t testing.TB, url string) roamline.Store {
	t.Helper()
	s, err := postgres.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestContract(t *testing.T) {
	server := storetest.Postgres(t)
	storetest.Run(t, func(t *testing.T) roamline.Store { return open(t, storetest.Database(t, server)) })
}
