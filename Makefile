# Everything has its script in scripts/; this file names them. PYTHON=... chooses the interpreter.

.DEFAULT_GOAL := help
.PHONY: help run setup doctor test test-vm api-test browser-test container-test suites bench bench-ideas soak bench-neighbours fuzz lint fmt advisories lock clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## Set up what is missing, then serve on 127.0.0.1:8080 (or HOST, PORT)
	@scripts/setup --serve

setup: ## Set up what is missing: nsjail, the program, the default environment
	@scripts/setup

doctor: ## Tell what this machine lacks, and what to do
	@scripts/doctor

test: ## Set up what is missing, then run every test
	@scripts/test

test-vm: ## Run the attack table on Debian's cloud kernel, in an emulated machine (see scripts/test-vm)
	@scripts/test-vm

suites: ## Run CPython's, numpy's and pandas' own tests in cells and outside, in hours (SUITE=numpy ONLY='numpy.fft.*': a part)
	@scripts/suites

bench: ## Measure against bare forks and the cold engine, in 5 minutes (QUICK=1: one; FULL=1: and 20 000 runs)
	@scripts/bench

bench-ideas: ## Measure what each idea that makes forks cheap is worth, in 8 minutes (ONLY=huge ROUNDS=40: one of them)
	@scripts/bench --ideas

soak: ## Load a server with honest, failing and hostile scripts (DURATION=10m)
	@scripts/bench --soak

bench-neighbours: ## Measure honest runs beside hostile ones, on a server that runs at URL=...
	@bench/neighbours.py $(or $(URL),http://127.0.0.1:8080)

fuzz: ## Fuzz what reads from cells and clients, each target for SECONDS_EACH=10
	@scripts/fuzz

api-test: ## Try a server by its own description, with schemathesis
	@scripts/api-test

browser-test: ## Try the pages in a real browser, if there is one
	@scripts/browser-test

container-test: ## Build the container image and try it in every way that it may be started
	@deploy/docker/test.sh

lint: ## Check form, lints, licences and origins
	@scripts/lint

fmt: ## Format the Rust code
	@cargo fmt --all

advisories: ## Check the dependencies for known faults (needs the network)
	@scripts/lint --advisories

lock: ## Lock requirements/*.in to the newest versions, by hash
	@scripts/lock

clean: ## Delete what was built, environments included
	@cargo clean
	@rm -rf .cellblock
