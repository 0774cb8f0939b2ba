"""The page in the cluster: whose key it asks with, what it reaches, and who reaches it."""

import json
from typing import Any

from .conftest import Object, manifest, pods, render, text
from .test_objects import notes

ON = {"playground": {"enabled": True}}
NAME = "hybrid-llm-playground"


def page(values: Object) -> list[Object]:
    """Return the objects of a release that the page is made of."""
    return [item for item in render(values) if item["metadata"]["name"] == NAME]


def environment(values: Object) -> dict[str, Any]:
    """Return the variables of the page's container, a reference as what it refers to."""
    (container,) = pods(render(values))[NAME]["spec"]["containers"]
    return {v["name"]: v.get("value", v.get("valueFrom")) for v in container["env"]}


def secret_entry(name: str, key: str) -> Object:
    return {"secretKeyRef": {"name": name, "key": key}}


def test_it_is_off_by_default():
    assert page({}) == []


def test_it_asks_the_release_with_a_key_out_of_its_secret():
    found = environment(ON)
    assert found["OPENAI_API_BASE_URL"] == "http://hybrid-llm-serve-svc:8000/v1"
    assert found["OPENAI_API_KEY"] == secret_entry("hybrid-llm-api-keys", "default")
    key = manifest(render(ON), "Secret", "hybrid-llm-api-keys")["data"]
    assert "default" in key
    own = {"playground": {"enabled": True, "key": "page"}, "auth": {"existingSecret": "keys"}}
    assert environment(own)["OPENAI_API_KEY"] == secret_entry("keys", "page")


def test_no_key_is_asked_for_where_there_is_none():
    assert "OPENAI_API_KEY" not in environment({**ON, "auth": {"enabled": False}})


def test_it_asks_nobody_else():
    found = environment(ON)
    assert found["OFFLINE_MODE"] == "true" and found["ANONYMIZED_TELEMETRY"] == "false"
    for name in ("ENABLE_OLLAMA_API", "ENABLE_COMMUNITY_SHARING", "ENABLE_VERSION_UPDATE_CHECK"):
        assert found[name] == "false"


def test_a_prompt_has_what_somebody_typed_and_no_more():
    """Seen of Open WebUI 0.12.4: its own tools were more than the embedded model's context."""
    found = environment(ON)
    capabilities = json.loads(found["DEFAULT_MODEL_METADATA"])["capabilities"]
    assert capabilities == {"builtin_tools": False}
    for task in ("TITLE", "TAGS", "FOLLOW_UP"):
        assert found[f"ENABLE_{task}_GENERATION"] == "false"


def test_it_keeps_the_policy_that_values_say():
    """Open WebUI would otherwise go on with what it has stored when it first started."""
    assert environment(ON)["ENABLE_PERSISTENT_CONFIG"] == "false"
    assert environment(ON)["WEBUI_AUTH"] == "true"
    open_to_all = {"playground": {"enabled": True, "accounts": False}}
    assert environment(open_to_all)["WEBUI_AUTH"] == "false"


def test_sessions_are_signed_by_a_random_key_or_by_one_that_is_named():
    (first, second) = (manifest(render(ON, *a), "Secret", NAME) for a in ((), ("--include-crds",)))
    assert first["data"]["secret_key"] != second["data"]["secret_key"]
    assert text(ON).count(manifest(render(ON), "Secret", NAME)["data"]["secret_key"]) == 1
    assert environment(ON)["WEBUI_SECRET_KEY"] == secret_entry(NAME, "secret_key")
    named = {"playground": {"enabled": True, "existingSecret": "mine"}}
    assert environment(named)["WEBUI_SECRET_KEY"] == secret_entry("mine", "secret_key")
    assert "Secret" not in [item["kind"] for item in page(named)]


def test_accounts_and_chats_are_kept_where_there_is_a_claim():
    def data(values: Object) -> Object:
        volumes = pods(render(values))[NAME]["spec"]["volumes"]
        return {volume.pop("name"): volume for volume in volumes}["data"]

    assert data(ON) == {"emptyDir": {}}
    kept = {"playground": {"enabled": True, "existingClaim": "chats"}}
    assert data(kept) == {"persistentVolumeClaim": {"claimName": "chats"}}


def test_it_reaches_the_serve_port_and_dns_alone():
    policy = manifest(page(ON), "NetworkPolicy")["spec"]
    assert policy["policyTypes"] == ["Ingress", "Egress"]
    model, dns = policy["egress"]
    assert [port["port"] for port in model["ports"]] == [8000]
    served = manifest(render(ON), "NetworkPolicy", "hybrid-llm")["spec"]["podSelector"]
    assert model["to"] == [{"podSelector": served}]
    assert {port["port"] for port in dns["ports"]} == {53}


def test_nothing_reaches_it_but_what_a_value_names():
    assert "ingress" not in manifest(page(ON), "NetworkPolicy")["spec"]
    values = {"enabled": True, "existingClaim": "chats", "clientNamespaces": ["ingress-nginx"]}
    (rule,) = manifest(page({"playground": values}), "NetworkPolicy")["spec"]["ingress"]
    assert [port["port"] for port in rule["ports"]] == [8080]
    (only,) = rule["from"]
    labels = only["namespaceSelector"]["matchLabels"]
    assert labels == {"kubernetes.io/metadata.name": "ingress-nginx"}


def test_service_and_policy_select_its_pod_and_no_other():
    labels = {name: pod["metadata"].get("labels", {}) for name, pod in pods(render(ON)).items()}
    service, policy = (manifest(page(ON), kind)["spec"] for kind in ("Service", "NetworkPolicy"))
    for selector in (service["selector"], policy["podSelector"]["matchLabels"]):
        assert [n for n, has in labels.items() if selector.items() <= has.items()] == [NAME]
    assert service["type"] == "ClusterIP"


def test_no_policy_is_made_where_none_is_wanted():
    kinds = [item["kind"] for item in page({**ON, "networkPolicy": {"enabled": False}})]
    assert sorted(kinds) == ["Deployment", "Secret", "Service"]


def test_the_notes_say_how_to_reach_it_and_who_may():
    assert "playground" not in notes()
    said = notes("--set", "playground.enabled=true,playground.url=http://localhost:9000")
    assert "port-forward service/hybrid-llm-playground 8080" in said
    assert "then http://localhost:9000" in said and "be the first" in said
    said = notes("--set", "playground.enabled=true,playground.accounts=false")
    assert "asks for no account" in said
