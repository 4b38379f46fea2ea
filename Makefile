# Everything a contributor needs; `make help` lists it. Only Go and Git are
# required. A C compiler, where there is one, adds the race detector.

SHELL := /bin/bash

# The binary that is shipped has no cgo (it runs on any Linux, without a C
# library), no symbol table and no paths of the machine that built it.
BUILD := CGO_ENABLED=0 go build -trimpath -ldflags '-s -w'

# The race detector needs cgo, hence a C compiler.
CC_FOUND := $(shell command -v $(firstword $(shell go env CC)) 2>/dev/null)
# It watches all Go code but SQLite's engine, which is C translated to Go: watched
# too, the tests take six times as long, and what it does with its memory is no
# concern of ours.
RACE := $(if $(CC_FOUND),-race -gcflags=modernc.org/...=-race=false)

# Where the tests' scratch files are.
SCRATCH = $(shell scripts/scratch.sh)

# How long each fuzz target runs: a number of inputs (20000x), or a time (30s).
FUZZTIME ?= 20000x

# What cross checks for.
SYSTEMS ?= darwin windows

.PHONY: build man install test torture lint cross fmt fuzz bench demo clean help

build: ## build bin/bd and bin/bd-mcp, which bd mcp starts
	$(BUILD) -o bin/ ./cmd/...

man: ## write the manual pages to dist/man/man1
	go run ./scripts/man dist/man

install: ## install bd and bd-mcp into GOBIN
	CGO_ENABLED=0 go install -trimpath -ldflags '-s -w' ./cmd/...

# The tests come last, so that what is printed last is go test's own word.
# go vet has run by then, so go test need not run it again.
# The longest packages take ten minutes where much else uses the same two cores,
# and ten is what go test gives each.
test: lint cross fuzz ## lint, cross, a few seconds of every fuzz target, all tests
	@$(if $(RACE),true,echo 'skipping the race detector: no C compiler')
	$(if $(RACE),CGO_ENABLED=1) $(SCRATCH) go test $(RACE) -vet=off -timeout 30m ./...

torture: ## the same tests, and all others that take hours, whole; TORTURE='-only kill'
	$(SCRATCH) go run ./torture $(TORTURE)

lint: ## gofmt, go vet, staticcheck
	@scripts/gofmt.sh
	go vet ./...
	go tool staticcheck ./...

cross: ## does it compile for the systems in SYSTEMS?
	go run ./scripts/cross $(SYSTEMS)

fmt: ## format all Go files
	gofmt -w $$(git ls-files -co --exclude-standard '*.go')

fuzz: ## run every fuzz target for FUZZTIME (default 20000x)
	@scripts/fuzz.sh $(FUZZTIME)

bench: ## measure against an empty program; BENCH='-only commands' for a part, PEER=program to compare
	go run ./bench $(BENCH)

demo: build ## a tour of bd in a scratch repository
	@scripts/demo.sh bin/bd

clean: ## remove what was built
	rm -rf bin dist

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile | expand -t 12
