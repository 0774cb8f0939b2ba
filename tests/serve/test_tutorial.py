"""`serve run app.serve:app` means what `serve run serve_qwen_3_32b:app` means in the tutorial."""

import os
import subprocess
import sys

from .conftest import ROOT

# Building needs a Ray, which it starts; running needs the GPUs, so this ends before that.
PROGRAM = """
import ray
ray.init(address="local", include_dashboard=False, logging_level="error")
from ray.serve._private.api import call_user_app_builder_with_args_if_necessary
from ray._common.utils import import_attr
app = call_user_app_builder_with_args_if_necessary(import_attr("app.serve:app"), {})
ingress = app._bound_deployment
(server,) = ingress.init_kwargs["llm_deployments"].values()
bound = server._bound_deployment
(config,) = [*bound.init_args, *bound.init_kwargs.values()]
print(type(app).__name__, ingress.name, config.model_id, config.accelerator_type)
"""


def test_the_tutorials_application_is_built():
    finished = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=ROOT,
        env={**os.environ, "HF_HUB_OFFLINE": "1", "RAY_USAGE_STATS_ENABLED": "0"},
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert finished.returncode == 0, finished.stderr[-2000:]
    assert finished.stdout.splitlines()[-1] == "Application OpenAiIngress my-qwen-3-32b L40S"
