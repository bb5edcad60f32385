package sqlite_test

import (
	"bufio"
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/roamline/roamline"
	"github.com/roamline/roamline/store/sqlite"
	"github.com/roamline/roamline/store/storetest"
)

// childFile, in the environment, makes this test binary write records to that
// file until it is killed.
const childFile = "ROAMLINE_TEST_SQLITE"

func TestMain(m *testing.M) {
	if path := os.Getenv(childFile); path != "" {
		fmt.Println("failed", writeForEver(path))
		os.Exit(1)
	}
	goleak.VerifyTestMain(m)
}

func writeForEver(path string) error {
	ctx := context.Background()
	s, err := sqlite.Open(ctx, path)
	if err != nil {
		return err
	}
	for n := 0; ; n++ {
		r := roamline.Record{Call: roamline.CallID(fmt.Sprintf("k_%d_%d", os.Getpid(), n)), Offered: time.Unix(int64(n), 0)}
		if err := s.AddRecord(ctx, r); err != nil {
			return err
		}
		fmt.Println(n)
	}
}

func open(t testing.TB, path string) roamline.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestContract(t *testing.T) {
	storetest.Run(t, func(t *testing.T) roamline.Store { return open(t, filepath.Join(t.TempDir(), "roamline.db")) })
}

func TestKilledProcessLosesNothingAcknowledged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "roamline.db")
	for round := range 3 {
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), childFile+"="+path)
		child.Stderr = os.Stderr
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		last, lines := -1, bufio.NewScanner(out)
		for lines.Scan() {
			if last, err = strconv.Atoi(lines.Text()); err != nil {
				t.Fatal(lines.Text())
			}
			if last == 100 {
				if err := child.Process.Signal(syscall.SIGKILL); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := child.Wait(); err == nil || last < 100 {
			t.Fatalf("the child ended by itself after %d", last)
		}
		s := open(t, path)
		for n := range last + 1 {
			if _, err := s.Record(t.Context(), roamline.CallID(fmt.Sprintf("k_%d_%d", child.Process.Pid, n))); err != nil {
				t.Fatalf("round %d: record %d of %d: %v", round, n, last, err)
			}
		}
		s.Close()
	}
}

func TestFilesAreTheOwnersAlone(t *testing.T) {
	for _, row := range []struct {
		says   string
		before fs.FileMode // of a file that is there; 0: none
	}{
		{"a new file", 0},
		{"a file that others could read", 0o644},
	} {
		t.Run(row.says, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "data")
			path := filepath.Join(dir, "roamline.db")
			open(t, path).Close()
			if row.before != 0 {
				if err := os.Chmod(path, row.before); err != nil {
					t.Fatal(err)
				}
			}
			s := open(t, path)
			if err := s.SetSecret(t.Context(), roamline.TrunkSecret, "t_1", roamline.NewSecret("x")); err != nil {
				t.Fatal(err)
			}
			files, err := os.ReadDir(dir)
			if err != nil {
				t.Fatal(err)
			}
			if len(files) < 3 {
				t.Errorf("%d files, want the database, its log and their index", len(files))
			}
			for _, file := range files {
				if info, err := file.Info(); err != nil || info.Mode().Perm() != 0o600 {
					t.Errorf("%s has mode %v (%v), want 0600", file.Name(), info.Mode(), err)
				}
			}
		})
	}
}

func TestManyOpenANewFileAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "roamline.db")
	errs := make([]error, 6)
	var all sync.WaitGroup
	for i := range errs {
		all.Go(func() {
			s, err := sqlite.Open(t.Context(), path)
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
}

func TestAnyPathIsTakenAsItIs(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a b.db", "a?b.db", "a#b.db", "a%20b.db", "ä&_pragma=x.db"} {
		path := filepath.Join(dir, name)
		open(t, path).Close()
		if info, err := os.Stat(path); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
}

func TestReadersDoNotWaitForTheWriter(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "roamline.db"))
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	err := s.Atomic(ctx, func(inner roamline.Store) error {
		if err := inner.SetSecret(ctx, roamline.ServerKey, "a", roamline.NewSecret("x")); err != nil {
			return err
		}
		_, err := s.Projected(ctx)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestPlacesThatCannotBeOpened(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "text")
	if err := os.WriteFile(text, []byte(strings.Repeat("no database ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	for says, path := range map[string]string{"a folder": dir, "within a file": filepath.Join(text, "x"), "another kind of file": text} {
		if s, err := sqlite.Open(t.Context(), path); err == nil {
			t.Errorf("%s was opened", says)
			s.Close()
		}
	}
}

func TestUsersOfTheFirstSchemaWantNothingDone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "roamline.db")
	s := open(t, path)
	if _, err := s.Users().Create(t.Context(), roamline.User{ID: "u_1", Login: "ana"}); err != nil {
		t.Fatal(err)
	}
	s.Close()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	for _, back := range []string{"ALTER TABLE users DROP COLUMN calls", "DROP TABLE systems", "DELETE FROM schema_version WHERE version_id > 1"} {
		if _, err := db.Exec(back); err != nil {
			t.Fatal(err)
		}
	}
	db.Close()
	u, err := open(t, path).Users().Get(t.Context(), "u_1")
	if err != nil || u.Login != "ana" || u.Calls != (roamline.CallSettings{}) {
		t.Errorf("%+v, %v", u, err)
	}
}

func TestNewerSchemaIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "roamline.db")
	open(t, path).Close()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec("INSERT INTO schema_version (version_id, is_applied) VALUES (999, 1)"); err != nil {
		t.Fatal(err)
	}
	db.Close()
	if _, err := sqlite.Open(t.Context(), path); roamline.KindOf(err) != roamline.Invalid {
		t.Errorf("got %v, want it refused", err)
	}
}

func TestEndedContextOpensNothing(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := sqlite.Open(ctx, filepath.Join(t.TempDir(), "roamline.db")); roamline.KindOf(err) != roamline.Unavailable {
		t.Errorf("got %v, want it unavailable", err)
	}
}

func BenchmarkAddRecord(b *testing.B) {
	s := open(b, filepath.Join(b.TempDir(), "roamline.db"))
	for n := 0; b.Loop(); n++ {
		r := roamline.Record{Call: roamline.CallID(fmt.Sprint(n)), Offered: time.Unix(int64(n), 0)}
		if err := s.AddRecord(b.Context(), r); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkGetListing(b *testing.B) {
	s := open(b, filepath.Join(b.TempDir(), "roamline.db"))
	if _, err := s.Listings().Create(b.Context(), roamline.Listing{Number: "1", To: roamline.Destination{Kind: "group", ID: "g"}}); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := s.Listings().Get(b.Context(), "1"); err != nil {
			b.Fatal(err)
		}
	}
}
