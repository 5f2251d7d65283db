# `make refresh` and `make test` work in a fresh clone; docs/commands.md lists the other targets.
.PHONY: refresh test test-slow marathon demo ui check golden lock clean
STUDY ?= sts_imrt
UV := $(shell command -v uv 2>/dev/null || echo .uv/bin/uv)
PIP := $(UV) pip install -q --python .venv/bin/python
PYTEST := .venv/bin/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder --durations 12
export DAGSTER_HOME := $(CURDIR)/dagster_home
# What a process imports is compiled once and kept, whatever the shell says: every process of a test run or a
# night would do it again, which takes longer than many a test.
unexport PYTHONDONTWRITEBYTECODE

.uv/bin/uv:
	python3 -m venv .uv && .uv/bin/pip install -q uv

# Packages that the program needs.
.venv/.runtime: requirements.lock pyproject.toml | $(filter .uv/bin/uv,$(UV))
	$(UV) venv -q --allow-existing .venv
	$(PIP) --compile-bytecode --require-hashes -r requirements.lock
	$(PIP) --no-deps -e .
	touch $@

# The same, with tests and linters.
.venv/.dev: .venv/.runtime requirements-dev.lock
	$(PIP) --compile-bytecode --require-hashes -r requirements-dev.lock
	touch $@

# With Dagster's storage on PostgreSQL (docs/deploy.md).
.venv/.postgres: .venv/.runtime requirements-postgres.lock
	$(PIP) --compile-bytecode --require-hashes -r requirements-postgres.lock
	touch $@

# With workers on several machines and one catalog (docs/several_centres.md).
.venv/.several: .venv/.runtime requirements-several.lock
	$(PIP) --compile-bytecode --require-hashes -r requirements-several.lock
	touch $@

data/drop/sts_imrt: | .venv/.runtime
	.venv/bin/sarcoma demo --into $@

demo: data/drop/sts_imrt

refresh: .venv/.runtime | $(if $(filter sts_imrt,$(STUDY)),data/drop/sts_imrt)
	.venv/bin/sarcoma refresh --study $(STUDY)

# Everything that a change to a domain folder can break, in minutes.
test: .venv/.dev
	$(PYTEST) -m "not slow and not marathon"

# The rest: refreshes anew, servers, browsers, broken disks and killed processes.
test-slow: .venv/.dev
	$(PYTEST) -m "slow and not marathon"

# Hours, by hand: hundreds of kills, ten thousand mutated files, nights under the daemon.
marathon: .venv/.dev
	.venv/bin/python -m pytest -m marathon -s

ui: .venv/.runtime
	.venv/bin/dagster dev -w workspace.yaml

check: .venv/.dev
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/pyright

# R's golden values (needs r-base-core and r-cran-survival); Firth's take minutes.
golden:
	set -e; for script in $(filter-out %/sets.R,$(wildcard tests/golden/*.R)); do Rscript --vanilla $$script; done

lock:
	$(UV) pip compile pyproject.toml --generate-hashes --no-emit-index-url --no-header --python-version 3.11 -q -o requirements.lock
	$(UV) pip compile pyproject.toml --extra postgres -c requirements.lock --generate-hashes --no-emit-index-url --no-header --python-version 3.11 -q -o requirements-postgres.lock
	$(UV) pip compile pyproject.toml --extra several -c requirements.lock --generate-hashes --no-emit-index-url --no-header --python-version 3.11 -q -o requirements-several.lock
	$(UV) pip compile pyproject.toml --group dev -c requirements.lock --generate-hashes --no-emit-index-url --no-header --python-version 3.11 -q -o requirements-dev.lock

clean:
	rm -rf data/drop/sts_imrt data/warehouse data/published
