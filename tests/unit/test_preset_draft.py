"""`make preset`: what it reads of a model's files, what it says of it, and what it leaves to do."""

import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import huggingface_hub
import pytest
import yaml
from chart.conftest import CHART, llm_configs, refusal, render, serve_config
from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError

from app.thinking.terms import Terms
from tools.preset.__main__ import main
from tools.preset.attention import groups
from tools.preset.formats import format_of
from tools.preset.thinking import Found, look

ROOT = Path(__file__).parents[2]
CONFIGS = ROOT / "tests/chart/configs"
PRESETS = CHART / "presets/models"
# A small model of Granite's architecture, whose chat template is one of those below
CONFIG = {
    "architectures": ["GraniteForCausalLM"],
    "model_type": "granite",
    "hidden_size": 1024,
    "num_hidden_layers": 8,
    "num_attention_heads": 16,
    "num_key_value_heads": 4,
    "intermediate_size": 4096,
    "vocab_size": 32000,
    "max_position_embeddings": 32768,
    "tie_word_embeddings": False,
    "torch_dtype": "bfloat16",
}
QUESTION = "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}\n{% endfor %}<|assistant|>"
OPENS = (
    QUESTION
    + "{% if enable_thinking is defined and not enable_thinking %}</think>"
    + "{% else %}<think>\n{% endif %}"
)
OFF_BY_ITSELF = QUESTION + "{% if thinking %}<think>\n{% else %}</think>{% endif %}"
NOT_OPENED = QUESTION + "{% if enable_thinking is false %}<think>\n\n</think>\n\n{% endif %}"
BY_EFFORT = (
    QUESTION
    + "{% set effort = reasoning_effort | default('no_think') %}"
    + "{% if effort not in ['no_think', 'low', 'high'] %}{{ raise_exception('no') }}{% endif %}"
    + "{% if effort == 'no_think' %}<think></think>{% else %}effort: {{ effort }}{% endif %}"
)
WITH_EFFORTS = (
    "{% set effort = 'high' if reasoning_effort == 'high' else 'max' %}"
    + "{% if enable_thinking is not false %}Reasoning Effort: {{ effort | capitalize }}{% endif %}"
    + QUESTION
    + "{{ '<think></think>' if enable_thinking is false else '<think>' }}"
)
BY_BUDGET = (
    QUESTION
    + "{% if thinking_budget == 0 %}<seed:think>none</seed:think>{% endif %}{{ thinking_budget }}"
)
ALWAYS = QUESTION + "<think>\n"
NEVER = QUESTION
UNSURE = QUESTION + "{% if false %}<think></think>{% endif %}"


def folder(path: Path, config: dict[str, Any], template: str = "", **files: Any) -> Path:
    """Write a model's files, and return their folder."""
    path.mkdir(parents=True, exist_ok=True)
    (path / "config.json").write_text(json.dumps(config))
    if template:
        (path / "chat_template.jinja").write_text(template)
    for name, content in files.items():
        (path / f"{name}.json").write_text(json.dumps(content))
    return path


def drafted(capsys: pytest.CaptureFixture[str], *args: str) -> str:
    """Return what `make preset ... ARGS="--out -"` prints."""
    assert main([*args, "--out", "-"]) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize(
    "name",
    [
        "deepseek-v3.2",
        "glm-5.2-fp8",
        "kimi-k2.5",
        "mimo-v2-flash",
        "minimax-m2.5",
        "nvidia-nemotron-3-nano-30b-a3b-bf16",
    ],
)
def test_a_published_config_has_the_numbers_of_its_preset(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    preset = yaml.safe_load((PRESETS / f"{name}.yaml").read_text())
    args = ("--model", preset["source"], "--config", str(CONFIGS / f"{name}.json"))
    draft = yaml.safe_load(drafted(capsys, *args))
    of_the_card = {"revision", "thinking", "reasoningParser", "toolCallParser", "sampling"}
    expected = {key: preset[key] for key in preset if key not in of_the_card | {"dtype"}}
    assert {key: draft.get(key) for key in expected} == expected


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        (OPENS, ("both", "enable_thinking", True, False, True, True)),
        (OFF_BY_ITSELF, ("both", "thinking", True, False, False, True)),
        (NOT_OPENED, ("both", "enable_thinking", True, False, True, False)),
        (BY_EFFORT, ("both", "reasoning_effort", "high", "no_think", False, False)),
        (WITH_EFFORTS, ("both", "enable_thinking", True, False, True, True)),
        (BY_BUDGET, ("both", "thinking_budget", -1, 0, True, False)),
        (ALWAYS, ("always", "", None, None, True, True)),
        (NEVER, ("never", "", None, None, None, False)),
        (UNSURE, (None, "", None, None, None, False)),
    ],
)
def test_a_template_shows_what_turns_the_thinking_on_and_off(
    template: str, expected: tuple[object, ...]
) -> None:
    found = look(template)
    names = ("modes", "argument", "enabled", "disabled", "default", "opens")
    assert tuple(getattr(found, name) for name in names) == expected


