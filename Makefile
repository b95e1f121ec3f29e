# Two commands: `make demo` and `make test`. Both make .venv first, once. `make docs` builds the documentation.
PYTHON ?= python3
VENV ?= .venv
CORES ?= all
PROCESSES ?= 2
BIN := $(abspath $(VENV))/bin
ifneq ($(shell test -w "$$HOME" && echo yes),yes)  # as in a container with --user: Snakemake and numba need a cache folder
export XDG_CACHE_HOME ?= $(abspath .cache)
endif

.PHONY: demo test test-all mutants lint docs bench clean

# MASKS=sam-tiny: a tiny SAM 2 with random weights makes the masks, which shows the way and no quality
ifeq ($(MASKS),sam-tiny)
SAM := results/models/sam2_tiny
DEMO := --config 'masks={source: sam, model: $(SAM)}'
endif

demo: $(VENV)/.installed $(if $(SAM),$(VENV)/.installed-sam)  ## run every stage on the embedded demo; MASKS=sam-tiny: with SAM 2
	$(if $(SAM),$(BIN)/python -m wsss_stages.commands.tiny_models sam2 $(SAM))
	PATH="$(BIN):$$PATH" snakemake --cores $(CORES) $(DEMO)
	PATH="$(BIN):$$PATH" snakemake --report report.html $(DEMO)
	@$(BIN)/python -m wsss_stages.stages.summary --results results/scenes

# a file's tests stay in one process, in the order of tests/conftest.py: what they share is made once
PYTEST = PATH="$(BIN):$$PATH" OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n $(PROCESSES) --dist loadfile --no-loadscope-reorder

test: $(VENV)/.installed-dev  ## run the tests that take no more than minutes together
	$(PYTEST) -m "not slow"

# SKIP=miniature leaves out the tests of that mark
test-all: $(VENV)/.installed-dev  ## run all tests: killed runs, SLURM, whole workflows, a million images, fuzzed folders
	$(PYTEST) $(if $(SKIP),-m "not $(SKIP)")

mutants: $(VENV)/.installed-dev  ## put twenty small faults into a copy, one after the other; fails where the tests notice one of them not
	OMP_NUM_THREADS=1 $(BIN)/python tests/mutants.py

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check . && $(BIN)/ruff format --check .
	$(BIN)/pyright --pythonpath $(BIN)/python
	PATH="$(BIN):$$PATH" snakefmt --check Snakefile workflow
	PATH="$(BIN):$$PATH" snakemake --lint

docs: $(VENV)/.installed-docs  ## build the documentation into site/, offline; warnings are errors
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet
	@echo "open site/index.html"

RUN ?= scenes

bench: $(VENV)/.installed-dev  ## measure against named peers; fails where a goal is missed; RUN: a finished run, whose box road is one line
	$(BIN)/python bench/attention.py; a=$$?; $(BIN)/python bench/crf.py; b=$$?; $(BIN)/python bench/propagate.py; c=$$?; \
	$(BIN)/python bench/pipeline.py benchmarks/$(RUN) results/$(RUN)/index.json; exit $$((a | b | c))

$(VENV)/.installed: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing about 6 GB, mostly torch: minutes without output"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[dev]"
	@if command -v g++ >/dev/null; then $(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[crf]" \
		|| echo "pydensecrf2 did not build: its parity tests will be skipped"; \
	else echo "no C++ compiler: the parity tests against pydensecrf will be skipped"; fi
	touch $@

$(VENV)/.installed-sam: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[sam]"
	touch $@

$(VENV)/.installed-docs: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[docs]"
	touch $@

clean:
	rm -rf results logs benchmarks report.html site .snakemake
