# Each target sets up what it needs: `make compare` works in a fresh clone.
PYTHON ?= python3
VENV := .venv
READY := $(VENV)/ready
RUN := $(VENV)/bin

.PHONY: compare test lint parity bench readme stubs clean

compare: $(READY)  ## train one recipe in PyTorch and in JAX, and compare them step by step
	$(RUN)/lossopt compare configs/digits_classification.yaml

test: $(READY)  ## every test and every docstring example
	OMP_NUM_THREADS=1 $(RUN)/pytest -q -n 2 --dist worksteal

lint: $(READY)  ## ruff (with who may import whom) and pyright
	$(RUN)/ruff check .
	$(RUN)/pyright --pythonpath $(RUN)/python

parity: $(READY)  ## every definition, convention and option set against the frameworks' own code: about ten minutes
	$(RUN)/lossopt parity --all

bench: $(READY)  ## step time and memory of every executor beside the frameworks' own optimizers
	$(RUN)/lossopt bench optimizers

readme: $(READY)  ## measure the tables of the README anew
	$(RUN)/python -m lossopt.readme README.md
	$(RUN)/python tests/test_config_fuzz.py configs/README.md

stubs: $(READY)  ## the .pyi files that let editors complete each definition's arguments
	$(RUN)/python -m lossopt.stubs

# Bytecode is made when a module is first imported, which most of what is installed never is: half the time of a set-up.
$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	PIP_CONSTRAINT=constraints.txt $(RUN)/pip install --quiet --disable-pip-version-check --no-compile --editable '.[all,dev]'
	touch $@

clean:
	rm -rf $(VENV) build dist .pytest_cache .ruff_cache .hypothesis
