-- One file for both engines. keytext is text in byte order: PostgreSQL gets it
-- as a domain before the migrations run; SQLite reads TEXT in the name and
-- compares bytes by itself. Times are microseconds since 1970 UTC; NULL is the
-- zero time. Constraints are named table_column, so that an error can say which
-- field it is about.

-- +goose Up
CREATE TABLE users (
	id        keytext NOT NULL PRIMARY KEY CHECK (id <> ''),
	login     keytext NOT NULL CHECK (login <> '') CONSTRAINT users_login UNIQUE,
	name      text    NOT NULL,
	language  text    NOT NULL,
	caller_id text    NOT NULL,
	roles     text    NOT NULL, -- JSON list
	disabled  boolean NOT NULL,
	created   bigint,
	search    text    NOT NULL, -- what Match looks in, in lower case
	rev       bigint  NOT NULL
);

CREATE TABLE listings (
	number  keytext NOT NULL PRIMARY KEY CHECK (number <> ''),
	to_kind text    NOT NULL,
	to_id   keytext NOT NULL CHECK (to_id <> ''),
	to_user keytext CONSTRAINT listings_user REFERENCES users (id), -- to_id of the kind "user", else NULL
	search  text    NOT NULL,
	rev     bigint  NOT NULL
);
CREATE INDEX listings_to_user ON listings (to_user);
CREATE INDEX listings_to_id ON listings (to_id);

CREATE TABLE places (
	id     keytext NOT NULL PRIMARY KEY CHECK (id <> ''),
	name   text    NOT NULL CHECK (name <> ''),
	within keytext CONSTRAINT places_within REFERENCES places (id),
	search text    NOT NULL,
	rev    bigint  NOT NULL
);
CREATE INDEX places_inside ON places (within);

CREATE TABLE clients (
	id         keytext NOT NULL PRIMARY KEY CHECK (id <> ''),
	name       keytext NOT NULL CHECK (name <> '') CONSTRAINT clients_name UNIQUE,
	kind       text    NOT NULL,
	state      text    NOT NULL,
	place      keytext CONSTRAINT clients_place REFERENCES places (id),
	thumbprint keytext NOT NULL,
	login      keytext NOT NULL,
	created    bigint,
	search     text    NOT NULL,
	rev        bigint  NOT NULL
);
CREATE UNIQUE INDEX clients_thumbprint ON clients (thumbprint) WHERE thumbprint <> '';
CREATE UNIQUE INDEX clients_login ON clients (login) WHERE login <> '';
CREATE INDEX clients_at ON clients (place);
CREATE INDEX clients_state ON clients (state);

CREATE TABLE trunks (
	id        keytext NOT NULL PRIMARY KEY CHECK (id <> ''),
	name      keytext NOT NULL CHECK (name <> '') CONSTRAINT trunks_name UNIQUE,
	enabled   boolean NOT NULL,
	gateways  text    NOT NULL, -- JSON lists
	sources   text    NOT NULL,
	register  boolean NOT NULL,
	username  text    NOT NULL,
	domain    text    NOT NULL,
	advertise text    NOT NULL,
	max_calls bigint  NOT NULL,
	rules_in  text    NOT NULL,
	rules_out text    NOT NULL,
	dials     text    NOT NULL,
	emergency boolean NOT NULL,
	identity  text    NOT NULL,
	srtp      text    NOT NULL,
	codecs    text    NOT NULL,
	learn_rtp boolean NOT NULL,
	search    text    NOT NULL,
	rev       bigint  NOT NULL
);

CREATE TABLE secrets (
	kind  keytext NOT NULL,
	owner keytext NOT NULL CHECK (owner <> ''),
	value text    NOT NULL CHECK (value <> ''),
	PRIMARY KEY (kind, owner)
);

CREATE TABLE codes (
	hash    keytext NOT NULL PRIMARY KEY CHECK (hash <> ''),
	purpose text    NOT NULL,
	until   bigint  NOT NULL
);
CREATE INDEX codes_until ON codes (until);

CREATE TABLE records (
	call_id      keytext NOT NULL PRIMARY KEY CHECK (call_id <> ''),
	from_number  text    NOT NULL,
	from_name    text    NOT NULL,
	from_private boolean NOT NULL,
	to_number    text    NOT NULL,
	user_id      keytext NOT NULL,
	caller_by    keytext NOT NULL,
	direction    text    NOT NULL,
	emergency    boolean NOT NULL,
	offered      bigint  NOT NULL,
	rang         bigint,
	answered     bigint,
	ended        bigint,
	cause        text    NOT NULL,
	ended_by     text    NOT NULL,
	legs         text    NOT NULL -- JSON list
);
CREATE INDEX records_offered ON records (offered, call_id);
CREATE INDEX records_called ON records (user_id, offered);
CREATE INDEX records_caller ON records (caller_by, offered);

-- A line is known by the binding record that wrote it and its place there: 0 is
-- the binding that it opened, 1 and up those that it ended without their opening
-- being known.
CREATE TABLE stays (
	seq       bigint  NOT NULL,
	nth       bigint  NOT NULL,
	user_id   keytext NOT NULL,
	client_id keytext NOT NULL,
	since     bigint  NOT NULL,
	proof_id  keytext NOT NULL,
	method    text    NOT NULL,
	proven_by text    NOT NULL,
	proven_at bigint,
	until     bigint,
	reason    text    NOT NULL,
	PRIMARY KEY (seq, nth)
);
CREATE INDEX stays_since ON stays (since, seq, nth);
CREATE INDEX stays_user ON stays (user_id, since);
CREATE INDEX stays_client ON stays (client_id, since);

CREATE TABLE projection (
	one boolean NOT NULL PRIMARY KEY CHECK (one),
	seq bigint  NOT NULL
);
INSERT INTO projection (one, seq) VALUES (TRUE, 0);
