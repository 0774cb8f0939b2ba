"""The changes that a release is tried with by Helm, each as a commit that Flux carries out."""

import base64
import ssl

import httpx

from .. import envoy
from ..cases import Case
from ..kube import wait
from ..life.under_traffic import check
from ..release import Release
from ..report import Report
from .fleet import FLUX, GATEWAY, HOST, Fleet, ready

CASES = "changes"


def test_every_stage_is_ready(fleet: Fleet) -> None:
    stages = ("operator", "secrets", "gateway", "hybrid-llm")
    said = {name: ready(FLUX.get("kustomization", name)["status"]) for name in stages}
    assert [said[name]["status"] for name in stages] == ["True"] * len(stages), said
    # In this order: what needs something comes after it.
    times = [said[name]["lastTransitionTime"] for name in stages]
    assert times == sorted(times)
    assert ready(fleet.namespace.get("helmrelease", fleet.name)["status"])["status"] == "True"
    chart = fleet.namespace.get("ocirepository", fleet.name)["status"]["conditions"]
    assert ("SourceVerified", "True") in [(c["type"], c["status"]) for c in chart]


def test_no_key_is_in_the_repository(fleet: Fleet) -> None:
    for name, entry in (("hybrid-llm-api-keys", "default"), ("hf-token", "HF_TOKEN")):
        key = base64.b64decode(fleet.namespace.get("secret", name)["data"][entry]).decode()
        assert key
        assert not [f for f in fleet.repository.folder.rglob("*.yaml") if key in f.read_text()]


def test_the_gateway_leads_to_the_model(fleet: Fleet, authority: str) -> None:
    key = fleet.namespace.get("secret", "hybrid-llm-api-keys")["data"]["default"]
    trust = ssl.create_default_context(cadata=authority)
    question = {"model": fleet.model, "messages": [{"role": "user", "content": "What is 2 + 2?"}]}
    # Longer than the 15 s that Envoy gives an answer by itself.
    question |= {"stream": True, "max_tokens": 4000, "ignore_eos": True}

    def ask(url: str, host: str, **headers: str) -> tuple[int, list[str]]:
        with (
            httpx.Client(verify=trust, timeout=120) as client,
            client.stream(
                "POST",
                f"{url}/v1/chat/completions",
                json=question,
                headers={"host": host, **headers},
                extensions={"sni_hostname": HOST},
            ) as answer,
        ):
            return answer.status_code, [line for line in answer.iter_lines() if line]

    target = envoy.service(GATEWAY.name, "public")
    with envoy.NAMESPACE.port_forward(target, 443) as forwarded:
        url = forwarded.replace("http:", "https:")
        bearer = f"Bearer {base64.b64decode(key).decode()}"
        status, lines = ask(url, HOST, authorization=bearer)
        assert (status, lines[-1]) == (200, "data: [DONE]")
        assert ask(url, HOST)[0] == 401
        assert ask(url, "other.example.com", authorization=bearer)[0] == 404


def test_commit(fleet: Fleet, case: Case, report: Report) -> None:
    check(fleet, case, report)
    fleet.wait_applied(fleet.repository.git("rev-parse", "HEAD").strip())


def revert(release: Release) -> None:
    assert isinstance(release, Fleet)
    before = release.active()
    release.repository.revert()
    wait("a cluster of what was before has taken over", lambda: release.active() != before)


def test_revert(fleet: Fleet, report: Report) -> None:
    check(fleet, Case("the last commit taken back by git revert", revert), report)
    fleet.wait_applied(fleet.repository.git("rev-parse", "HEAD").strip())
