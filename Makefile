# Needs python3 (3.11 or newer, with venv) and make; everything else is installed into .venv from wheels.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all:
export PIP_NO_INPUT = 1
export REDOCLY_TELEMETRY = off
export REDOCLY_SUPPRESS_UPDATE_NOTICE = true
# Biome lays out and checks the scripts of the editor and of the pages, Redocly reads the OpenAPI document. Both come by
# npm, which not every machine has.
NODE_MODULES := frontend/node_modules/.package-lock.json
NPM := $(shell command -v npm)
by_npm = $(if $(NPM),frontend/node_modules/.bin/$(1),@echo "No npm here, left out: $(1)")
OPENAPI := .venv/openapi.json

.DEFAULT_GOAL := help
.PHONY: help run serve setup check test clients ray-test lock format bench bench-scaling bench-admin bench-canvas faults postgres-matrix container-test chart-test images frontend frontend-check

help:  ## List the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST)

run: setup $(if $(LLM),.venv/llm.stamp)  ## Set up, make the demo tenant, serve, and print what to do next (LLM=1: with a small language model)
	@exec $(BIN)/python manage.py serve --demo $(if $(LLM),--llm)

serve: setup  ## Serve without demo data
	@exec $(BIN)/python manage.py serve

setup: .venv/run.stamp  ## Install what the product runs on

check: .venv/dev.stamp $(if $(NPM),$(NODE_MODULES))  ## Format, lint, types, import contracts, missing migrations, the OpenAPI document
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/hadolint Dockerfile
	$(BIN)/python manage.py check --fail-level WARNING
	$(BIN)/python manage.py makemigrations --check --dry-run
	SECRET_KEY=types DATABASE_URL=postgresql://types@localhost/types $(BIN)/mypy
	$(call by_npm,biome check --error-on-warnings)
	$(BIN)/python manage.py spectacular --validate --fail-on-warn --format openapi-json --file $(OPENAPI)
	$(call by_npm,redocly lint --extends recommended-strict $(OPENAPI))

test: .venv/dev.stamp  ## All tests: the suite, then the browser's own run
	$(BIN)/python -m pytest -n logical --dist loadfile --ignore tests/browser
	$(BIN)/python -m pytest -n logical --dist loadfile tests/browser

clients: .venv/dev.stamp .venv/clients.stamp  ## Agent frameworks call tools of theirs through a published flow
	$(BIN)/python -m pytest tests/clients

# Some 500 MB, for one example: so no lock file holds it.
ray-test: .venv/dev.stamp  ## The example on Ray Serve, called as a remote Core (fetches 500 MB)
	@test -x .venv/ray/bin/python || $(PYTHON) -m venv .venv/ray
	@.venv/ray/bin/python -m pip install --quiet --disable-pip-version-check "ray[serve]==2.60.0"
	$(BIN)/python -m pytest tests/clients/test_ray_core.py

bench: .venv/dev.stamp  ## What a call costs, beside a bare server and two peers in the same run
	$(BIN)/python -m bench

bench-scaling: .venv/dev.stamp  ## One process and three, nginx in front and PgBouncer behind (needs nginx)
	$(BIN)/python -m bench.scaling

bench-admin: .venv/dev.stamp  ## What each page of the admin takes with 2,000 users and 100,000 audit entries
	$(BIN)/python -m bench.admin

bench-canvas: .venv/dev.stamp  ## How long a flow of 200 nodes takes to be drawn, and how smoothly it is dragged (needs chromium)
	$(BIN)/python -m bench.large_canvas

faults: .venv/dev.stamp  ## Turns from two processes, processes killed in the middle of them, a database that fails
	$(BIN)/python -m bench.faults

postgres-matrix: .venv/dev.stamp  ## PostgreSQL 14 to 18: each migrates, answers a call under a limit, and takes turns (needs npm)
	$(BIN)/python -m bench.postgres_matrix

container-test: .venv/dev.stamp  ## Build the image and run it without rights (needs root and Debian's podman and buildah)
	$(BIN)/python -m bench.container

chart-test: .venv/chart.stamp  ## Lint and render the Helm chart, and hold it to the schemas of Kubernetes
	.venv/chart/bin/python -m bench.chart

images: .venv/dev.stamp  ## Make docs/images anew: every page, light and dark (needs chromium)
	$(BIN)/python -m bench.screenshots

format: .venv/dev.stamp $(if $(NPM),$(NODE_MODULES))  ## Format the code and fix what can be fixed by itself
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(call by_npm,biome check --write)

frontend: $(NODE_MODULES)  ## Build the flow editor into static/editor (needs Node 20 and npm)
	cd frontend && npm run --silent build

frontend-check: $(NODE_MODULES)  ## Types and tests of the flow editor; is the committed bundle what a build gives?
	cd frontend && npm run --silent types && npm run --silent test && npm run --silent compare

lock:  ## Compile the lock files anew (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
		--upgrade requirements.in -o requirements.lock
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
		--upgrade requirements-tracing.in -o requirements-tracing.lock
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
		--upgrade requirements-dev.in -o requirements-dev.lock
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-deps \
		--upgrade requirements-demo-llm.in -o requirements-demo-llm.lock
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
		--upgrade requirements-clients.in -o requirements-clients.lock
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
		--upgrade requirements-chart.in -o requirements-chart.lock

.venv/run.stamp: requirements.lock
	@test -x $(BIN)/python || { echo "Setting up .venv (once, about half a minute)"; $(PYTHON) -m venv .venv; }
	@$(PIP) -r requirements.lock
	@touch $@

.venv/llm.stamp: requirements-demo-llm.lock .venv/run.stamp
	@$(PIP) --no-deps -r requirements-demo-llm.lock
	@touch $@

.venv/clients.stamp: requirements-clients.lock tests/clients/javascript/package-lock.json
	@test -x .venv/clients/bin/python || $(PYTHON) -m venv .venv/clients
	@.venv/clients/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: \
		-r requirements-clients.lock
	$(if $(NPM),@cd tests/clients/javascript && npm ci --silent)
	@touch $@

.venv/chart.stamp: requirements-chart.lock
	@test -x .venv/chart/bin/python || { mkdir -p .venv && $(PYTHON) -m venv .venv/chart; }
	@.venv/chart/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: \
		-r requirements-chart.lock
	@touch $@

.venv/dev.stamp: requirements-dev.lock .venv/run.stamp
	@$(PIP) -r requirements-dev.lock
	@touch $@

$(NODE_MODULES): frontend/package-lock.json
	@cd frontend && npm ci --silent
	@touch $@
