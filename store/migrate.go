package store

import (
	"context"
	"embed"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"

	"github.com/roamline/roamline"
)

//go:embed migrations/*.sql
var migrations embed.FS

// migrate brings the schema to the version of this program. A schema of a newer
// one is refused: its meaning is not known here.
func migrate(ctx context.Context, e Engine) error {
	const op = "store.Open"
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return &roamline.Error{Op: op, Err: err}
	}
	steps, err := goose.NewProvider(e.Dialect, e.Write, files, goose.WithTableName("schema_version"),
		goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()))
	if err != nil {
		return &roamline.Error{Op: op, Err: err}
	}
	now, newest, err := steps.GetVersions(ctx)
	if err == nil && now > newest {
		return &roamline.Error{Op: op, Kind: roamline.Invalid,
			Err: fmt.Errorf("the database has schema %d, this program knows %d: use the newer program", now, newest)}
	}
	if err == nil {
		_, err = steps.Up(ctx)
	}
	if err != nil {
		s := &Store{engine: e}
		return s.fail(op, "migrations", err)
	}
	return nil
}