def test_a_template_shows_efforts_tags_and_a_budget() -> None:
    assert look(BY_EFFORT).efforts == ("low", "high")
    assert look(WITH_EFFORTS).efforts == ("high", "max")  # it takes all others for max
    assert look(OPENS).efforts == ()
    found: Found = look(BY_BUDGET)
    assert (found.budget, found.tags) == ("thinking_budget", ("<seed:think>", "</seed:think>"))
    assert look(OPENS + "{% if clear_thinking %}{% endif %}").others == ("clear_thinking",)


@pytest.mark.parametrize(
    ("quantization", "bytes_"),
    [
        ({"quant_method": "fp8", "weight_block_size": [128, 128]}, 256 * 512 + 4 * 2 * 4),
        ({"quant_method": "fp8"}, 256 * 512 + 4),
        ({"quant_method": "mxfp4"}, 256 * 512 // 2 + 256 * 16),
        ({"quant_method": "modelopt", "quant_algo": "NVFP4"}, 256 * 512 // 2 + 256 * 32),
        ({"quant_method": "awq", "bits": 4, "group_size": 128}, 256 * 512 // 2 + 256 * 4 * 20 // 8),
    ],
)
def test_a_matrix_takes_what_its_format_does(quantization: dict[str, Any], bytes_: int) -> None:
    form = format_of(quantization)
    assert form is not None
    assert form.bytes_of((256, 512)) == bytes_
    assert form.bytes_of((3, 256, 512)) == 3 * bytes_
    assert form.quantizes("model.layers.0.self_attn.q_proj")
    assert not form.quantizes("model.layers.0.mlp.gate")


def test_a_format_that_is_not_known_has_no_bytes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    blocks = {"quant_method": "fp8", "weight_block_size": [128, 128]}
    assert format_of({**blocks, "expert_dtype": "fp4"}) is None  # DeepSeek-V4's two formats
    config = CONFIG | {"quantization_config": {"quant_method": "quark"}}
    text = drafted(capsys, "--config", str(folder(tmp_path / "m", config)))
    assert "# TODO weightBytes: quark is not known here" in text
    index = {"metadata": {"total_size": 123}}
    files = {"model.safetensors.index": index}
    text = drafted(capsys, "--config", str(folder(tmp_path / "m", config, **files)))
    assert yaml.safe_load(text)["weightBytes"] == 123


def test_layers_that_are_not_known_are_left_to_do() -> None:
    assert groups({"num_hidden_layers": 4, "linear_attn_config": {"kda_layers": [1]}}) is None
    assert groups({"num_hidden_layers": 4, "layer_types": ["chunked_attention"] * 4}) is None
    assert groups({"num_hidden_layers": 4}) == []


def test_what_nothing_says_keeps_it_from_rendering_until_it_is_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chart = shutil.copytree(CHART, tmp_path / "chart")
    out = chart / "presets/models/new-1b.yaml"
    model = folder(tmp_path / "new", CONFIG, OPENS)
    assert main(["--config", str(model), "--model", "Somebody/New-1B", "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert "left to do, at # TODO: revision, sampling\n" in said
    values = {"model": {"preset": "new-1b"}}
    assert "new-1b.yaml lacks: sampling" in refusal(values, chart=chart)
    rest = "sampling:\n  thinking: {temperature: 0.6, top_p: 0.95}\n"
    out.write_text(out.read_text() + rest + "  nonThinking: {temperature: 0.7, top_p: 0.8}\n")
    objects = render({**values, "fullnameOverride": "filled"}, chart=chart)
    assert llm_configs(objects)[0]["model_loading_config"]["model_source"] == "Somebody/New-1B"
    args = serve_config(objects)["applications"][0]["args"]
    terms = Terms.model_validate(args["reasoning"]["my-new-1b"]["native"])
    told = [terms.native.told({}, thinks, None, None) for thinks in (True, False)]
    kwargs = [fields["chat_template_kwargs"] for fields in told]
    assert kwargs == [{"enable_thinking": True}, {"enable_thinking": False}]


def test_the_sampling_is_that_of_its_generation_config(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = {"temperature": 0.7, "top_p": 0.8, "top_k": 20, "eos_token_id": 3}
    model = folder(tmp_path / "New-1B", CONFIG, ALWAYS, generation_config=said)
    draft = yaml.safe_load(drafted(capsys, "--config", str(model)))
    assert draft["sampling"] == {"thinking": {"temperature": 0.7, "top_p": 0.8, "top_k": 20}}


def test_a_folder_of_the_hubs_cache_says_its_source_and_revision(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    revision = "0123456789abcdef0123456789abcdef01234567"
    model = folder(tmp_path / f"models--Somebody--New-1B/snapshots/{revision}", CONFIG)
    draft = yaml.safe_load(drafted(capsys, "--config", str(model)))
    assert (draft["source"], draft["revision"]) == ("Somebody/New-1B", revision)


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ([], "name a model: make preset MODEL=owner/name"),
        (["--model", "new-1b"], "give owner/name"),
        (["--config", "there/is/none"], "no such file; give a model's config.json"),
        (["--config", "{model}", "--template", "none.jinja"], "TEMPLATE=none.jinja: no such file"),
        (["--config", "{broken}"], "config.json: is no JSON"),
        (["--config", "{loops}"], "can't be rendered"),
    ],
)
def test_a_mistake_is_one_line_with_the_way_out(
    args: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    places = {
        "{model}": folder(tmp_path / "model", CONFIG),
        "{loops}": folder(tmp_path / "loops", CONFIG, "{% for %}"),
        "{broken}": folder(tmp_path / "broken", CONFIG),
    }
    (places["{broken}"] / "config.json").write_text("{")
    assert main([str(places.get(arg, arg)) for arg in args]) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: ") and said in error
    assert error.count("\n") == 1


def test_a_file_that_is_there_is_not_written_over(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "mine.yaml"
    out.write_text("mine")
    args = ["--config", str(folder(tmp_path / "model", CONFIG)), "--out", str(out)]
    assert main(args) == 1
    assert "ARGS=--force" in capsys.readouterr().err
    assert out.read_text() == "mine"
    assert main([*args, "--force"]) == 0
    assert yaml.safe_load(out.read_text())["layers"] == 8


def test_without_a_hub_it_says_which_files_to_bring(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def unreachable(*_: object, **__: object) -> None:
        raise ConnectionError("no route")

    monkeypatch.setattr(huggingface_hub.HfApi, "model_info", unreachable)
    assert main(["--model", "Somebody/New-1B"]) == 1
    error = capsys.readouterr().err
    assert "the hub can't be reached" in error
    assert "make preset MODEL=Somebody/New-1B CONFIG=folder" in error


def test_the_hub_says_the_revision_of_what_was_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The hub is a folder here: no test reaches the real one."""
    revision = "0123456789abcdef0123456789abcdef01234567"
    hub = folder(tmp_path / "hub", CONFIG, OPENS)

    def download(source: str, name: str, revision: str) -> str:
        if not (hub / name).exists():
            raise EntryNotFoundError(f"{source} {revision} has no {name}")
        return str(hub / name)

    found = SimpleNamespace(sha=revision)
    monkeypatch.setattr(huggingface_hub.HfApi, "model_info", lambda *_, **__: found)
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", download)
    draft = yaml.safe_load(drafted(capsys, "--model", "Somebody/New-1B"))
    assert (draft["source"], draft["revision"]) == ("Somebody/New-1B", revision)
    assert draft["thinking"]["opens"] is True


def test_a_gated_model_is_told_how_it_is_read(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def gated(*_: object, **__: object) -> None:
        request = httpx.Request("GET", "https://huggingface.co")
        raise HfHubHTTPError("no", response=httpx.Response(403, request=request))

    found = SimpleNamespace(sha="1")
    monkeypatch.setattr(huggingface_hub.HfApi, "model_info", lambda *_, **__: found)
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", gated)
    assert main(["--model", "Somebody/New-1B"]) == 1
    error = capsys.readouterr().err
    assert "the hub answers 403; log in, or set HF_TOKEN" in error
    assert error.count("\n") == 1
