# What one can do here: `make` alone prints the list.

PYTHON ?= python3
BIN = .venv/bin

help:
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' Makefile

tangle: ## make the programs in build/ from microgpt.md (needs Python alone)
	$(PYTHON) tangle.py

run: tangle ## ... and train the program on the book's names
	$(PYTHON) build/microgpt.py

serve: .venv ## read and write the website at http://127.0.0.1:8000
	$(BIN)/mkdocs serve

site: .venv ## build the website into site/
	$(BIN)/mkdocs build --strict

terms: site ## every link of a term with its sentence, for a person to read
	$(BIN)/python tests/term_links.py site

quantities: site ## every name of a quantity with its line, for a person to read
	$(BIN)/python tests/quantity_marks.py site

test: .venv ## all tests but the slow ones, about 8 minutes on two cores
	$(BIN)/pytest

test-fast: .venv ## the tests that need no browser and no long training, 3 minutes
	$(BIN)/pytest -m "not slow and not browser"

test-labs: .venv ## the tests of the labs
	$(BIN)/pytest tests/labs

slow: .venv ## what takes long: the published run, kills, other Pythons, every page
	$(BIN)/pytest -m slow

fuzz: .venv ## search with new random examples; what is found becomes an example
	$(BIN)/pytest -m hypothesis --hypothesis-profile fuzz

conformance: .venv ## check our programs as ports, and mutants that must be found
	$(BIN)/python -m conformance.prove

lint: .venv ## format and lint the code and the book's programs, run the sessions
	$(BIN)/ruff format .
	$(BIN)/ruff check .
	$(BIN)/python tangle.py lint
	$(BIN)/python tangle.py verify

experiments: .venv ## run what is missing of the runs behind the tables and figures
	$(BIN)/python -m experiments.run
	$(BIN)/python -m experiments.tables
	$(BIN)/python -m experiments.figures

bench: .venv tangle ## measure the program, the tangler and the labs side by side
	$(BIN)/python experiments/speed/engine.py
	$(BIN)/python -m experiments.speed.ideas
	$(BIN)/python -m experiments.speed.memory
	$(BIN)/python experiments/speed/tangling.py
	$(BIN)/python experiments/speed/labs.py

engines: .venv tangle ## measure the engines, train the larger model (needs the extra scale)
	$(BIN)/torchrun --standalone --nproc-per-node 2 -m experiments.speed.engines
	$(BIN)/python -m experiments.larger
	$(BIN)/python -m experiments.tables
	$(BIN)/python -m experiments.figures

.venv: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet -e '.[dev]'
	touch .venv

.PHONY: help tangle run serve site terms quantities test test-fast test-labs slow fuzz \
	conformance lint experiments bench engines
