-- What a person wants done with calls to her numbers.

-- +goose Up
ALTER TABLE users ADD COLUMN calls text NOT NULL DEFAULT '{}'; -- JSON object
