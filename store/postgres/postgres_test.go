package postgres_test

import (
	"database/sql"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/roamline/roamline"
	"github.com/roamline/roamline/store/postgres"
	"github.com/roamline/roamline/store/storetest"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

func open(t testing.TB, url string) roamline.Store {
	t.Helper()
	s, err := postgres.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func exec(t testing.TB, url, query string) {
	t.Helper()
	db, err := sql.Open("pgx", url)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(query); err != nil {
		t.Fatal(err)
	}
}

func TestPostgres(t *testing.T) {
	server := storetest.Postgres(t)
	storetest.Run(t, func(t *testing.T) roamline.Store { return open(t, storetest.Database(t, server)) })

	t.Run("many nodes open a new database at once", func(t *testing.T) {
		url := storetest.Database(t, server)
		errs := make([]error, 4)
		var all sync.WaitGroup
		for i := range errs {
			all.Go(func() {
				s, err := postgres.Open(t.Context(), url)
				if errs[i] = err; err == nil {
					errs[i] = s.Close()
				}
			})
		}
		all.Wait()
		for _, err := range errs {
			if err != nil {
				t.Error(err)
			}
		}
	})
	t.Run("a broken connection is unavailable once and then replaced", func(t *testing.T) {
		url := storetest.Database(t, server)
		s := open(t, url)
		exec(t, server, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '"+nameOf(url)+"'")
		for range 4 { // the idle ones, of which each may have to be found out
			err := s.Ping(t.Context())
			if err == nil {
				return
			}
			if roamline.KindOf(err) != roamline.Unavailable {
				t.Error(err)
			}
		}
		t.Error("it did not connect again")
	})
	t.Run("a newer schema is refused", func(t *testing.T) {
		url := storetest.Database(t, server)
		open(t, url).Close()
		exec(t, url, "INSERT INTO schema_version (version_id, is_applied) VALUES (999, true)")
		if _, err := postgres.Open(t.Context(), url); roamline.KindOf(err) != roamline.Invalid {
			t.Errorf("got %v, want it refused", err)
		}
	})
}

func nameOf(url string) string {
	url, _, _ = strings.Cut(url, "?")
	return url[strings.LastIndex(url, "/")+1:]
}

func TestAddressesThatCannotBeUsed(t *testing.T) {
	for _, row := range []struct {
		says, url string
		kind      roamline.Kind
	}{
		{"not an address", "postgres://u:hunter2@host:port/x", roamline.Invalid},
		{"nobody listens there", "postgres://u:hunter2@127.0.0.1:1/x", roamline.Unavailable},
	} {
		t.Run(row.says, func(t *testing.T) {
			_, err := postgres.Open(t.Context(), row.url)
			if roamline.KindOf(err) != row.kind {
				t.Errorf("got %v (%v), want %v", err, roamline.KindOf(err), row.kind)
			}
			if err != nil && strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the password stands in %q", err)
			}
		})
	}
}
