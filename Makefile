# The daily chores, one command each. HILLTOP_PORT, HILLTOP_HOST and others: docs/configuration.md.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Of tests, each with a database, a web server and a Chromium of its own: two cores are full with two.
PROCESSES ?= 2
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: demo crew serve test test-quick test-ray lint format bench loop docs screenshots lock sbom clean

demo: $(VENV)/.installed  ## the demo project on real photos, web server and worker, until Ctrl-C
	@exec $(BIN)/python manage.py demo

crew: $(VENV)/.installed  ## simulated people go on in the second project of the running demo, until Ctrl-C
	@exec $(BIN)/python manage.py crew

serve: $(VENV)/.installed  ## web server and worker on what is there
	@$(BIN)/python -m config.translations
	@$(BIN)/python manage.py migrate --verbosity 0
	@exec $(BIN)/python manage.py serve

test: $(VENV)/.installed  ## every test but the cluster's, on a PostgreSQL that they start themselves
	$(BIN)/python -m config.translations
	$(BIN)/python -m pytest -q -r s -n $(PROCESSES) --dist worksteal --durations=30 --durations-min=5

test-quick: $(VENV)/.installed  ## in two minutes: what concerns the files changed since main, and everything fast
	$(BIN)/python -m config.translations
	$(BIN)/python -m pytest -q -r s -n $(PROCESSES) --dist worksteal --quick

test-ray: $(VENV)/.installed  ## mass work in a cluster of this machine, whose processes are killed
	$(BIN)/python -m pytest -q -r s -m ray tests/learning/test_on_ray.py

lint: $(VENV)/.installed  ## formatting of code and templates, types, and which room may import which
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/djangofmt check templates
	$(BIN)/djangofmt --check templates
	@! LC_ALL=C.UTF-8 grep -rnE '.{161,}' templates  # no line of a template over 160 characters
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.installed  ## brings code and templates into the form that lint asks for
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/djangofmt check --fix templates
	$(BIN)/djangofmt templates

bench: $(VENV)/.installed  ## all benchmarks, quickly, into benchmarks/results/latest.json
	$(BIN)/python -m benchmarks

loop: $(VENV)/.installed  ## simulated people label and retrain through the API of the running demo (or of an own one)
	$(BIN)/python -m benchmarks.loop --url auto $(LOOP)

docs: $(VENV)/.installed  ## the docs as a site in var/site, with the reference of this version; fails on a broken link
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet
	@echo "var/site is ready for any web server; here: $(BIN)/python -m http.server --directory var/site"

screenshots: $(VENV)/.installed  ## the pictures of the docs, of made-up photos, by a Hilltop of their own
	$(BIN)/python -m tests.browser.screenshots

lock: $(VENV)/.installed  ## newest versions that pyproject.toml allows; names, versions and hashes only
	$(PIP) install uv
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-header --no-annotate --upgrade --extra demo --extra dev --extra gpu --extra ray pyproject.toml -o requirements.lock

sbom: $(VENV)/.installed  ## licences of all that the lock brings, and var/sbom.cdx.json; fails on unknown ones and the AGPL
	@$(BIN)/python -m config.components

clean:  ## everything that can be made again; the data in var/ stays
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -not -path './$(VENV)/*' -prune -exec rm -rf {} +

# The stamp holds the lock's hash, so a touched but unchanged lock (a fresh checkout) installs nothing.
$(VENV)/.installed: requirements.lock
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@wanted=$$(sha256sum requirements.lock | cut -d' ' -f1); \
	if [ "$$(cat $@ 2>/dev/null)" != "$$wanted" ]; then \
		echo "Installing the locked dependencies (about 5 GB with torch; 1 to 2 minutes) …"; \
		$(PIP) install --no-deps --require-hashes --no-warn-script-location --root-user-action ignore \
			-r requirements.lock && echo "$$wanted" > $@; \
	else touch $@; fi
