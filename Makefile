# `make` lists the targets. Longer shell lives in scripts/.
PYTHON := .venv/bin/python
STARTED_AT := $(shell date +%s)
.DEFAULT_GOAL := help
.PHONY: help setup demo-data nightly up test lint bench drill docs lock doctor clean-var

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 20

setup: ## Make .venv ready: locked packages, Java, Delta's jars (RECTHINKER_EXTRA=gpu: vLLM for GPUs)
	@scripts/setup.sh

demo-data: setup ## Fetch the demo data into var/data
	@scripts/demo_data.sh

nightly: demo-data ## One night on the demo data, through Airflow; trains a first model if there is none
	@$(PYTHON) scripts/nightly.py $(STARTED_AT)

up: setup ## Airflow with a scheduler, and MLflow's page, on 127.0.0.1 until Ctrl-C (docs/operating.md)
	@$(PYTHON) scripts/up.py

test: lint ## Lint, types, import contracts, then all tests, two files at a time
	@$(PYTHON) -m pytest -n 2 --dist loadfile --no-loadscope-reorder

lint: setup ## Style, types and import contracts
	@$(PYTHON) -m ruff check
	@$(PYTHON) -m ruff format --check
	@$(PYTHON) -m mypy
	@.venv/bin/lint-imports --no-logo

bench: setup ## Measure the pipeline on generated data, into var/bench/latest.json (BENCH=small: minutes)
	@$(PYTHON) -m tests.benchmarks.run $(BENCH)

drill: setup ## Break the jobs of a night and of a retraining in many ways, run them again and compare (DRILL: --kills 2, --seed 3)
	@$(PYTHON) -m tests.benchmarks.drill $(DRILL)
	@$(PYTHON) -m tests.benchmarks.shard_drill $(DRILL)
	@$(PYTHON) -m tests.benchmarks.retrain_drill $(DRILL)

docs: setup ## Write the generated pages of docs/
	@$(PYTHON) -m recthinker.tables.docs

lock: ## Resolve setup.cfg into requirements/*.txt (UPGRADE=1: newest versions)
	@scripts/lock.sh

doctor: setup ## Check settings, Java, jars, disk, tables and model
	@.venv/bin/recthinker doctor

clean-var: ## Remove everything that runs have made
	rm -rf var
