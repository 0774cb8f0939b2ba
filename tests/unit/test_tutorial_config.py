"""`app.serve:app` and serve-configs/qwen3-32b-l40s.yaml are the tutorial's deployment."""

from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]


def test_the_tutorials_values():
    config = yaml.safe_load((ROOT / "serve-configs/qwen3-32b-l40s.yaml").read_text())
    (model,) = config["applications"][0]["args"]["llm_configs"]
    assert model["model_loading_config"] == {
        "model_id": "my-qwen-3-32b",
        "model_source": "Qwen/Qwen3-32B",
    }
    assert model["accelerator_type"] == "L40S"
    scaling = model["deployment_config"]["autoscaling_config"]
    assert (scaling["min_replicas"], scaling["max_replicas"]) == (1, 2)
    engine = model["engine_kwargs"]
    assert engine["tensor_parallel_size"] == 4
    assert engine["max_model_len"] == 32768
    assert engine["reasoning_parser"] == "qwen3"
