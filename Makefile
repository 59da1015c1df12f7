# make demo · make test · make bench: each sets up what it needs in .venv, once.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin

.PHONY: demo test bench clean

demo: .venv/render
	$(BIN)/python render/generate.py --config scenes/plate_small.yaml

test: .venv/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest

bench: .venv/dev
	$(BIN)/python -m render.benchmark

# A stamp file says that an extra of pyproject.toml is installed.
.venv/render .venv/dev: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[$(if $(filter %dev,$@),render$(comma)train$(comma)dev,render)]'
	$(BIN)/python -c 'from stainless.errors import guarded; from render.cycles.blender import load; raise SystemExit(guarded(lambda: load() and 0, "setup"))'
	touch $@

comma := ,

clean:
	rm -rf .venv build *.egg-info
