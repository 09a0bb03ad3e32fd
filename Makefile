# make run: opens the app.  make test: every check.  Each does all its own set-up on a machine with nothing but Python.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Address and port of the app, e.g. make run PORT=8600
ADDRESS ?= localhost
PORT ?= 8501
SPACE ?= .space

.PHONY: run test lint bench load space clean

$(VENV)/app.done: requirements.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet -r requirements.txt
	touch $@

$(VENV)/dev.done: $(VENV)/app.done requirements-dev.txt requirements-training.txt
	$(BIN)/python -m pip install --quiet -r requirements-dev.txt
	$(BIN)/python -m tests.browser.chromium
	touch $@

run: $(VENV)/app.done
	$(BIN)/python -m pages --server.address $(ADDRESS) --server.port $(PORT)

lint: $(VENV)/dev.done
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Two at a time: a browser test mostly waits, so that the other worker has the processor meanwhile.
test: lint
	$(BIN)/python -m pytest -n 2 --dist worksteal

bench: $(VENV)/dev.done
	$(BIN)/python -m tests.bench

# A class of thirty for three minutes, on this machine alone.
load: $(VENV)/dev.done
	$(BIN)/python -m tests.load

# A folder to push to a Hugging Face Space: `hf upload NAME/SPACE $(SPACE) . --repo-type space`
space:
	rm -rf $(SPACE)
	mkdir -p $(SPACE)
	cp -R Dockerfile .dockerignore requirements.txt .streamlit engine pages app.py LICENSE $(SPACE)
	find $(SPACE) -name __pycache__ -prune -exec rm -r {} +
	cp hosting/space.md $(SPACE)/README.md

clean:
	rm -rf $(VENV)
