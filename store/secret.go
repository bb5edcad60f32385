package store

import (
	"context"

	"github.com/roamline/roamline"
)

// Secret returns a credential. Trunk passwords and the server's own keys are
// kept as they are, for the server must present them; whoever reads the
// database reads them too.
func (s *Store) Secret(ctx context.Context, kind roamline.SecretKind, owner string) (roamline.Secret, error) {
	var text string
	err := s.one(ctx, "SELECT value FROM secrets WHERE kind = ? AND owner = ?", []any{string(kind), owner}, &text)
	return roamline.NewSecret(text), s.fail("store.Secret "+string(kind), owner, err)
}

// SetSecret keeps a credential in place of the one before; an empty one removes
// it. The owner need not be there yet.
func (s *Store) SetSecret(ctx context.Context, kind roamline.SecretKind, owner string, secret roamline.Secret) error {
	query := "INSERT INTO secrets (kind, owner, value) VALUES (?, ?, ?) " +
		"ON CONFLICT (kind, owner) DO UPDATE SET value = excluded.value"
	args := []any{string(kind), owner, secret.Reveal()}
	if secret.Reveal() == "" {
		query, args = "DELETE FROM secrets WHERE kind = ? AND owner = ?", args[:2]
	}
	err := s.change(ctx, func(s *Store) error {
		_, err := s.exec(ctx, query, args...)
		return err
	})
	return s.fail("store.SetSecret "+string(kind), owner, err)
}
