# Two commands are enough: `make run` and `make test`. Needs Python >= 3.11, make and git, nothing else.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

UV_VERSION := 0.13.9
BIN := .venv/bin
READY := .venv/.ready
PYTHON ?=
TEST_PROCESSES ?= 2
PYTEST_ARGS ?=
PACKAGES := app mobile_api qungong sms workers tests loadtests
FORMATTED := $(PACKAGES) alembic

export UV_PROJECT_ENVIRONMENT := .venv
# Where it is set, every process compiles all that it imports anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup hooks run test coverage dev demo check fmt migrate docs pages gallery faces bench faults contract backtoback tamper

help: ## this list
	@echo '群工系统'
	@sed -n 's/^\([a-z]*\):.*## \(.*\)$$/  make \1@\2/p' Makefile | while IFS=@ read -r name what; do printf '%-16s %s\n' "$$name" "$$what"; done

setup: $(READY) ## dependencies only, into .venv

hooks: $(READY) ## check each commit before it is made: ruff, typos, its subject
	@exec $(BIN)/pre-commit install

run: $(READY) ## everything, with a sample county; Ctrl-C stops it
	@exec $(BIN)/qungong serve

dev: $(READY) ## like run, restarting what changes
	@exec $(BIN)/qungong dev

demo: $(READY) ## the county's story, played through the public APIs
	@exec $(BIN)/qungong demo

test: $(READY) ## all tests, on a database and Redis of their own
	@exec $(BIN)/pytest -q -n $(TEST_PROCESSES) --dist worksteal $(PYTEST_ARGS)

coverage: $(READY) ## all tests, slower, with the branches that they take counted
	@exec $(BIN)/pytest -q -n $(TEST_PROCESSES) --dist worksteal --cov --cov-report=term:skip-covered $(PYTEST_ARGS)

check: $(READY) ## lint, types, layers, migrations, generated documents
	@echo '· ruff'; $(BIN)/ruff check .; $(BIN)/ruff format --check .
	@echo '· typos'; $(BIN)/typos
	@echo '· mypy'; $(BIN)/mypy $(wildcard $(PACKAGES))
	@echo '· import-linter'; $(BIN)/lint-imports
	@echo '· migrations'; heads=$$($(BIN)/alembic heads | wc -l); \
	  if [ "$$heads" -ne 1 ]; then echo "alembic has $$heads heads, there must be one"; exit 1; fi
	@$(BIN)/qungong throwaway bash -c '$(BIN)/alembic upgrade head && $(BIN)/alembic check'
	@echo '· documents'; $(BIN)/qungong docs --check
	@echo '· pages'; $(BIN)/qungong pages --check

fmt: $(READY) ## format and fix what can be fixed
	@$(BIN)/ruff check --fix .; $(BIN)/ruff format .

migrate: $(READY) ## bring the database to the newest migration
	@exec $(BIN)/qungong migrate

pages: $(READY) ## build the pages that people work with
	@exec $(BIN)/qungong pages

gallery: $(READY) ## a picture of every page and state, into .local/gallery
	@exec $(BIN)/pytest -q tests/pages/gallery.py

faces: $(READY) ## weight, paint, Lighthouse, interaction and random cuts of the pages; a table at the end
	@exec $(BIN)/pytest -q -s tests/pages/faces.py

docs: $(READY) ## write the generated documents
	@exec $(BIN)/qungong docs

bench: $(READY) ## measure against pgbench; takes minutes
	@exec $(BIN)/python -m loadtests.bench

faults: $(READY) ## cards and texts while everything goes wrong; takes minutes
	@exec $(BIN)/python -m tests.faults

contract: $(READY) ## what is said to Twilio against its published document; needs npm
	@exec $(BIN)/pytest -q tests/contract/contract_with_twilio.py

tamper: $(READY) ## each kind of row changed, removed, added, swapped and put back 100 times; takes about a quarter of an hour
	@TAMPER_TIMES=$${TAMPER_TIMES:-100} exec $(BIN)/pytest -q --timeout 3600 tests/tampering/test_tampering.py

backtoback: $(READY) ## 500 pairs of worlds that differ in one answer; takes about half an hour
	@exec $(BIN)/python -m tests.backtoback

# The stamp is written last: an interrupted set-up is taken up again.
$(READY): pyproject.toml uv.lock Makefile
	@fits='import sys; sys.exit(sys.version_info < (3, 11))'; \
	if ! $(BIN)/python -c "$$fits" 2>/dev/null; then \
	  found=''; \
	  for python in $(PYTHON) $(if $(PYTHON),,python3 python3.14 python3.13 python3.12 python3.11); do \
	    if "$$python" -c "$$fits" 2>/dev/null; then found=$$python; break; fi; \
	  done; \
	  if [ -z "$$found" ]; then \
	    echo '✗ 需要 Python 3.11 或更新的版本。已安装的版本可用 make PYTHON=/path/to/python3.11 指定。'; \
	    echo "✗ Python 3.11 or newer is needed; found: $$(python3 --version 2>&1 || true). Name one with: make PYTHON=/path/to/python3.11"; \
	    exit 1; \
	  fi; \
	  if ! "$$found" -c 'import venv, ensurepip' 2>/dev/null; then \
	    version=$$("$$found" -c 'import sys; print("%d.%d" % sys.version_info[:2])'); \
	    echo "✗ 缺少 venv 模块：Debian/Ubuntu 上请运行 apt install python$$version-venv"; \
	    echo "✗ $$found has no venv module: on Debian/Ubuntu run  apt install python$$version-venv"; \
	    exit 1; \
	  fi; \
	  echo "· 建立 .venv · creating .venv with $$($$found --version)"; \
	  rm -rf .venv; "$$found" -m venv .venv; \
	fi
	@if [ "$$($(BIN)/uv --version 2>/dev/null | cut -d' ' -f2)" != '$(UV_VERSION)' ]; then \
	  echo '· 安装 uv · installing uv $(UV_VERSION)'; \
	  $(BIN)/python -m pip --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip >/dev/null; \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --root-user-action=ignore uv==$(UV_VERSION); \
	fi
	@echo '· 安装依赖 · installing the locked dependencies'
	@$(BIN)/uv sync --frozen --compile-bytecode
	@touch $(READY)
