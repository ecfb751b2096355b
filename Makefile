# The two commands of the README are `make demo` and `make test`; CONTRIBUTING.md has the others.

SWIFT ?= swift
CHECKS := --explicit-target-dependency-import-check error

.PHONY: deps build demo test unit scenarios format lint clean

deps: ## What a fresh Debian or Ubuntu with Swift lacks.
	@Scripts/deps

build: deps ## The optimised binary, .build/release/belay.
	$(SWIFT) build -c release --product belay $(CHECKS)

demo: build ## The main job by itself: server, clients, every kind of end, and a table.
	@Scripts/demo

test: unit scenarios ## All tests.

unit: deps ## Tests of the code.
	$(SWIFT) test $(CHECKS)

scenarios: build ## Tests of the binary: real processes, real sockets.
	@Scenarios/run

format: ## Formats the sources in place.
	$(SWIFT) format -i -r -p Package.swift Sources Tests

lint: ## Checks the format.
	$(SWIFT) format lint --strict -r -p Package.swift Sources Tests

clean:
	rm -rf .build
