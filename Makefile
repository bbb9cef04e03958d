# `make help` lists what there is. Nothing here names a registry: pip's own settings decide.

PYTHON ?=                # an interpreter of Python 3.11; found by itself when empty
VENV   ?= .venv
JOBS   ?= 3              # test processes; one more than cores, as some wait for a browser
ARGS   ?=                # handed on: make test ARGS="-k popup", make run ARGS="--port 9000"

BIN     := $(strip $(VENV))/bin
LOCKED  := $(BIN)/pip install --quiet --quiet --disable-pip-version-check --require-hashes --find-links vendor
RUNTIME := $(strip $(VENV))/.installed-runtime
TESTING := $(strip $(VENV))/.installed-testing
WHEELS  := $(wildcard vendor/*.whl)

export PYTHONUTF8 := 1
unexport PYTHONDONTWRITEBYTECODE # else each of the tests' processes compiles every module anew

.DEFAULT_GOAL := help
.PHONY: help run setup dev test thorough drills fuzz bill advisories release check lint types layers schema packs words docs format lock screenshots bench clean
.DELETE_ON_ERROR:

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: setup ## the demo county on this machine: console address and logins are printed
	@$(BIN)/zhenxue demo $(ARGS)

setup: $(RUNTIME) ## the environment to run in, hash-locked

dev: $(TESTING) ## the environment to test in, hash-locked

test: dev ## the tests
	@$(BIN)/python -m pytest -n $(strip $(JOBS)) --dist worksteal -m "not thorough" $(ARGS)

thorough: dev ## what the tests prove, with more examples
	@ZHENXUE_TEST_THOROUGH=1 $(BIN)/python -m pytest -n $(strip $(JOBS)) --dist worksteal \
		-m "thorough or hypothesis" $(ARGS)

drills: dev ## the ground gives way under real processes: what was lost, and when it was over
	@$(BIN)/python -m tests.drills $(ARGS)

fuzz: dev ## strangers' bytes at every parser, led by coverage; ARGS="--seconds 600 imports" for more
	@$(BIN)/python -m tests.fuzz $(ARGS)

bill: dev ## build/zhenxue.cdx.json: what requirements.lock installs (CycloneDX)
	@mkdir -p build && $(BIN)/python -m tests.bill build/zhenxue.cdx.json

advisories: dev ## what is known against the locked packages: DUMP=all.zip, OSV's file
	@$(BIN)/python -m tests.advisories $(DUMP)

release: bill ## build/release: the wheel, its parts and their digests, to be signed
	@rm -rf build/release && mkdir -p build/release/vendor && cp build/zhenxue.cdx.json requirements.lock \
		requirements-cluster.lock build/release
	@cp $(WHEELS) build/release/vendor
	@$(BIN)/pip wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation -w build/release .
	@cd build/release && find . -type f ! -name SHA256SUMS | sort | xargs sha256sum > SHA256SUMS

check: lint types layers schema packs words docs ## everything that needs no run of the tests

lint: dev ## ruff: rules and format
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet . || { echo "not formatted: run make format"; exit 1; }

types: dev ## mypy
	@$(BIN)/mypy

layers: dev ## import-linter: who may import whom
	@$(BIN)/lint-imports --no-logo

schema: dev ## the migrations make the tables that the models declare
	@data=$$(mktemp -d) && trap 'rm -rf "$$data"' EXIT \
	&& export ZHENXUE_DATA_DIR="$$data" ZHENXUE_DATABASE_URL= \
	&& $(BIN)/zhenxue migrate >/dev/null && $(BIN)/alembic check

packs: dev ## the policy packs are valid and as published
	@$(BIN)/zhenxue pack check

words: dev ## the console's English catalogue holds every string
	@mkdir -p build
	@$(BIN)/pybabel --quiet extract -F app/console/babel.cfg -k say -k N_ --no-location \
		-o build/console.pot app/console
	@$(BIN)/python -c "$$WORDS_IN_CATALOGUES"

define WORDS_IN_CATALOGUES
from pathlib import Path
from babel.messages.pofile import read_po
def catalogue(path):
    return {(it.context, it.id): it.string for it in read_po(Path(path).open("rb")) if it.id}
used, wrong = catalogue("build/console.pot"), []
path = Path("app/console/locale/en/LC_MESSAGES/console.po")  # Chinese is the source
held = catalogue(path)
wrong += [f"{path}: lacks {it!r}" for it in used if it not in held]
wrong += [f"{path}: no longer used {it!r}" for it in held if it not in used]
wrong += [f"{path}: not translated {it!r}" for it in held if it in used and not held[it]]
told = wrong[:40] + ([f"... and {len(wrong) - 40} more"] if len(wrong) > 40 else [])
raise SystemExit("\n".join(told) if wrong else print(f"{len(used)} strings, all translated"))
endef
export WORDS_IN_CATALOGUES

docs: dev ## docs/settings.md names every setting with its default
	@$(BIN)/python -c "$$SETTINGS_IN_DOCS"

define SETTINGS_IN_DOCS
from pathlib import Path
from app.settings import Settings
page = Path("docs/settings.md").read_text(encoding="utf-8")
def row(name, default):
    shown = default if isinstance(default, (int, str, Path)) else default.get_secret_value()
    shown = str(shown).lower() if isinstance(default, bool) else str(shown)
    return f"| `ZHENXUE_{name.upper()}` | {f'`{shown}`' if shown else ''}"
rows = [row(name, field.default) for name, field in Settings.model_fields.items()]
missing = [it for it in rows if it not in page]
raise SystemExit("docs/settings.md lacks:\n" + "\n".join(missing) if missing else 0)
endef
export SETTINGS_IN_DOCS

format: dev ## let ruff put the source in order
	@$(BIN)/ruff check --fix --quiet . ; $(BIN)/ruff format .

# Versions stay as they are; `make lock ARGS=--upgrade` takes newer ones.
lock: build/uv/bin/uv ## write requirements*.lock from pyproject.toml
	@$< pip compile $(UV) pyproject.toml -o requirements.lock $(ARGS)
	@$< pip compile $(UV) pyproject.toml --extra cluster -c requirements.lock \
		-o requirements-cluster.lock $(ARGS)
	@$< pip compile $(UV) pyproject.toml --group dev -c requirements.lock \
		-o requirements-dev.lock $(ARGS)
UV := --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	--find-links vendor

screenshots: dev ## docs/screenshots: every page in both languages; ARGS="--county DIR" keeps the county
	@$(BIN)/python -m tests.e2e.shots docs/screenshots $(ARGS)

bench: dev ## what docs/figures.md holds; minutes
	@$(BIN)/zhenxue bench --sittings 100000
	@for it in $$(grep -l '^if __name__' benchmarks/*.py); do \
		echo "== $$it"; $(BIN)/python -m "benchmarks.$$(basename "$$it" .py)" || exit 1; \
	done

clean: ## remove the environment and caches; data/ stays
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .schemathesis \
		.import_linter_cache .coverage
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# --- environments ----------------------------------------------------------------------------------

$(RUNTIME): $(BIN)/python requirements.lock $(WHEELS) pyproject.toml
	@test -e $(TESTING) || echo "installing (hash-locked, about half a minute) ..."
	@test -e $(TESTING) || $(LOCKED) -r requirements.lock
	@$(BIN)/pip install --quiet --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(TESTING): requirements-dev.lock $(RUNTIME)
	@echo "installing what tests need ..."
	@$(LOCKED) -r requirements-dev.lock
	@touch $@

$(BIN)/python:
	@for it in $(PYTHON) python3.11 python3 python; do \
		$$it -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null \
		&& { found=$$it; break; }; \
	done; \
	test -n "$$found" || { echo "Python 3.11 is needed: install it, or say make PYTHON=/path/to/it"; \
		exit 1; }; \
	$$found -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "$$found cannot make environments: install its venv package" \
			"(Debian and Ubuntu: python3.11-venv), or use uv as the README shows"; exit 1; }; \
	$$found -m venv $(VENV)

build/uv/bin/uv: $(RUNTIME)
	@$(BIN)/python -m venv build/uv
	@build/uv/bin/pip install --quiet --quiet --disable-pip-version-check uv
