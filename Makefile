# Two commands matter: `make run` starts the console, `make test` proves it. Both set up what they need.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Sluice is many processes, each of which would compile every module again.
unexport PYTHONDONTWRITEBYTECODE
# pip asks the index whether there is a newer pip, after each list.
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help run dev shell seed reset check coverage hooks test test-processes test-sweeps access-table canaries bench bench-quick audit-dependencies test-servers test-monitoring test-guard test-kubectl test-client test-browser screenshots test-faults test-sso cluster test-cluster lint lint-types lint-use lint-style lint-imports lint-templates format lock icons messages clean

help:  ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

# Tests that start whole processes of their own, or a provider to sign in with, or walk all addresses: test-processes.
PROCESSES := tests/test_run_embedded.py tests/web/test_attacks.py tests/web/test_limits.py tests/web/test_menus.py tests/web/test_writer_of_redis.py tests/upgrade tests/test_start_checks.py tests/sandbox/test_process.py tests/access/test_many_first_admins.py tests/access/test_oidc_sessions.py tests/access/test_single_sign_on.py tests/web/test_many_streams.py
APART := tests/audit/month tests/sandbox/test_kubectl.py tests/sandbox/test_kubectl_quick.py tests/kubectl tests/web/test_effect_table.py tests/web/test_canaries.py tests/web/test_forms_of_any_service.py tests/guard tests/monitoring $(PROCESSES)
# Four workers for two cores: tests wait for a sandbox, a lease or a stream, and each worker takes 5 s of CPU to start.
QUICK := -n 4 --dist worksteal -q $(addprefix --ignore=,$(APART))
FAST := tests/knative tests/mirror tests/registry tests/cluster tests/web/test_languages.py
TEMPLATES := --target-version 5.2 $(shell find templates -name '*.html')
# Modules are compiled when they are first imported: most of what the packages hold never is.
INSTALL := $(BIN)/pip install -q --no-compile --require-hashes
PIN := $(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-strip-extras -q
PO := locale/zh_Hans/LC_MESSAGES/django.po
MO := $(PO:.po=.mo)

run: $(VENV)/.run-ready $(MO)  ## Start the console with its own Redis, database and sandbox cluster
	@$(BIN)/python -m console.run

dev: $(VENV)/.dev-ready $(MO)  ## Start it for developing: reloads, debug pages, ?profile, all logs in this terminal
	@$(BIN)/python -m console.run --dev

seed: $(VENV)/.run-ready $(MO)  ## Migrate the embedded database and create the demo users
	@$(BIN)/python -m console.run --seed

reset: $(VENV)/.run-ready  ## Remove the embedded default's data
	@$(BIN)/python -m console.run --reset

shell: $(VENV)/.run-ready $(MO)  ## A Python prompt on the embedded database, its models imported
	@[ -f "$${CONSOLE_STATE_DIR:-var}/environment.json" ] || $(BIN)/python -m console.run --seed
	@$(BIN)/python manage.py shell

check: lint $(MO)  ## Lint and the fast tests: what to run before each commit
	$(BIN)/python -m pytest -n 3 -q $(FAST)

hooks: $(VENV)/.dev-ready  ## Run the quick checks of .pre-commit-config.yaml at each commit
	$(BIN)/pre-commit install

coverage: $(VENV)/.dev-ready $(MO)  ## Run the tests of make test and print the lines covered by layer
	$(BIN)/python -m pytest $(QUICK) --cov=console --cov-report= --cov-report=json:test-artifacts/coverage.json
	$(BIN)/python -m tests.coverage_by_layer test-artifacts/coverage.json

# make test T=tests/web/test_env.py runs that alone.
test: $(VENV)/.test-ready $(MO) $(if $(T),,$(VENV)/.tests-compiled)  ## Run the tests that need nothing installed, in under three minutes (test-processes and the other targets run the rest)
	$(BIN)/python -m pytest $(if $(T),-q $(T),$(QUICK))

test-processes: $(VENV)/.test-ready $(MO)  ## Run the tests that start whole processes or walk all addresses: start-up checks, upgrades, single sign-on, attacks
	$(BIN)/python -m pytest -n 3 --dist worksteal -q $(PROCESSES)

# What is deselected runs whole in access-table.
test-sweeps: $(VENV)/.test-ready $(MO)  ## Run every sweep with all its cases (make test runs a sample of each)
	SWEEPS=whole $(BIN)/python -m pytest -n 3 --dist worksteal -q --timeout=300 -m sweep --ignore=tests/guard --ignore=tests/web/test_effect_table.py --deselect=tests/web/test_access.py::test_no_row_lets_anybody_through_by_any_method

access-table: $(VENV)/.test-ready $(MO)  ## Try every address as everybody who must not reach it, and every effect by every route; prints the figures
	SWEEPS=whole CONSOLE_LOG_LEVEL=ERROR $(BIN)/python -m pytest -q -s tests/web/test_access.py -k "by_any_method or is_in_the_table"
	SWEEPS=whole CONSOLE_LOG_LEVEL=ERROR $(BIN)/python -m pytest -q -s --timeout=900 tests/web/test_effect_table.py

canaries: $(VENV)/.test-ready $(MO)  ## Search for secret values in every page of every role and in every data store; prints the table
	SWEEPS=whole CONSOLE_LOG_LEVEL=ERROR $(BIN)/python -m pytest -n 0 -q --timeout=900 tests/web/test_canaries.py

test-servers: $(VENV)/.test-ready $(MO)  ## Run the database tests on PostgreSQL, two of each process, and docs/operations.md's commands (needs PostgreSQL's programs, sqlite3, jq)
	$(BIN)/python -m tests.postgres_server $(BIN)/python -m pytest -q tests/access tests/audit tests/operations tests/registry tests/upgrade tests/web/api/test_filters.py tests/web/api/test_rights.py tests/web/test_audit.py tests/web/test_many_streams.py tests/web/test_stream.py tests/web/test_unstorable.py tests/test_database.py
	SLUICE_ARTIFACTS=test-artifacts $(BIN)/python -m pytest -q -n 2 --dist worksteal --durations=5 tests/servers --ignore=tests/servers/test_two_of_each.py
	SLUICE_ARTIFACTS=test-artifacts $(BIN)/python -m pytest -q -s tests/servers/test_two_of_each.py

test-monitoring: $(VENV)/.test-ready $(MO)  ## Try rules and dashboard with a real Prometheus and two web servers (needs Debian's prometheus)
	SLUICE_ARTIFACTS=test-artifacts $(BIN)/python -m pytest -q tests/monitoring

test-guard: $(VENV)/.test-ready $(MO)  ## Send every form with every hard manifest, untouched and with one edit
	SWEEPS=whole $(BIN)/python -m pytest -n 3 -q --timeout=600 tests/guard tests/web/test_forms_of_any_service.py

test-kubectl: $(VENV)/.test-ready  ## Use the sandbox with kubectl (not part of make test)
	$(BIN)/python -m pytest -q tests/sandbox/test_kubectl.py tests/sandbox/test_kubectl_quick.py tests/kubectl

test-client: $(VENV)/.dev-ready $(MO)  ## Generate a typed client from the API's OpenAPI document, check a program of it with mypy --strict, and run it
	$(BIN)/python -m pytest -q tests/typed_client

test-browser: $(VENV)/.dev-ready $(MO)  ## Play the users' stories in Chromium, Firefox and WebKitGTK (.ci/run browser installs them)
	SLUICE_ARTIFACTS=test-artifacts $(BIN)/python -m pytest -q --timeout=300 --durations=5 tests/browser

screenshots: $(VENV)/.dev-ready $(MO)  ## Take pictures of every page into screenshots/, also with extreme data (LOOKS="light dark chinese 375px 320px")
	$(BIN)/python -m tests.browser.screenshots $(LOOKS)

# Two files at a time: a good part of the tests waits, for a slow admission or a locked database.
test-faults: $(VENV)/.dev-ready $(MO)  ## Kill processes and cut connections (needs PostgreSQL's programs)
	SLUICE_ARTIFACTS=test-artifacts $(BIN)/python -m pytest -n 2 --dist loadfile -q -rP --durations=5 tests/faults

test-sso: $(VENV)/.dev-ready $(MO)  ## Sign in and out with a real Keycloak (needs Java 17 and Maven; fetches 176 MB once)
	SLUICE_ARTIFACTS=test-artifacts $(BIN)/python -m pytest -q --timeout=900 --durations=5 tests/identity

cluster: $(VENV)/.dev-ready  ## Start a real Kubernetes and Knative, with pods where root is given (needs Go; compiles once)
	$(BIN)/python -m tests.real_cluster.up $(if $(filter no,$(PODS)),--no-pods)

test-cluster: $(VENV)/.dev-ready $(MO)  ## Run the contract suite and the story against real control planes, and write docs/compatibility.md (KNATIVE=1.15 runs one release)
	$(BIN)/python -m tests.contract.differences
	$(BIN)/python -m tests.real_cluster.programs
	CONTRACT_TARGET=real SLUICE_ARTIFACTS=test-artifacts $(BIN)/python -m pytest -q --junitxml=test-artifacts/contract-real.xml tests/contract
	SLUICE_ARTIFACTS=test-artifacts $(BIN)/python -m pytest -q -s --junitxml=test-artifacts/real-cluster.xml tests/real_cluster
	KNATIVE=$(or $(KNATIVE),1.15,1.23) $(BIN)/python -m pytest -q --junitxml=test-artifacts/contract-sandbox.xml tests/contract
	$(if $(KNATIVE),,$(BIN)/python -m tests.compatibility test-artifacts/contract-real.xml test-artifacts/real-cluster.xml test-artifacts/contract-sandbox.xml)

bench: $(VENV)/.dev-ready $(MO)  ## Measure everything and print one table (MINUTES=30: the open page and the churn for so long; JSON=file)
	$(BIN)/python -m tests.bench $(if $(MINUTES),--minutes $(MINUTES)) $(if $(JSON),--json $(JSON))

bench-quick: $(VENV)/.dev-ready $(MO)  ## The same in under three minutes, for a first look
	$(BIN)/python -m tests.bench --quick $(if $(JSON),--json $(JSON))

audit-dependencies: $(VENV)/.dev-ready  ## Look for known vulnerabilities of the pinned packages (prints a banner when no advisory service can be reached)
	$(BIN)/python -m tests.audit_dependencies

lint: $(VENV)/.dev-ready  ## Check style, types, templates, the direction of imports, what is declared and what is used
	@$(MAKE) --no-print-directory -j 2 -k $(if $(filter output-sync,$(.FEATURES)),-O) lint-types lint-use lint-style lint-imports lint-templates

lint-types:
	$(BIN)/mypy

lint-use:
	$(BIN)/python -m tests.dead_code
	$(BIN)/deptry .

lint-style:
	$(BIN)/ruff check console tests
	$(BIN)/ruff format --check console tests

lint-imports:
	$(BIN)/lint-imports

lint-templates:
	$(BIN)/djlint --lint templates
	$(BIN)/djade --check $(TEMPLATES)

format: $(VENV)/.dev-ready  ## Format the code and the templates
	$(BIN)/ruff format console tests
	$(BIN)/ruff check --fix console tests
	$(BIN)/djade $(TEMPLATES)

lock: $(VENV)/.dev-ready  ## Pin requirements.txt, requirements-test.txt and requirements-dev.txt from their .in files
	$(PIN) requirements.in -o requirements.txt
	$(PIN) requirements-test.in -o requirements-test.txt
	$(PIN) requirements-test.in requirements-dev.in -o requirements-dev.txt
	$(BIN)/uv pip compile --generate-hashes --no-emit-index-url --no-emit-find-links -q tests/real_cluster/go.in -o tests/real_cluster/go.txt

icons: $(VENV)/.test-ready  ## Take the icons that the sources name out of Bootstrap's, into static/icons
	$(BIN)/uv run --no-project --with fonttools==4.68.0 --with brotli==1.2.1 tests/subset_icons.py

messages: $(VENV)/.test-ready  ## Collect translatable texts (needs gettext's programs)
	CONSOLE_SECRET_KEY=messages $(BIN)/python manage.py makemessages -l zh_Hans --no-location --no-wrap -i tests -i var
	msgattrib --no-wrap --clear-obsolete --only-file=locale/allauth.pot -o $(PO) $(PO)
	msgattrib --no-wrap --no-obsolete -o $(PO) $(PO)

$(MO): $(PO) $(VENV)/.run-ready
	$(BIN)/pybabel -q compile -d locale -D django

clean:  ## Remove the environment and the embedded default's data
	rm -rf $(VENV) var

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Sluice needs Python 3.11 or newer; try make PYTHON=python3.12")'
	@echo "Making a Python environment in $(VENV) ..."
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.run-ready: requirements.txt | $(VENV)/bin/python
	@echo "Installing the packages of requirements.txt into $(VENV), once; this takes a minute or two ..."
	@$(INSTALL) -r requirements.txt
	@touch $@

$(VENV)/.test-ready: requirements-test.txt $(VENV)/.run-ready
	@echo "Installing the packages of requirements-test.txt into $(VENV), once ..."
	@$(INSTALL) -r requirements-test.txt
	@touch $@

# Otherwise each of pytest's workers compiles every module and test of a new checkout, all at the same time.
$(VENV)/.tests-compiled: | $(VENV)/.test-ready
	@for tests in tests/web "tests --ignore=tests/web"; do $(BIN)/python -m pytest --collect-only -qq $$tests >/dev/null & done; wait
	@touch $@

$(VENV)/.dev-ready: requirements-dev.txt $(VENV)/.test-ready
	@echo "Installing the packages of requirements-dev.txt into $(VENV), once ..."
	@$(INSTALL) -r requirements-dev.txt
	@touch $@
