# The two commands of the README are `make demo` and `make test`; CONTRIBUTING.md has the others.

SWIFT ?= swift
CHECKS := --explicit-target-dependency-import-check error
# Tests check exclusive access to memory at run time; the binary that they passed does not, a twentieth of its time.
OPTIMISED := -Xswiftc -enforce-exclusivity=unchecked
FORMATTED := Package.swift Sources Tests Simulations/Package.swift Simulations/Sources \
	Benchmarks/Package.swift Benchmarks/Sources Fuzzing/Package.swift Fuzzing/Sources/Fuzz/Fuzz.swift

# How long to look for more.
FOR ?= 60s
# Which folder of Fuzzing/Corpus to begin with, which is also the name of what is tried.
TARGET ?= lines

.PHONY: deps build demo test unit scenarios endurance faults faultlab simulations soak mutations scale bench \
	bench-deps fuzz sanitize format lint clean

deps: ## What a fresh Debian or Ubuntu with Swift lacks.
	@Scripts/deps

build: deps ## The optimised binary, .build/release/belay.
	$(SWIFT) build -c release --product belay $(CHECKS) $(OPTIMISED)

demo: build ## The main job by itself: server, clients, every kind of end, and a table.
	@Scripts/demo

test: unit scenarios faults ## All tests.

unit: deps ## Tests of the code.
	@Scripts/mutations --check
	$(SWIFT) test $(CHECKS)

scenarios: build ## Tests of the binary: real processes, real sockets.
	@Scenarios/run

endurance: build ## Churn and faults of every kind beside 10,000 connections, for half an hour; MINUTES=3 for less.
	@Scenarios/run endurance

faults: build ## The quick part of the fault laboratory, about a minute; skipped without root and network namespaces.
	@FaultLab/run --quick

faultlab: build ## Every fault 20 times, made for real, in twelve minutes; writes docs/faults.md.
	@FaultLab/run --report docs/faults.md

simulations: deps ## How well detectors do: the figure and the tables of docs/DetectorQuality.md, in some minutes.
	$(SWIFT) build -c release --package-path Simulations --product detectors $(CHECKS)
	Simulations/.build/release/detectors figure --svg docs/figures/mistake-recurrence.svg --markdown docs/DetectorQuality.md
	Simulations/.build/release/detectors compare --markdown docs/DetectorQuality.md

scale: deps ## What millions of connections cost one loop: the table of docs/scale.md, in three or four minutes and 5 GB.
	$(SWIFT) build -c release --package-path Simulations --product scale $(CHECKS)
	Simulations/.build/release/scale --markdown docs/scale.md

bench: deps ## Speed beside that of others, in some 30 minutes; `make bench ARGS=quick` in some 5, `ARGS=--list` what there is.
	@Benchmarks/run $(ARGS)

bench-deps: ## What the benchmarks can do without, but then leave something out: Go, valgrind.
	@Scripts/deps bench

fuzz: deps ## Looks for inputs that break a parser: FOR=60s TARGET=lines, or another folder of Fuzzing/Corpus.
	@Scripts/fuzz "$(TARGET)" "$(FOR)"

# Two builds of everything: some quarter of an hour on two cores each.
sanitize: deps ## Tests of the code under the thread sanitizer, then under the address sanitizer.
	@Scripts/sanitize thread address

soak: deps ## Random scenarios with an oracle, for FOR=60s; SEED=42 plays one again and shows it.
	$(SWIFT) build -c release --package-path Simulations --product soak $(CHECKS)
	Simulations/.build/release/soak $(if $(SEED),--seed $(SEED),--for $(FOR))

mutations: deps ## Deliberate faults, one at a time, and who notices them: docs/mutations.md, in half an hour.
	Scripts/mutations --markdown docs/mutations.md

format: ## Formats the sources in place.
	$(SWIFT) format -i -r -p $(FORMATTED)

lint: ## Checks the format.
	$(SWIFT) format lint --strict -r -p $(FORMATTED)

clean:
	rm -rf .build Simulations/.build Benchmarks/.build Fuzzing/.build
