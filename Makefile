# Python 3.11 (with its venv module) and PyPI are all it takes: each target installs what it needs into .venv first.

PYTHON ?= $(firstword $(shell for p in python3.11 python3; do $$p -c "" 2>/dev/null && echo $$p; done) python3.11)
VENV ?= .venv
PIP ?= $(VENV)/bin/python -m pip --disable-pip-version-check
export HOST ?= 127.0.0.1
export PORT ?= 8000
# Processes that share the tests; each may take 2 GB of memory.
WORKERS ?= 3

.DELETE_ON_ERROR:
.PHONY: run worker test quick lint bench

run: $(VENV)/product
	exec $(VENV)/bin/gunicorn --config gunicorn.conf.py "app:create_app()"

# Paints the jobs of servers that run with STYLE_WORKER=no, on this machine or another.
worker: $(VENV)/product
	exec $(VENV)/bin/python -m app worker

test: $(VENV)/development
	$(VENV)/bin/python -m pytest --numprocesses $(WORKERS) --dist worksteal

# All but what needs a browser, servers or other databases, or takes seconds.
quick: $(VENV)/development
	$(VENV)/bin/python -m pytest --numprocesses $(WORKERS) --dist worksteal -m "not slow"

lint: $(VENV)/development
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

bench: $(VENV)/development
	$(VENV)/bin/python -m bench

$(VENV)/bin/python:
	$(PYTHON) -c "import sys; sys.version_info >= (3, 11) or sys.exit('Python 3.11 or newer is needed: make PYTHON=...')"
	$(PYTHON) -m venv $(VENV)

# The stamps say that the requirements of that day are installed.
$(VENV)/product: requirements.txt | $(VENV)/bin/python
	$(PIP) install --requirement requirements.txt
	touch $@

$(VENV)/development: requirements-dev.txt requirements.txt | $(VENV)/bin/python
	$(PIP) install --requirement requirements-dev.txt
	touch $@ $(VENV)/product
