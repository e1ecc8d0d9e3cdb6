# SPDX-License-Identifier: Apache-2.0
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.PHONY: demo test test-slow lint sample-model clean

demo: $(INSTALLED)
	$(BIN)/python -m scripts.optimize --output_dir=runs/demo --overwrite

# Tests of one file share what they make, so they stay in one process.
test: $(INSTALLED)
	$(BIN)/python -m pytest --numprocesses=auto --dist=loadfile

test-slow: $(INSTALLED)
	$(BIN)/python -m pytest -m slow

lint: $(INSTALLED)
	$(BIN)/python -m pip install --quiet --editable '.[lint]'
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

sample-model: $(INSTALLED)
	$(BIN)/python -m scripts.train --model=sample_cnn --dataset=digits \
		--epochs=60 --batch_size=32 \
		--output_model=models/sample_model.h5 --overwrite

# The package, too: notebooks and examples are in folders of their own.
$(INSTALLED): requirements.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

clean:
	rm -rf $(VENV) build runs .pytest_cache .ruff_cache .mypy_cache .hypothesis
