# What can be done here. `make` alone lists the targets.

PREFIX ?= /usr/local
DESTDIR ?=
SWIFT ?= swift

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
MAKEFLAGS += --no-print-directory

release := .build/release
# What --version says; a build without git, as from an archive, does not know.
export SWOCI_COMMIT ?= $(shell commit=$$(git rev-parse --verify HEAD 2>/dev/null) && { git diff --quiet HEAD || commit=$$commit-dirty; echo $$commit; })
sources := Sources Tests conformance Package.swift
# Containers and their tests need root.
sudo := $(shell [ "$$(id -u)" = 0 ] || echo sudo)

.PHONY: help setup toolchain build debug demo test test-vm engines bench unit conformance lint format link-order install uninstall clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

setup: toolchain ## install what is missing of the libraries and programs needed (apt-get)
	@scripts/setup

toolchain:
	@command -v $(SWIFT) >/dev/null || { echo 'swoci: no "$(SWIFT)" on PATH; a Swift 6.3 toolchain is needed, see https://www.swift.org/install/linux' >&2; exit 1; }

build: toolchain ## build the release: .build/release/swoci and swoci-init
	$(SWIFT) build -c release --product swoci
	$(SWIFT) build -c release --product swoci-init

debug: toolchain ## build everything for debugging
	$(SWIFT) build

demo: setup build ## show a container's life: create, start, state, kill, delete (needs root)
	@scripts/demo

test: setup build unit conformance ## run the unit tests, then the conformance cases against the release (needs root)

test-vm: toolchain ## run the scripts of conformance/vm in a virtual machine, against the release that is built (ONLY=NAMES: these)
	@scripts/setup vm
	$(SWIFT) build --product conformance
	conformance/vm/test $(ONLY)

engines: toolchain ## run the scenarios in which real engines drive the release that is built (RUNTIME=PATH: another runtime, ONLY=TEXT: these)
	@scripts/setup engines
	$(SWIFT) build --product conformance
	$(sudo) $(if $(RUNTIME),env RUNTIME=$(RUNTIME)) .build/debug/conformance engines $(if $(ONLY),--filter "$(ONLY)")

bench: toolchain ## measure podman, docker and exec with the release that is built, crun and runc in turn (RUNTIMES=PATHS: others, ROUNDS=N)
	@scripts/setup engines
	@command -v crun >/dev/null || { echo 'swoci: install crun too, to measure beside it' >&2; exit 1; }
	$(SWIFT) build --product conformance
	$(sudo) .build/debug/conformance bench $(if $(ROUNDS),--rounds $(ROUNDS)) $(RUNTIMES)

# One process for each target: tests that clone processes of their own want the others' threads out of the way.
unit: toolchain ## run the unit tests only
	$(SWIFT) build --build-tests
	for tests in Outlined Spec Plan Linux DBus Cgroups Runtime Init; do $(SWIFT) test --skip-build --no-parallel --filter "^$${tests}Tests\."; done

conformance: toolchain ## run the conformance cases only, against the release that is built (RUNTIME=PATH: another runtime)
	$(SWIFT) build --product conformance
	$(sudo) $(if $(RUNTIME),env RUNTIME=$(RUNTIME)) .build/debug/conformance

lint: toolchain ## check the sources' form
	$(SWIFT) format lint --strict -r --configuration .swift-format $(sources)

format: toolchain ## bring the sources into form
	$(SWIFT) format -i -r --configuration .swift-format $(sources)

link-order: toolchain ## build the release, and write down anew in which order its functions are linked (needs root and gdb)
	@scripts/link-order

install: ## install the release that is built below PREFIX (/usr/local), in DESTDIR
	@test -x $(release)/swoci -a -x $(release)/swoci-init || { echo 'swoci: run "make build" first' >&2; exit 1; }
	install -D -m 755 $(release)/swoci $(DESTDIR)$(PREFIX)/bin/swoci
	install -D -m 755 $(release)/swoci-init $(DESTDIR)$(PREFIX)/libexec/swoci/swoci-init
	install -d $(DESTDIR)$(PREFIX)/share/bash-completion/completions $(DESTDIR)$(PREFIX)/share/zsh/site-functions $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d
	$(release)/swoci completion bash >$(DESTDIR)$(PREFIX)/share/bash-completion/completions/swoci
	$(release)/swoci completion zsh >$(DESTDIR)$(PREFIX)/share/zsh/site-functions/_swoci
	$(release)/swoci completion fish >$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/swoci.fish
	install -D -m 644 share/containers/containers.conf.d/swoci.conf $(DESTDIR)$(PREFIX)/share/containers/containers.conf.d/swoci.conf
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/doc/swoci README.md LICENSE share/docker/daemon.json

uninstall: ## remove what install put there
	rm -f $(DESTDIR)$(PREFIX)/bin/swoci $(DESTDIR)$(PREFIX)/libexec/swoci/swoci-init
	rm -f $(addprefix $(DESTDIR)$(PREFIX)/share/,bash-completion/completions/swoci zsh/site-functions/_swoci fish/vendor_completions.d/swoci.fish)
	rm -f $(DESTDIR)$(PREFIX)/share/containers/containers.conf.d/swoci.conf
	rm -f $(addprefix $(DESTDIR)$(PREFIX)/share/doc/swoci/,README.md LICENSE daemon.json)
	-rmdir --ignore-fail-on-non-empty $(DESTDIR)$(PREFIX)/libexec/swoci $(DESTDIR)$(PREFIX)/share/doc/swoci

clean: ## remove what was built, and the root filesystem of the bundles
	rm -rf .build bundles/rootfs
