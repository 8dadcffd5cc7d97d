# KartraMail: `make run` tries it out, `make test` checks it all.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
FLASK := $(BIN)/flask --app app.py

.PHONY: run install test lint bench chaos

run: $(VENV)/installed
	ALLOW_SPECIAL_USE_DOMAINS=$${ALLOW_SPECIAL_USE_DOMAINS-1} \
		exec $(BIN)/python app.py

install: $(VENV)/installed-test

test: $(VENV)/installed-test
	$(BIN)/python -m tests.browser.install
	$(BIN)/python -m tests.interop.install
	$(BIN)/python -m pytest -n 2 --dist loadfile

lint: $(VENV)/installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/djlint templates --lint --quiet

bench: $(VENV)/installed-test
	$(BIN)/python -m tests.benchmarks.install
	$(BIN)/python -m tests.benchmarks

chaos: $(VENV)/installed-test
	$(BIN)/python -m tests.chaos --messages 20000 --kills 40

$(VENV)/installed: requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	touch $@

$(VENV)/installed-test: requirements.txt requirements-test.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-test.txt
	touch $(VENV)/installed $@
