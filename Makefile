# For Debian and its kin, with Go 1.26, make, and Node 20.19 or newer for the
# pages. `make help` lists what there is.

GO        ?= go
FUZZTIME  ?= 1m
BENCHTIME ?= 1s
# Packages tested at a time: each may start servers, browsers and phones.
PACKAGES_AT_ONCE ?= 2

STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2

# What must be there, as program:package. A program is a name or a path.
FOR_BUILD := git:git /usr/sbin/update-ca-certificates:ca-certificates node:nodejs npm:npm
FOR_TEST  := gcc:gcc gcc:libc6-dev \
             chromium:chromium baresip:baresip-core sipp:sip-tester /usr/lib/postgresql/*/bin/initdb:postgresql

FOR_BENCH := /usr/bin/rtpengine:rtpengine-daemon

.DEFAULT_GOAL := help
.NOTPARALLEL:
.DELETE_ON_ERROR:

# $(call install,program:package ...) installs the packages of those programs
# that are missing.
define install
@missing=; \
for pair in $(1); do \
  set -- $${pair%:*}; \
  command -v "$$1" >/dev/null 2>&1 || missing="$$missing $${pair##*:}"; \
done; \
[ -n "$$missing" ] || exit 0; \
if ! command -v apt-get >/dev/null; then \
  echo "Missing:$$missing. There is no apt-get here: install them by other means." >&2; exit 1; \
fi; \
sudo=; [ "$$(id -u)" = 0 ] || sudo=sudo; \
if [ -n "$$sudo" ] && ! command -v sudo >/dev/null; then \
  echo "Missing:$$missing. Run this as root: apt-get install$$missing" >&2; exit 1; \
fi; \
echo "Installing what is missing, by $$sudo apt-get:$$missing"; \
$$sudo apt-get update -q && \
$$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $$missing
endef

.PHONY: help
help: ## Print this list.
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-6s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

.PHONY: run
run: ## Install what is missing, build, and start a made-up site with a pretend carrier.
	$(call install,$(FOR_BUILD))
	@$(MAKE) --no-print-directory build
	bin/roamline demo

# The second make looks for programs again, now that they are installed.
.PHONY: test
test: ## Install what the tests need, and run all tests.
	$(call install,$(FOR_BUILD) $(FOR_TEST))
	@$(MAKE) --no-print-directory test-pages build test-go

.PHONY: check
check: ## Format, vet, staticcheck, and the project's own rules.
	@bad=$$(find . -name node_modules -prune -o -name '*.go' -print | xargs gofmt -l) || exit 1; \
	[ -z "$$bad" ] || { echo "Not formatted (gofmt -w):"; echo "$$bad"; exit 1; }
	$(GO) vet ./...
	$(GO) run $(STATICCHECK) ./...
	$(GO) test ./check

.PHONY: bench
bench: ## Measure, beside rtpengine (BENCHTIME=1s).
	$(call install,$(FOR_BENCH))
	$(GO) test -run '^$$' -bench . -benchtime $(BENCHTIME) ./voice ./bus
	$(GO) run ./test/bench

.PHONY: fuzz
fuzz: ## Fuzz every target, one after another (FUZZTIME=1m each).
	@failed=; \
	for dir in $$(find . -name node_modules -prune -o -name '*_test.go' -exec grep -l '^func Fuzz' {} + | xargs -n 1 dirname | sort -u); do \
	  for name in $$(sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' "$$dir"/*_test.go); do \
	    echo "$$dir $$name"; \
	    $(GO) test -run '^$$' -fuzz "^$$name\$$" -fuzztime $(FUZZTIME) "$$dir" || failed="$$failed $$dir:$$name"; \
	  done; \
	done; \
	[ -z "$$failed" ] || { echo "Failed:$$failed"; exit 1; }

.PHONY: soak
soak: ## Let 10,000 random histories of people and calls pass (ten minutes).
	ROAMLINE_HISTORIES=10000 $(GO) test -run Histories -timeout 60m -v ./switchboard

.PHONY: build
build: pages ## Build bin/roamline with the pages in it.
	$(GO) build -o bin/roamline ./cmd/roamline

.PHONY: clean
clean: ## Remove what was built or fetched into this folder.
	rm -rf bin .stamps ui/node_modules ui/screenshots
	find ui/dist -mindepth 1 ! -name .gitkeep -delete
	find . -maxdepth 3 \( -name '*.test' -o -name '*.out' \) -type f -delete

.PHONY: test-go
test-go:
	$(GO) vet ./...
	CGO_ENABLED=1 $(GO) test -race -p $(PACKAGES_AT_ONCE) -timeout 12m ./...

# The pages. A stamp in .stamps says when npm last did something; a stamp whose
# work was deleted does not count.

NODE_FITS := $(shell command -v npm >/dev/null && node -e 'const [a, b] = process.versions.node.split(".").map(Number); if (a > 20 || (a === 20 && b >= 19)) console.log("yes")' 2>/dev/null)
NO_NODE   := Node 20.19 or newer with npm is not here

.PHONY: pages test-pages force
ifeq ($(NODE_FITS),yes)
pages: .stamps/pages

test-pages: .stamps/npm
	cd ui && npm run check
	cd ui && npm test
else
pages:
	@echo "$(NO_NODE): building without new pages."
	@[ -f ui/dist/index.html ] || echo "The server works, but has nothing to show to browsers."

test-pages:
	@echo "$(NO_NODE): the pages cannot be tested." >&2; exit 1
endif

.stamps/npm: ui/package-lock.json $(if $(wildcard ui/node_modules/.package-lock.json),,force)
	cd ui && npm ci
	@mkdir -p .stamps && touch $@

# With the folders, so that a deleted file counts too.
PAGES := $(shell find ui/src ui/public) $(wildcard ui/*.html ui/*.ts ui/*.cjs ui/*.mjs ui/package.json)

.stamps/pages: .stamps/npm $(PAGES) $(if $(wildcard ui/dist/index.html),,force)
	cd ui && npm run build
	@mkdir -p .stamps && touch $@
