"""API keys on a running server: refused without, changed with no restart."""

import openai
import pytest

from .conftest import KEY, MODEL, Server, command_line

HELLO = {
    "model": MODEL,
    "messages": [{"role": "user", "content": "Hello"}],
    "temperature": 0,
    "extra_body": {"chat_template_kwargs": {"enable_thinking": False}},
}


def test_a_wrong_key_is_refused(server: Server):
    with pytest.raises(openai.AuthenticationError) as refusal:
        server.client("sk-wrong").chat.completions.create(**HELLO)
    assert refusal.value.code == "invalid_api_key"
    assert refusal.value.type == "authentication_error"
    assert "sk-wrong" not in str(refusal.value)


@pytest.mark.parametrize("path", ["/v1/models", "/v1/chat/completions", "/docs", "/openapi.json"])
def test_nothing_is_open_without_a_key(server: Server, path):
    assert server.send(path, headers={"authorization": ""}, json={}).status_code == 401


def test_keys_are_rotated_with_no_restart(server: Server):
    before = server.keys_file.read_text()
    carol = server.client("sk-test-carol-31c0")
    with pytest.raises(openai.AuthenticationError):
        carol.chat.completions.create(**HELLO)
    try:
        server.keys_file.write_text("carol: sk-test-carol-31c0\n")
        assert carol.chat.completions.create(**HELLO).choices[0].message.content
        with pytest.raises(openai.AuthenticationError):
            server.client().chat.completions.create(**HELLO)

        server.keys_file.unlink()
        with pytest.raises(openai.AuthenticationError, match="no API keys yet") as refusal:
            carol.chat.completions.create(**HELLO)
        assert str(server.keys_file) in str(refusal.value)  # it says where it looks for keys
    finally:
        server.keys_file.write_text(before)
    assert server.client(KEY).chat.completions.create(**HELLO).choices[0].message.content


def test_no_key_is_in_a_log_or_an_argument(server: Server):
    """Even of a request that fails; the keys of the file and those that clients send."""
    server.send(json={"model": MODEL, "messages": "wrong"})
    with pytest.raises(openai.AuthenticationError):
        server.client("sk-wrong-9c1f").models.list()
    (folder,) = server.run.folders()
    written = [file.read_text(errors="replace") for file in folder.rglob("*") if file.is_file()]
    written += [server.run.output.read_text(), *map(command_line, server.run.processes())]
    assert any("ServeReplica" in text for text in written)  # the logs are there
    assert not [text for text in written if KEY in text or "sk-wrong-9c1f" in text]
