# What a person wants, one word each:   make demo · make test · make check · make bench · make soak
PYTHON ?= python3
PORT   ?= 8000
BIN    := .venv/bin

.PHONY: demo test check style types arrows phone bench soak lock tidy

demo: .venv/.installed pwa/dist/.built  ## a believable school to try, at http://localhost:8000
	@$(BIN)/lanyard demo --port $(PORT)

test: .venv/.tools pwa/node_modules/.installed pwa/dist/.built  ## everything that must hold; ends with pytest's own summary
	@sh tests/machine.sh
	@$(MAKE) -kj2 -O --no-print-directory check; checked=$$?; \
	 $(BIN)/pytest -q -n 3 --dist worksteal -m "not soak"; tested=$$?; \
	 exit $$((checked + tested))

check: style types arrows phone  ## style, types, import arrows; the phone's own tests

style: .venv/.tools
	$(BIN)/ruff check -q .
	$(BIN)/ruff format -q --check .
types: .venv/.tools
	$(BIN)/mypy
arrows: .venv/.tools
	$(BIN)/lint-imports
phone: pwa/node_modules/.installed
	sh pwa/node.sh npm --prefix pwa run --silent check
	sh pwa/node.sh npm --prefix pwa run --silent test

bench: .venv/.tools pwa/dist/.built  ## what is measured, side by side
	@$(BIN)/python -m bench

soak: export SEED := $(or $(SEED),$(shell date +%s))
soak: .venv/.tools pwa/dist/.built  ## the long ones, hours of them, with chances of their own: `make soak SEED=…` takes the same again
	@sh tests/machine.sh
	@echo "SEED=$$SEED"
	@EVERY_STEP=1 sh pwa/node.sh npm --prefix pwa run --silent test -- crashes
	@RUNS=5000 sh pwa/node.sh npm --prefix pwa run --silent test -- chaos overlay names hpke --testTimeout 7200000
	@$(BIN)/pytest -q -n 2 --dist worksteal -m "soak or hypothesis" --hypothesis-seed=$$SEED -rP

lock:  ## write the lock files again from pyproject.toml
	$(BIN)/uv pip compile -q pyproject.toml $(LOCKED) --extra install -o requirements.lock
	$(BIN)/uv pip compile -q pyproject.toml $(LOCKED) --extra install --extra dev -c requirements.lock -o requirements-dev.lock
	$(BIN)/uv pip compile -q $(LOCKED) --group node -o requirements-node.lock
LOCKED := --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header

tidy:
	$(BIN)/ruff check -q --fix . && $(BIN)/ruff format -q .

# ── What the above stand on ────────────────────────────────────────────────────────────────

.venv/.installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' || \
	 { echo "Lanyard needs Python 3.11 or newer with its venv module. Point at one: make demo PYTHON=/path/to/python3"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/pip install -q --no-compile --require-hashes -r requirements.lock
	$(BIN)/pip install -q --no-deps --no-build-isolation -e .
	@touch $@

.venv/.tools: .venv/.installed requirements-dev.lock
	$(BIN)/pip install -q --no-compile --require-hashes -r requirements-dev.lock
	@touch $@

pwa/node_modules/.installed: pwa/package-lock.json | .venv/.installed
	sh pwa/node.sh npm --prefix pwa ci --silent --ignore-scripts
	@touch $@

pwa/dist/.built: pwa/node_modules/.installed $(shell find pwa -type f -not -path '*/node_modules/*' -not -path '*/dist/*' 2>/dev/null)
	sh pwa/node.sh npm --prefix pwa run --silent build
	@touch $@
