# One command to run it (make run), one to check it (make test). Needs Python 3.11 or newer; uv is used when present.
SHELL := /bin/sh
VENV := .venv
PY := $(VENV)/bin/python
STAMP := $(VENV)/.requirements
BASE_PYTHON ?= python3

export TWINWEB_DATA ?= ./var
# Byte code makes every start three times as quick.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: setup run test test-embedded test-production screenshots pixels evidence lint check clean
.DEFAULT_GOAL := run

setup: $(STAMP)

$(STAMP): requirements.txt requirements-dev.txt
	@if command -v uv >/dev/null 2>&1; then \
		test -x $(PY) || uv venv --quiet --python '>=3.11' $(VENV) && \
		uv pip install --quiet --python $(PY) -r requirements-dev.txt; \
	else \
		test -x $(PY) || $(BASE_PYTHON) -m venv $(VENV) && \
		$(PY) -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt; \
	fi
	@touch $@

run: setup
	@exec $(PY) manage.py up

test: setup
	@.ci/system_packages
	@exec $(PY) tests/run_suite.py

test-embedded: setup
	@exec $(PY) tests/run_suite.py --embedded

test-production: setup
	@exec $(PY) tests/run_suite.py --production

# Every page at 390 and 1440 px, light and dark, into docs/screenshots; the README's pictures come from there.
screenshots: setup
	@$(PY) -m tests.functional.screenshots

# Ten pages in six viewports and three modes, compared by pixel with those approved (tests/functional/pixels.py).
pixels: setup
	@$(PY) -m tests.functional.pixels

# Figures on real data into docs/evidence; sets that are not here are skipped with a word.
evidence: setup
	@OMP_NUM_THREADS=1 $(PY) -m bench.evidence $(PARTS)

lint: setup
	@$(PY) -m ruff check .
	@$(PY) -m mypy twinweb recovery integrations

check: lint
	@$(PY) manage.py check --fail-level WARNING
	@$(PY) manage.py makemigrations --check --dry-run

clean:
	@rm -rf .pytest_cache .ruff_cache .mypy_cache .hypothesis
	@find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +
