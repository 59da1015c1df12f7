# make demo · make demo-pod · make test · make golden · make bench: each sets up what it needs in .venv, once.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
CELL := --data datasets/cell_small --category cell
MODEL := models/cell_small.safetensors
CONNECTOR := --data datasets/connector_small --category connector
CONNECTOR_MODEL := models/connector_small.safetensors

.PHONY: demo demo-pod test golden bench fuzz lock clean

demo: .venv/demo
	$(BIN)/python render/generate.py --config scenes/plate_small.yaml
	$(BIN)/python render/generate.py --config scenes/cell_small.yaml
	$(BIN)/python render/generate.py --config scenes/cell_good_small.yaml
	$(BIN)/stainless fit $(CELL) --out $(MODEL)
	$(BIN)/stainless threshold --model $(MODEL) --data datasets/cell_good_small --category cell --split test --guarantee 0.25
	$(BIN)/stainless evaluate --model $(MODEL) $(CELL) --out reports/cell_small
	$(BIN)/stainless score --model $(MODEL) datasets/cell_small/cell/test/defective --out reports/cell_small/scored --explain > /dev/null
	$(BIN)/stainless experiment --config train/experiments/sim_to_real/demo.yaml
	@echo "plates, clean and stained:  datasets/plate_small/contact_sheet.png"
	@echo "inspected plate:            reports/cell_small/scored"
	@echo "report of an experiment:    reports/sim_to_real_demo/report.html"

# Which dents a detector finds: its probability of detection against their size, one small curve.
demo-pod: .venv/demo
	$(BIN)/python render/generate.py --config scenes/cell_small.yaml
	$(BIN)/stainless fit $(CELL) --out $(MODEL)
	$(BIN)/stainless threshold --model $(MODEL) $(CELL) --split validation
	$(BIN)/stainless pod --config train/pod/small.yaml --model $(MODEL)
	@echo "curves: reports/pod_small/report.html"

# A few flat connectors, a detector that says how probable a flaw is, and its verdict on one.
demo-connector: .venv/demo
	$(BIN)/python render/generate.py --config scenes/connector_small.yaml
	$(BIN)/stainless fit $(CONNECTOR) --out $(CONNECTOR_MODEL) --size 1024
	$(BIN)/stainless threshold --model $(CONNECTOR_MODEL) $(CONNECTOR) --split validation
	$(BIN)/stainless calibrate --model $(CONNECTOR_MODEL) $(CONNECTOR) --split validation
	$(BIN)/stainless evaluate --model $(CONNECTOR_MODEL) $(CONNECTOR) --out reports/connector_small
	$(BIN)/stainless score --model $(CONNECTOR_MODEL) --out reports/connector_small/scored \
	  "$$(ls datasets/connector_small/connector/test/logical_anomalies/*.png | head -n 1)"
	@echo "connectors:                 datasets/connector_small/contact_sheet.png"
	@echo "how well it is calibrated:  reports/connector_small/reliability.svg"
	@echo "the verdict in pictures:    reports/connector_small/scored"

test: .venv/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest

# What the program did when tests/golden/record.json was written, compared with what it does now.
# After a change that is meant: .venv/bin/python tests/golden/golden.py --write
golden: .venv/dev
	$(BIN)/python tests/golden/golden.py

bench: .venv/dev
	$(BIN)/python -m render.parts.plate.benchmark
	$(BIN)/python render/generate.py --config scenes/plate.yaml --output datasets/bench --samples 16 \
	  --lights.variants '[hexagon]' --impurities.water_stain null \
	  --rendering.denoise false --rendering.samples_undenoised 2
	$(BIN)/python -m train.detectors.sequential_patchcore.benchmark --images datasets/bench/clean/train/good \
	  --pool-stride 2 --methods sequential converged greedy anomalib --steady
	$(BIN)/python -m train.detectors.sequential_patchcore.benchmark_scoring

# Readers of strangers' files, HOURS of CPU; tests/fuzzing/README.md.
HOURS ?= 24
fuzz: .venv/fuzz
	PYTHONPATH=tests $(BIN)/python -m fuzzing.loop --hours $(HOURS)

# The version of every package, for pip and uv; UPGRADE=1 takes the newest that are allowed.
lock:
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/python .ci/lock.py $(if $(UPGRADE),--upgrade)

# A stamp file says that these extras of pyproject.toml are installed.
.venv/demo: EXTRAS := render,train
.venv/dev: EXTRAS := render,train,export,dev
.venv/fuzz: EXTRAS := render,train,export,dev,fuzz
.venv/demo .venv/dev .venv/fuzz: pyproject.toml requirements.lock
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint requirements.lock --editable '.[$(EXTRAS)]'
	$(BIN)/python -c 'from stainless.errors import guarded; from render.cycles.blender import load; raise SystemExit(guarded(lambda: load() and 0, "setup"))'
	touch $@

clean:
	rm -rf .venv build *.egg-info
