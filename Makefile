# Two commands do all: `make demo` runs the embedded study, `make test` passes the tests.
# Both first do what `make install` does alone: put what requirements.lock pins into .venv
# (Python 3.11 or later, a package index).

# Bytecode is written and reused: without it every job imports several times slower.
unexport PYTHONDONTWRITEBYTECODE
PYTHON ?= python3
BIN := .venv/bin

.PHONY: install demo test test-slurm lint format lock zoo clean

install: .venv/complete

demo: .venv/complete
	$(BIN)/snakemake --logger rich

# Everything but what needs a cluster; one worker has all tests of a group.
test: .venv/complete
	$(BIN)/pytest --numprocesses 2 --dist loadgroup -m "not slurm"

# A real SLURM on this machine, from Debian's packages (root); no service is started or kept.
test-slurm: .venv/complete
	-$(BIN)/python tests/slurm/install.py
	$(BIN)/pytest -m slurm

lint: .venv/complete
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile workflow/rules
	$(BIN)/mypy
	$(BIN)/snakemake --lint

format: .venv/complete
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/snakefmt Snakefile workflow/rules

# Train the small networks of the embedded study anew (they are shipped in resources/zoo).
zoo: .venv/complete
	$(BIN)/python -m cortiscope.training --output resources/zoo

# Pin the newest versions that requirements.in admits.
lock: .venv/complete
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--excludes requirements.exclude \
		--custom-compile-command "make lock" --upgrade --quiet requirements.in -o requirements.lock

clean:
	rm -rf .venv .snakemake results logs
	find resources -mindepth 1 -maxdepth 1 ! -name zoo -exec rm -rf {} +

.venv/complete: requirements.lock
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet "$$(sed -n 's/^\(uv==[^ ]*\).*/\1/p' requirements.lock)"
	$(BIN)/uv pip install --python $(BIN)/python --require-hashes --no-deps --compile-bytecode \
		-r requirements.lock
	touch $@
