# `make refresh` and `make test` work in a fresh clone; docs/commands.md lists the other targets.
.PHONY: refresh test test-slow marathon demo ui check golden lock wheels clean
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

# Every version and its hash stand in one lock file; it constrains what an extra or a group adds (`make lock`).
INSTALL := $(PIP) --compile-bytecode -c requirements.lock -r pyproject.toml

# Packages that the program needs.
.venv/.runtime: requirements.lock pyproject.toml | $(filter .uv/bin/uv,$(UV))
	$(UV) venv -q --allow-existing .venv
	$(INSTALL)
	$(PIP) --no-deps -e .
	touch $@

# The same, with tests and linters.
.venv/.dev: .venv/.runtime
	$(INSTALL) --group dev
	touch $@

# With Dagster's storage on PostgreSQL (docs/deploy.md), or with workers on several machines and one catalog
# (docs/several_centres.md).
.venv/.postgres .venv/.several: .venv/.%: .venv/.runtime
	$(INSTALL) --extra $*
	touch $@

data/drop/sts_imrt: | .venv/.runtime
	.venv/bin/sarcoma demo --into $@

demo: data/drop/sts_imrt

refresh: .venv/.runtime | $(if $(filter sts_imrt,$(STUDY)),data/drop/sts_imrt)
	.venv/bin/sarcoma refresh --study $(STUDY)

# Everything that a change to a domain folder can break, in minutes. Its frames have a few rows: a thread is
# enough for each of the two processes, and hands nothing over. The slow tests use the threads of a refresh.
test: .venv/.dev
	POLARS_MAX_THREADS=1 $(PYTEST) -m "not slow and not marathon"

# The rest: refreshes anew, servers, browsers, broken disks and killed processes.
test-slow: .venv/.dev
	$(PYTEST) -m "slow and not marathon"

# Hours, by hand: hundreds of kills, ten thousand mutated files, nights under the daemon.
marathon: .venv/.dev
	.venv/bin/python -m pytest -m marathon -s

ui: .venv/.runtime
	umask 027; .venv/bin/dagster dev -w workspace.yaml

check: .venv/.dev
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/pyright

# R's golden values (needs r-base-core, r-cran-survival, r-cran-cmprsk, r-cran-rms, r-cran-mice and r-cran-mitml); Firth's take minutes.
golden:
	set -e; for script in $(filter-out %/sets.R,$(wildcard tests/golden/*.R)); do Rscript --vanilla $$script; done

lock: | $(filter .uv/bin/uv,$(UV))
	$(UV) pip compile pyproject.toml --extra postgres --extra several --group dev --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q -o requirements.lock

# The program's wheel and the demo's (docs/deploy.md).
wheels: | $(filter .uv/bin/uv,$(UV))
	$(UV) build -q --wheel -o dist .
	$(UV) build -q --wheel -o dist deploy/synthetic

clean:
	rm -rf data/drop/sts_imrt data/warehouse data/published
