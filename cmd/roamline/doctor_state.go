package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// checkDatabase reads a record: the API's answer proves that the database is
// reached and migrated, because neither a start nor an offline command goes on
// otherwise.
func checkDatabase(ctx context.Context, p *patient) []finding {
	kind, mend := "SQLite in the data folder", "Look at the data folder's rights and the disk"
	if p.cfg.DatabaseURL.Reveal() != "" {
		kind, mend = "PostgreSQL", "See that it runs, that database_url is right, and that its user may make tables"
	}
	if p.fresh {
		return []finding{ok("database", "%s, made at the first start", kind)}
	}
	if p.api == nil {
		return []finding{fail("database", kind+": not reached: "+p.trouble.Error(), mend)}
	}
	var page struct{ Items []record }
	if err := p.api.get(ctx, "/users?limit=1", &page); err != nil {
		return []finding{fail("database", kind+": "+err.Error(), mend)}
	}
	found := []finding{ok("database", "%s: reached, with this version's tables", kind)}
	if len(page.Items) == 0 {
		found = append(found, warn("people", "there is nobody yet", "Open the link that the server printed at its first start, or: roamline user add LOGIN --administrator"))
	}
	return found
}

func checkNATS(ctx context.Context, p *patient) []finding {
	url := p.cfg.NATSURL.Reveal()
	if url == "" {
		return []finding{ok("NATS", "embedded, without a network port")}
	}
	mend := "See that it runs, that nats_url is right, and that JetStream is on for this account"
	conn, err := nats.Connect(url, nats.Timeout(checkFor/3), nats.Name("roamline doctor"))
	if err != nil {
		// The library's messages do not hold the URL's password.
		return []finding{fail("NATS", err.Error(), mend)}
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err == nil {
		_, err = js.AccountInfo(ctx)
	}
	if err != nil {
		return []finding{fail("NATS", "JetStream: "+err.Error(), mend)}
	}
	return []finding{ok("NATS", "%s answers, with JetStream", conn.ConnectedServerName())}
}

// checkSite looks at what is right in one place and wrong in another.
func checkSite(ctx context.Context, p *patient) []finding {
	var found []finding
	site := p.cfg.Site
	if site.Country == "" {
		found = append(found, warn("country", "numbers without a plus are taken for extensions", `Set site.country, such as "ES"`))
	}
	if len(site.Emergency) == 0 {
		return append(found, fail("emergency", "no emergency number is set", `Set site.emergency, such as ["112"]`))
	}
	if p.api == nil {
		return found
	}
	trunks, err := p.api.all(ctx, "/trunks", nil)
	if err != nil {
		return append(found, fail("emergency", err.Error(), "See the line on the database"))
	}
	for _, t := range trunks {
		if t["enabled"] == true && t["emergency"] == true {
			return append(found, ok("emergency", "%s leave by %s", strings.Join(site.Emergency, ", "), str(t, "name")))
		}
	}
	return append(found, warn("emergency", fmt.Sprintf("no trunk is marked for %s", strings.Join(site.Emergency, ", ")),
		"roamline trunk set TRUNK --emergency, and make a test call by agreement with the emergency centre"))
}
