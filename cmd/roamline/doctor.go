package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/roamline/roamline/config"
)

// A finding is what the doctor says of one thing.
type finding struct {
	Check   string `json:"check"`
	Verdict string `json:"verdict"` // "ok", "warn" or "fail"
	Says    string `json:"says"`
	Mend    string `json:"mend,omitempty"`
}

func ok(check, says string, args ...any) finding {
	return finding{check, "ok", fmt.Sprintf(says, args...), ""}
}

func warn(check, says, mend string) finding { return finding{check, "warn", says, mend} }
func fail(check, says, mend string) finding { return finding{check, "fail", says, mend} }

// A patient is what the checks look at.
type patient struct {
	cfg     config.Config
	api     *api  // nil: the data can't be opened
	trouble error // why
	running bool
	fresh   bool // no server ever ran here; nothing was opened, so as to make nothing
	now     func() time.Time
}

// checkFor bounds the time of one check.
const checkFor = 15 * time.Second

type doctorCmd struct{}

// Run makes all checks; the exit status is 1 if one failed.
func (c *doctorCmd) Run(ctx context.Context, w *world) error {
	cfg, err := config.Load(w.options.Config, w.environ)
	if err != nil {
		return w.report([]finding{fail("configuration", strings.TrimPrefix(err.Error(), "config.Load: "), "Correct these lines; roamline serve --print-config prints a whole file")})
	}
	from := "no file: every setting is at its default or from the environment"
	if cfg.File != "" {
		from = cfg.File
	}
	found := []finding{ok("configuration", "%s", from)}
	found = append(found, checkFolder(cfg.DataDir)...)
	p := &patient{cfg: cfg, now: time.Now}
	if _, err := os.Lstat(cfg.DataDir); errors.Is(err, fs.ErrNotExist) && cfg.DatabaseURL.Reveal() == "" {
		p.fresh = true
	} else if p.api, p.trouble = openAPI(ctx, cfg); p.trouble == nil {
		p.running = p.api.running
		defer p.api.close()
	}
	checks := []func(context.Context, *patient) []finding{checkServer, checkLimits, checkTime, checkPorts, checkPages,
		checkCertificate, checkAddresses, checkDatabase, checkNATS, checkSite, checkTrunks}
	for _, check := range checks {
		limited, cancel := context.WithTimeout(ctx, checkFor)
		found = append(found, check(limited, p)...)
		cancel()
	}
	return w.report(found)
}

// report prints findings, the remedy under each.
func (w *world) report(found []finding) error {
	var failed, warned int
	for _, f := range found {
		switch f.Verdict {
		case "fail":
			failed++
		case "warn":
			warned++
		}
	}
	if w.options.JSON {
		if err := w.asJSON(found); err != nil {
			return err
		}
	} else {
		for _, f := range found {
			fmt.Fprintf(w.out, "%-5s %-14s %s\n", f.Verdict, f.Check, oneLine(f.Says))
			if f.Mend != "" {
				fmt.Fprintf(w.out, "%20s %s.\n", "->", strings.TrimRight(f.Mend, "."))
			}
		}
		fmt.Fprintf(w.out, "\nRight: %d. To look at: %d. Wrong: %d.\n", len(found)-failed-warned, warned, failed)
	}
	if failed > 0 {
		return exitStatus(1)
	}
	return nil
}
