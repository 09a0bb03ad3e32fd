# Each command sets up what it needs in $(VENV), on a machine with nothing but Python 3.11 or newer.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Address and port of the app, e.g. make run PORT=8600
ADDRESS ?= localhost
PORT ?= 8501
SPACE ?= .space
# Two workers: a browser test mostly waits, and another test has the processor meanwhile.
PYTEST := $(BIN)/python -m pytest -n 2 --dist worksteal
# The browser tests have processes of their own: in one that has run thousands of other tests they take much longer.
EVERY_TEST := $(PYTEST) --ignore tests/browser; others=$$?; $(PYTEST) tests/browser && exit $$others

.DEFAULT_GOAL := help
.PHONY: help run check test-fast test test-families test-all test-real course-check bench load space words clean

help: ## This list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "make %-14s %s\n", $$1, $$2 }'

$(VENV)/app.done: requirements.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet -r requirements.txt
	touch $@

$(VENV)/endpoint.done: $(VENV)/app.done requirements-endpoint.txt
	$(BIN)/python -m pip install --quiet -r requirements-endpoint.txt
	touch $@

$(VENV)/dev.done: $(VENV)/app.done requirements-dev.txt requirements-training.txt requirements-models.txt requirements-endpoint.txt
	$(BIN)/python -m pip install --quiet -r requirements-dev.txt
	touch $@

$(VENV)/browser.done: $(VENV)/dev.done
	$(BIN)/python -m tests.browser.chromium
	touch $@

run: $(VENV)/app.done $(if $(ENDPOINT),$(VENV)/endpoint.done) ## Serve the app at http://localhost:8501 (ADDRESS=0.0.0.0 PORT=8600 to change; ENDPOINT=FILE.gguf: by llama.cpp)
	$(if $(ENDPOINT),ENGINE_ENDPOINT_GGUF="$(ENDPOINT)") $(BIN)/python -m pages --server.address $(ADDRESS) --server.port $(PORT)

check: $(VENV)/dev.done ## Style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test-fast: $(VENV)/dev.done ## The tests that need no browser and no server
	$(PYTEST) -m "not slow" --ignore tests/browser --ignore tests/host --ignore tests/load

test: check $(VENV)/browser.done ## Everything: style, types, every test, in a browser too
	$(EVERY_TEST)

test-families: $(VENV)/dev.done ## Every causal model family of transformers, tiny, compared with the engine
	$(BIN)/python -m tests.families

test-all: check $(VENV)/browser.done ## Every case of every test: those that take turns by the day in `make test` too
	export ALL_CASES=1; $(EVERY_TEST)

test-real: $(VENV)/browser.done ## Real models: numbers equal, speed as ratios; REAL="FOLDER FILE.gguf" adds more to SmolLM2
	$(BIN)/python -m tests.real $(REAL)

course-check: $(VENV)/dev.done ## What the lessons claim, measured anew; MODEL=FOLDER for another model
	$(BIN)/python -m tests.course_check $(if $(MODEL),--model $(MODEL))

bench: $(VENV)/browser.done ## Speed, as ratios of two things measured in one run
	$(BIN)/python -m tests.bench

load: $(VENV)/dev.done ## A class of thirty, twice three minutes, against a server of its own; ROOM=1: forty in a classroom
	$(BIN)/python -m tests.load $(if $(ROOM),--room)

space: ## A folder to push to a Hugging Face Space
	rm -rf $(SPACE)
	mkdir -p $(SPACE)
	cp -R Dockerfile .dockerignore requirements.txt .streamlit engine pages app.py LICENSE $(SPACE)
	find $(SPACE) -name __pycache__ -prune -exec rm -r {} +
	cp hosting/space.md $(SPACE)/README.md

words: $(VENV)/dev.done ## The Simplified Chinese texts, from the Traditional ones
	$(BIN)/python -m pages.i18n.simplified

clean: ## Remove the virtual environment
	rm -rf $(VENV)
