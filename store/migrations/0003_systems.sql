-- Systems outside that are trusted to say who is where.

-- +goose Up
CREATE TABLE systems (
	id      keytext NOT NULL PRIMARY KEY CHECK (id <> ''),
	name    keytext NOT NULL CHECK (name <> '') CONSTRAINT systems_name UNIQUE,
	enabled boolean NOT NULL,
	places  text    NOT NULL, -- JSON lists; an identifier that is gone says nothing
	clients text    NOT NULL,
	created bigint,
	search  text    NOT NULL,
	rev     bigint  NOT NULL
);
