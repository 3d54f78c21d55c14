# ha-lab: `make up` brings the demo lab up, `make test` is the gate. See README.md.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

STACK ?= demo
TIER ?=
TIERS ?=
RUN := toolchain/run
PYTEST := $(RUN) python -m pytest
SUITE := $(RUN) python -m tests.suite
LAB := $(RUN) lab

.PHONY: help setup up down preview outputs test check lint types unit golden contract test-rig test-libvirt proof \
	rig rig-down image drill bench lock

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

setup: ## bring the toolchain (Python, Pulumi, plugins); other targets do it too
	@toolchain/setup

up: setup ## bring a lab up: make up [STACK=demo]
	@$(LAB) up $(STACK)

down: setup ## remove everything a stack made: make down [STACK=demo]
	@$(LAB) down $(STACK)

preview: setup ## show what `up` would change
	@$(LAB) preview $(STACK)

outputs: setup ## where the lab answers
	@$(LAB) outputs $(STACK)

rig: setup ## ten machines without virtualisation, and the stack `rig` for them: make rig [TIERS=all]
	@toolchain/setup --quiet system-rig
	@$(LAB) rig up$(if $(TIERS), --tiers $(TIERS))

rig-down: setup ## remove the rig's machines
	@$(LAB) rig down

image: setup ## bake the golden image of the virtual machines
	@toolchain/setup --quiet system-image
	@$(RUN) python -m images qcow2

test: setup ## the gate: what CI runs
	@toolchain/setup --quiet system-test system-rig system-libvirt system-image
	@$(SUITE) gate

check: setup ## a minute or two: lint, types, unit, program and golden tests
	@toolchain/setup --quiet system-test
	@$(SUITE) gate --part lint --part types --part unit

lint: setup
	@$(RUN) ruff check .
	@$(RUN) ruff format --check .
	@git ls-files -z '*.yaml' '*.yml' | xargs -0 $(RUN) yamllint -s

types: setup
	@$(RUN) mypy .

unit: setup
	@toolchain/setup --quiet system-test
	@$(SUITE) gate --part unit

golden: setup ## rewrite the expected files of tests/golden; review the diff
	@HALAB_UPDATE_GOLDEN=1 $(PYTEST) -q tests/golden

contract: setup ## the command plugin against its contract, and the toolchain's own tests
	@toolchain/setup --quiet system-test
	@$(SUITE) gate --part contract

test-rig: setup ## the gate on namespaced machines
	@toolchain/setup --quiet system-rig system-test
	@$(SUITE) gate --part rig

test-libvirt: setup ## the gate on virtual machines
	@toolchain/setup --quiet system-libvirt system-image
	@$(SUITE) gate --part machines --part vms

# A tier at a time, and the next one whatever became of it; what was green at this commit is left out.
proof: setup ## the long suite: make proof [TIER=lb|machines|storage|database|cluster|drill]
	@toolchain/setup --quiet system-test system-rig system-libvirt system-image
	@$(SUITE) proof $(TIER)

drill: setup ## break a lab on purpose and measure: make drill [STACK=demo] [FAULT=name]
	@$(LAB) drill $(STACK) $(if $(FAULT),--fault $(FAULT),--all)

bench: setup ## measure; the results are printed as a table
	@$(RUN) python -m bench

lock: setup ## pin every dependency anew
	@$(RUN) python -m pip install -q uv
	@$(RUN) uv pip compile -q --generate-hashes --no-header --no-emit-index-url \
		--group dev pyproject.toml -o requirements.lock
