"""Who is let in, with which keys, and that no key is ever told."""

import logging
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from asgi_client import (
    CHAT,
    JSON,
    Message,
    Response,
    Scope,
    answer,
    ask,
    http,
    run,
    untouched,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from app.asgi import Receive, Send
from app.edge.auth import BearerAuth, parse_keys
from app.scope import key_of

KEYS = "alice: sk-alice-1\nbob: sk-bob-22"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting but a test's own."""
    for name in ("AUTH", "API_KEYS_FILE", "API_KEYS_DIR", "API_KEYS_SECRET", "API_KEYS"):
        monkeypatch.delenv(f"HYBRID_LLM_{name}", raising=False)


@pytest.fixture(autouse=True)
def no_key_is_told(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """In no test may a key be in the log or in a response."""
    caplog.set_level(logging.DEBUG)
    TOLD.clear()
    yield
    records = [f"{record.getMessage()} {record.exc_info}" for record in caplog.get_records("call")]
    assert [text for text in [*records, *TOLD] if "sk-" in text] == []


TOLD: list[str] = []  # the responses of a test

ok = answer(200, b'{"answer":"ok"}')


@pytest.fixture
def in_environment(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], BearerAuth]:
    """Return a maker of middleware with these keys in the environment."""

    def make(keys: str) -> BearerAuth:
        monkeypatch.setenv("HYBRID_LLM_API_KEYS", keys)
        return BearerAuth(ok)

    return make


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place for a file of keys, with no file yet."""
    path = tmp_path / "api-keys"
    monkeypatch.setenv("HYBRID_LLM_API_KEYS_FILE", str(path))
    return path


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place for a folder of keys, with no folder yet."""
    path = tmp_path / "api-keys.d"
    monkeypatch.setenv("HYBRID_LLM_API_KEYS_DIR", str(path))
    return path


def knock(app: BearerAuth, *authorization: bytes | str, scope: Scope | None = None) -> Response:
    """Send a request with these authorization headers."""
    scope = scope or http()
    for value in authorization:
        value = value.encode() if isinstance(value, str) else value
        scope["headers"].append((b"Authorization", value))
    response = ask(app, scope)
    TOLD.append(f"{response.headers} {response.body!r}")
    return response


def opens(app: BearerAuth, key: str) -> bool:
    response = knock(app, f"Bearer {key}")
    assert response.status in (200, 401)
    return response.status == 200


# What a request bears


@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        pytest.param(["Bearer sk-alice-1"], 200, id="right"),
        pytest.param(["Bearer sk-bob-22"], 200, id="another's"),
        pytest.param(["bearer sk-alice-1"], 200, id="scheme in small letters"),
        pytest.param(["BEARER sk-alice-1"], 200, id="scheme in capitals"),
        pytest.param(["Bearer   sk-alice-1  "], 200, id="spaces around"),
        pytest.param([], 401, id="none"),
        pytest.param([""], 401, id="empty"),
        pytest.param(["Bearer"], 401, id="scheme alone"),
        pytest.param(["Bearer "], 401, id="empty key"),
        pytest.param(["Bearer  "], 401, id="blank key"),
        pytest.param(["sk-alice-1"], 401, id="no scheme"),
        pytest.param(["Basic sk-alice-1"], 401, id="Basic"),
        pytest.param(["Bearer:sk-alice-1"], 401, id="colon"),
        pytest.param(["Bearer sk-alice-"], 401, id="too short"),
        pytest.param(["Bearer sk-alice-11"], 401, id="too long"),
        pytest.param(["Bearer SK-ALICE-1"], 401, id="other case"),
        pytest.param(["Bearer alice"], 401, id="name"),
        pytest.param(["Bearer alice: sk-alice-1"], 401, id="whole line"),
        pytest.param(["Bearer sk-alice-1 sk-bob-22"], 401, id="both keys"),
        pytest.param(["Bearer sk-alice-1, Bearer sk-bob-22"], 401, id="joined headers"),
        pytest.param([b"Bearer \xff\xfe\x00sk-alice-1"], 401, id="not ASCII"),
        pytest.param(["Bearer sk-älice-1"], 401, id="umlaut"),
        pytest.param(["Bearer " + "sk-alice-1" * 100_000], 401, id="a megabyte"),
        pytest.param(["Bearer sk-alice-1", "Bearer wrong"], 200, id="the first counts, right"),
        pytest.param(["Bearer wrong", "Bearer sk-alice-1"], 401, id="the first counts, wrong"),
        pytest.param(["", "Bearer sk-alice-1"], 401, id="the first counts, empty"),
    ],
)
def test_only_a_bearer_of_a_key_gets_in(
    authorization: list[bytes | str],
    status: int,
    in_environment: Callable[[str], BearerAuth],
) -> None:
    response = knock(in_environment(KEYS), *authorization)
    assert response.status == status
    if status == 401:
        assert response.error["code"] == "invalid_api_key"
        assert response.error["type"] == "authentication_error"
        assert response.header("www-authenticate") == "Bearer"
        assert "Bearer" in response.error["message"]


@pytest.mark.parametrize(
    ("authorization", "key", "status"),
    [
        (None, "sk-alice-1", 200),
        (None, " sk-alice-1 ", 200),
        (None, "wrong", 401),
        (None, "", 401),
        ("Basic eA==", "sk-alice-1", 200),
        ("Bearer wrong", "sk-alice-1", 401),
        ("Bearer sk-alice-1", "wrong", 200),
    ],
)
def test_a_key_may_come_as_anthropics_clients_send_it(
    in_environment: Callable[[str], BearerAuth], authorization: str | None, key: str, status: int
) -> None:
    scope = http()
    scope["headers"].append((b"X-Api-Key", key.encode()))
    given = [] if authorization is None else [authorization]
    assert knock(in_environment("alice: sk-alice-1"), *given, scope=scope).status == status


def test_the_layers_behind_know_whose_key_it_is(
    in_environment: Callable[[str], BearerAuth],
) -> None:
    app = in_environment("alice: sk-alice-1\nbob: sk-bob-22")
    seen: list[str | None] = []

    async def behind(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(key_of(scope))
        await ok(scope, receive, send)

    app.app = behind
    knock(app, "Bearer sk-bob-22")
    assert seen == ["bob"]


@given(authorization=st.binary(max_size=30))
@settings(max_examples=100, deadline=None)
def test_no_other_bytes_get_in(authorization: bytes) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HYBRID_LLM_API_KEYS", KEYS)
        app = BearerAuth(ok)
    for value in (authorization, b"Bearer " + authorization):
        expected = 200 if value in (b"Bearer sk-alice-1", b"Bearer sk-bob-22") else 401
        assert knock(app, value).status == expected


def test_a_key_need_not_be_ascii(in_environment: Callable[[str], BearerAuth]) -> None:
    assert opens(in_environment("zoë: schlüssel ☃"), "schlüssel ☃")


def test_a_key_may_hold_colons_and_hashes(in_environment: Callable[[str], BearerAuth]) -> None:
    assert opens(in_environment("zoe: a:b#c d"), "a:b#c d")


# What needs no key


@pytest.mark.parametrize(
    ("scope", "status"),
    [
        (http("GET", "/health", []), 200),
        (http("HEAD", "/health", []), 200),
        (http("GET", "/health/", []), 401),
        (http("GET", "//health", []), 401),
        (http("GET", "/v1/health", []), 401),
        (http("GET", "/metrics", []), 401),
        (http("GET", "/docs", []), 401),
        (http("GET", "/v1/models", []), 401),
        (http("GET", "/livez", []), 200),
        (http("GET", "/readyz", []), 200),
        ({**http("GET", "/llm/readyz", []), "root_path": "/llm"}, 200),
        (http("GET", "/llm/readyz", []), 401),
        (http("POST", "/health", []), 401),
        (http("OPTIONS", "/health", []), 401),
        (http("OPTIONS", CHAT, [(b"origin", b"https://a.example")]), 401),
        (http("OPTIONS", CHAT, []), 401),
        (http("POST", CHAT, [JSON, (b"origin", b"https://a.example")]), 401),
        (http("GET", CHAT, [(b"access-control-request-method", b"POST")]), 401),
    ],
    ids=lambda value: f"{value['method']} {value['path']}" if isinstance(value, dict) else None,
)
def test_health_alone_is_open(
    scope: Scope, status: int, in_environment: Callable[[str], BearerAuth]
) -> None:
    head = scope["method"] == "HEAD"
    app = in_environment(KEYS)
    app.app = answer(200, b"" if head else b"{}")
    assert knock(app, scope=scope).status == status


def test_a_refusal_of_head_has_no_body(in_environment: Callable[[str], BearerAuth]) -> None:
    response = knock(in_environment(KEYS), scope=http("HEAD", "/v1/models", []))
    assert (response.status, response.body) == (401, b"")


def test_lifespan_passes(in_environment: Callable[[str], BearerAuth]) -> None:
    calls: list[Scope] = []
    app = in_environment(KEYS)
    app.app = untouched(calls)
    ask(app, {"type": "lifespan"}, whole=False)
    assert calls == [{"type": "lifespan"}]


@pytest.mark.parametrize("path", ["/v1/realtime", "/health"])
@pytest.mark.parametrize("key", ["sk-alice-1", "wrong"])
def test_a_websocket_needs_a_key_too(
    key: str, path: str, in_environment: Callable[[str], BearerAuth]
) -> None:
    calls: list[Scope] = []
    sent: list[Message] = []
    received: list[Message] = [{"type": "websocket.connect"}]
    app = in_environment(KEYS)
    app.app = untouched(calls)

    async def receive() -> Message:
        return received.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [(b"authorization", b"Bearer " + key.encode())]
    run(app({"type": "websocket", "path": path, "headers": headers}, receive, send))
    if key == "wrong":
        [close] = sent
        assert (close["type"], close["code"], calls) == ("websocket.close", 1008, [])
    else:
        assert (len(calls), sent) == (1, [])


# When keys are needed


@pytest.mark.parametrize("required", [True, False], ids=["required", "not required"])
@pytest.mark.parametrize("keys", ["none", "empty", "file", "folder", "variable", "blank variable"])
@pytest.mark.parametrize("switch", [None, "", "on", "ON", "off", "Off"])
def test_when_keys_are_needed(
    switch: str | None,
    keys: str,
    required: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The switch decides; without it keys are needed where any place for them is configured."""
    if switch is not None:
        monkeypatch.setenv("HYBRID_LLM_AUTH", switch)
    if keys == "file":  # which need not exist yet
        monkeypatch.setenv("HYBRID_LLM_API_KEYS_FILE", str(tmp_path / "missing"))
    if keys == "folder":
        monkeypatch.setenv("HYBRID_LLM_API_KEYS_DIR", str(tmp_path / "missing"))
    if keys == "empty":
        monkeypatch.setenv("HYBRID_LLM_API_KEYS_FILE", "")
        monkeypatch.setenv("HYBRID_LLM_API_KEYS_DIR", "")
        monkeypatch.setenv("HYBRID_LLM_API_KEYS", "")
    if "variable" in keys:
        monkeypatch.setenv("HYBRID_LLM_API_KEYS", KEYS if keys == "variable" else " \n")
    configured = keys not in ("none", "empty")
    needed = switch.lower() == "on" if switch else configured or required
    assert knock(BearerAuth(ok, required=required)).status == (401 if needed else 200)


@pytest.mark.parametrize("required", [True, False], ids=["required", "not required"])
@pytest.mark.parametrize("switch", ["true", "0", "yes", " ", "on!", "sk-in-the-wrong-place"])
def test_another_word_for_the_switch_stops_the_start(
    switch: str, required: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HYBRID_LLM_AUTH", switch)
    with pytest.raises(ValueError, match="HYBRID_LLM_AUTH must be on or off") as failure:
        BearerAuth(ok, required=required)
    assert "sk-" not in str(failure.value)


def test_keys_are_required_by_default() -> None:
    """As when vLLM loads the middleware, which gives it no arguments."""
    assert knock(BearerAuth(ok)).status == 401


def test_without_keys_the_refusal_says_where_they_are_expected(file: Path) -> None:
    response = knock(BearerAuth(ok), "Bearer sk-any")
    assert response.status == 401
    for word in (str(file), "HYBRID_LLM_API_KEYS_FILE", "name: key"):
        assert word in response.error["message"]


def test_without_a_place_for_keys_the_refusal_names_the_variables() -> None:
    message = knock(BearerAuth(ok), "Bearer sk-any").error["message"]
    for name in ("DIR, ", "FILE or "):
        assert f"$HYBRID_LLM_API_KEYS_{name}" in message
    assert "$HYBRID_LLM_API_KEYS;" in message


def test_with_keys_the_refusal_says_nothing_of_the_place(file: Path) -> None:
    file.write_text(KEYS)
    assert str(file) not in knock(BearerAuth(ok), "Bearer sk-any").error["message"]


def test_a_path_that_is_no_text_does_not_break_the_refusal(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HYBRID_LLM_API_KEYS_FILE", os.fsdecode(bytes(tmp_path / "k") + b"\xff"))
    assert knock(BearerAuth(ok), "Bearer sk-any").error["code"] == "invalid_api_key"


# Lines of keys


@pytest.mark.parametrize("place", ["file", "variable"])
@pytest.mark.parametrize(
    ("text", "good", "bad"),
    [
        pytest.param("a: sk-a\n", ["sk-a"], ["", "a"], id="one"),
        pytest.param("a: sk-a", ["sk-a"], [], id="no newline at the end"),
        pytest.param("a: sk-a\r\nb: sk-b\r\n", ["sk-a", "sk-b"], [], id="CRLF"),
        pytest.param("\n\n a :  sk-a  \n\t\n", ["sk-a"], [], id="blank lines and spaces"),
        pytest.param("# c: sk-c\n  # d: sk-d\na: sk-a", ["sk-a"], ["sk-c", "sk-d"], id="comments"),
        pytest.param("sk-a\nb: sk-b", ["sk-b"], ["sk-a"], id="no name"),
        pytest.param(": sk-a\nb: sk-b", ["sk-b"], ["sk-a"], id="empty name"),
        pytest.param("a:\nb: \nc: sk-c", ["sk-c"], ["", "a", "b"], id="empty key"),
        pytest.param("a=sk-a\nb: sk-b", ["sk-b"], ["sk-a", "a=sk-a"], id="other separator"),
        pytest.param("a:sk-a", ["sk-a"], [], id="no space"),
        pytest.param("a: sk-a\na: sk-b", ["sk-a", "sk-b"], [], id="one name twice, to rotate"),
        pytest.param("a: sk-a\nb: sk-a", ["sk-a"], [], id="one key twice"),
        pytest.param("\ufeff# c: sk-c\na: sk-a", ["sk-a"], ["sk-c"], id="byte order mark"),
        pytest.param("# nothing", [], ["", "nothing"], id="comment alone"),
    ],
)
def test_lines_of_keys(
    text: str,
    good: list[str],
    bad: list[str],
    place: str,
    file: Path,
    in_environment: Callable[[str], BearerAuth],
) -> None:
    if place == "file":
        file.write_text(text, newline="")
        app = BearerAuth(ok)
    else:
        app = in_environment(text.removeprefix("\ufeff"))
    assert [key for key in good if not opens(app, key)] == []
    assert [key for key in bad if opens(app, key)] == []


def test_a_line_left_out_is_logged_by_its_number(
    file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file.write_text("a: sk-a\n\nsk-forgotten-name\n")
    assert opens(BearerAuth(ok), "sk-a")
    [record] = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert f"{file}, line 3" in record.getMessage()


@given(st.lists(st.text(max_size=12), max_size=5))
@settings(max_examples=100, deadline=None)
def test_any_lines_give_names_and_keys_or_nothing(lines: list[str]) -> None:
    for name, key in parse_keys(lines, "test"):
        assert name and key and name == name.strip() and key == key.strip()
        assert not name.startswith("#")


# A file that changes while the server runs


def test_a_file_that_is_created_later_counts_at_once(file: Path) -> None:
    app = BearerAuth(ok)
    assert not opens(app, "sk-alice-1")
    file.write_text(KEYS)
    assert opens(app, "sk-alice-1")


def test_an_added_key_and_a_removed_one_count_at_once(file: Path) -> None:
    app = BearerAuth(ok)
    file.write_text("a: sk-a\n")
    assert opens(app, "sk-a") and not opens(app, "sk-b")
    file.write_text("a: sk-a\nb: sk-b\n")
    assert opens(app, "sk-a") and opens(app, "sk-b")
    file.write_text("b: sk-b\n")
    assert not opens(app, "sk-a") and opens(app, "sk-b")


def test_a_change_that_keeps_size_and_times_counts_at_once(file: Path) -> None:
    app = BearerAuth(ok)
    file.write_text("a: sk-a")
    times = file.stat()
    assert opens(app, "sk-a")
    file.write_text("a: sk-b")
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert file.stat().st_ino == times.st_ino and file.stat().st_mtime_ns == times.st_mtime_ns
    assert opens(app, "sk-b") and not opens(app, "sk-a")


def test_changes_within_a_tick_of_the_clock_count_at_once(file: Path) -> None:
    app = BearerAuth(ok)
    for number in range(100, 200):
        file.write_text(f"a: sk-{number}")
        assert opens(app, f"sk-{number}") and not opens(app, f"sk-{number - 1}")


def test_a_secret_swapped_as_kubernetes_does_counts_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A volume has `keys -> ..data/keys` and `..data -> ..TIME`, of which the last is renamed."""
    for version in ("1", "2"):
        (tmp_path / f"..{version}").mkdir()
        (tmp_path / f"..{version}" / "keys").write_text(f"a: sk-{version}")
    (tmp_path / "..data").symlink_to("..1")
    (tmp_path / "keys").symlink_to("..data/keys")
    monkeypatch.setenv("HYBRID_LLM_API_KEYS_FILE", str(tmp_path / "keys"))
    app = BearerAuth(ok)
    assert opens(app, "sk-1") and not opens(app, "sk-2")
    (tmp_path / "..data_tmp").symlink_to("..2")
    (tmp_path / "..data_tmp").rename(tmp_path / "..data")
    assert opens(app, "sk-2") and not opens(app, "sk-1")


def removed(file: Path) -> None:
    file.unlink()


def emptied(file: Path) -> None:
    file.write_text("")


def garbled(file: Path) -> None:
    file.write_bytes(b"a: sk-a\nb: \xff\xfe")


def made_a_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


def behind_a_file(file: Path) -> None:
    file.unlink()
    file.symlink_to(file / "loop")


@pytest.mark.parametrize("spoil", [removed, emptied, garbled, made_a_folder, behind_a_file])
def test_without_a_readable_file_its_keys_are_refused_until_it_is_back(
    spoil: Callable[[Path], None], file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file.write_text("a: sk-a")
    app = BearerAuth(ok)
    assert opens(app, "sk-a")
    spoil(file)
    caplog.clear()
    assert not opens(app, "sk-a") and not opens(app, "sk-b")
    [record] = caplog.records  # once, not for each request
    assert str(file) in record.getMessage()
    if file.is_dir():
        file.rmdir()
    file.unlink(missing_ok=True)
    file.write_text("a: sk-a")
    assert opens(app, "sk-a")


def test_a_file_that_must_not_be_read_is_refused_and_logged(
    file: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """From the start, and simulated: the superuser may read anything."""
    file.write_text("a: sk-a")

    def denied(*_: Any, **__: Any) -> None:
        raise PermissionError(13, "Permission denied: sk-a", str(file))

    app = BearerAuth(ok)
    with monkeypatch.context() as patch:
        patch.setattr("builtins.open", denied)
        assert not opens(app, "sk-a")
    [record] = caplog.records
    assert "PermissionError" in record.getMessage()
    assert opens(app, "sk-a")


def test_keys_of_both_places_count(file: Path, in_environment: Callable[[str], BearerAuth]) -> None:
    file.write_text("a: sk-a")
    app = in_environment("b: sk-b")
    assert opens(app, "sk-a") and opens(app, "sk-b") and not opens(app, "sk-c")
    file.unlink()
    assert opens(app, "sk-b") and not opens(app, "sk-a")


def test_no_key_stays_in_memory_in_clear(
    file: Path, folder: Path, in_environment: Callable[[str], BearerAuth]
) -> None:
    file.write_text("a: sk-in-file")
    folder.mkdir()
    (folder / "c").write_text("sk-in-folder")
    app = in_environment("b: sk-in-variable")
    assert opens(app, "sk-in-file") and opens(app, "sk-in-folder")
    held = f"{vars(app)} {[vars(place) for place in app._places]}"
    assert "sk-" not in held
    assert "'a'" in held and "'b'" in held and "'c'" in held


# A folder with a file for each key: a mounted Secret


class Secret:
    """A Secret in a volume, as kubelet keeps it: `NAME -> ..data/NAME` and `..data -> ..TIME`."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._folder, self._version = folder, 0

    def update(self, **keys: str) -> None:
        """Write the new version, rename one link onto `..data`, then make and remove links."""
        self._version += 1
        new = self._folder / f"..2026_{self._version}"
        new.mkdir()
        for name, key in keys.items():
            (new / name).write_text(key)
        (self._folder / "..data_tmp").symlink_to(new.name)
        (self._folder / "..data_tmp").rename(self._folder / "..data")
        for name in keys:
            if not (self._folder / name).is_symlink():
                (self._folder / name).symlink_to(f"..data/{name}")

    def clean(self, *removed: str) -> None:
        """Remove the links of removed keys, which dangle until then, and the old version."""
        for name in removed:
            (self._folder / name).unlink()
        old = self._folder / f"..2026_{self._version - 1}"
        for file in old.iterdir():
            file.unlink()
        old.rmdir()


def test_a_mounted_secret_counts_at_once_whatever_happens_to_it(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    app = BearerAuth(ok)
    assert not opens(app, "sk-1")  # not even the folder is there
    secret = Secret(folder)
    assert not opens(app, "sk-1")
    caplog.clear()
    secret.update(alice="sk-1")
    assert opens(app, "sk-1")
    secret.update(alice="sk-1", bob="sk-2")
    assert opens(app, "sk-1") and opens(app, "sk-2")
    secret.update(alice="sk-3")
    assert opens(app, "sk-3") and not opens(app, "sk-1") and not opens(app, "sk-2")
    secret.clean("bob")
    assert opens(app, "sk-3") and not opens(app, "sk-2")
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


def test_keys_are_told_by_the_files_alone_that_are_seen(folder: Path) -> None:
    """Not by what lies behind `..data`, an editor's copies, or the name of a file."""
    Secret(folder).update(alice="sk-1")
    (folder / "..data" / "no-link").write_text("sk-2")
    (folder / ".alice.swp").write_text("sk-3")
    (folder / "subfolder").mkdir()
    (folder / "subfolder" / "bob").write_text("sk-4")
    app = BearerAuth(ok)
    assert opens(app, "sk-1")
    assert [key for key in ("sk-2", "sk-3", "sk-4", "alice", "", "bob") if opens(app, key)] == []


@pytest.mark.parametrize(
    ("content", "key"),
    [
        (b"sk-a", "sk-a"),
        (b"sk-a\n", "sk-a"),
        (b" \r\n\tsk-a \r\n\n", "sk-a"),
        (b"\xef\xbb\xbfsk-a\r\n", "sk-a"),
        (b"sk-a: with colon", "sk-a: with colon"),
        ("sk-\u2603".encode(), "sk-\u2603"),
    ],
)
def test_white_space_around_a_key_is_no_part_of_it(folder: Path, content: bytes, key: str) -> None:
    folder.mkdir()
    (folder / "a").write_bytes(content)
    assert opens(BearerAuth(ok), key)


@pytest.mark.parametrize("content", [b"", b" \n", b"\xef\xbb\xbf"])
def test_an_empty_file_is_no_key(folder: Path, content: bytes) -> None:
    folder.mkdir()
    (folder / "a").write_bytes(content)
    app = BearerAuth(ok)
    assert not opens(app, "") and not opens(app, "a")
    assert "no API keys yet" in knock(app).error["message"]


@pytest.mark.parametrize(
    ("content", "word"),
    [(b"sk-b\xff", "not UTF-8"), (b"a: sk-b\nb: sk-c", "more than one line")],
    ids=["not UTF-8", "a file of lines"],
)
def test_what_can_be_no_key_is_logged_once_by_its_name(
    folder: Path, caplog: pytest.LogCaptureFixture, content: bytes, word: str
) -> None:
    folder.mkdir()
    (folder / "good").write_text("sk-a")
    (folder / "bad").write_bytes(content)
    app = BearerAuth(ok)
    assert opens(app, "sk-a") and not opens(app, "sk-b") and not opens(app, "sk-c")
    [record] = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert f"{folder}, file bad: no API key: {word}" in record.getMessage()


def test_a_file_of_the_folder_that_must_not_be_read_does_not_hide_the_others(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    folder.mkdir()
    (folder / "a").write_text("sk-a")
    (folder / "b").write_text("sk-b")
    really_open = open

    def denied(path: str, *arguments: Any) -> Any:
        if path.endswith("/b"):
            raise PermissionError(13, "Permission denied: sk-b", path)
        return really_open(path, *arguments)

    app = BearerAuth(ok)
    with monkeypatch.context() as patch:
        patch.setattr("builtins.open", denied)
        assert opens(app, "sk-a") and not opens(app, "sk-b")
    [record] = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert "file b" in record.getMessage() and "PermissionError" in record.getMessage()
    assert opens(app, "sk-a") and opens(app, "sk-b")


def test_a_folder_that_is_gone_or_none_is_refused_until_it_is_back(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    app = BearerAuth(ok)
    folder.write_text("sk-a")
    assert not opens(app, "sk-a")
    folder.unlink()
    folder.mkdir()
    (folder / "a").write_text("sk-a")
    assert opens(app, "sk-a")
    (folder / "a").unlink()
    folder.rmdir()
    caplog.clear()
    assert not opens(app, "sk-a") and not opens(app, "sk-b")
    [record] = caplog.records
    assert f"{folder}: no API keys: FileNotFoundError" in record.getMessage()


def test_keys_of_all_places_count(
    file: Path, folder: Path, in_environment: Callable[[str], BearerAuth]
) -> None:
    file.write_text("a: sk-a")
    Secret(folder).update(b="sk-b")
    app = in_environment("c: sk-c")
    assert all(opens(app, key) for key in ("sk-a", "sk-b", "sk-c")) and not opens(app, "sk-d")


def test_with_no_keys_the_refusal_names_every_place(file: Path, folder: Path) -> None:
    message = knock(BearerAuth(ok)).error["message"]
    assert str(file) in message and f"{folder} ($HYBRID_LLM_API_KEYS_DIR)" in message
    assert "valid at once" in message


@pytest.mark.parametrize(
    ("secret", "command"),
    [
        ("keys", "kubectl create secret generic keys --from-literal=me=$(openssl rand -hex 24)"),
        (
            "llm/hybrid-llm-api-keys",
            "kubectl create secret generic hybrid-llm-api-keys --namespace llm "
            "--from-literal=me=$(openssl rand -hex 24)",
        ),
    ],
)
def test_with_no_keys_the_refusal_says_which_secret_to_create(
    folder: Path, monkeypatch: pytest.MonkeyPatch, secret: str, command: str
) -> None:
    monkeypatch.setenv("HYBRID_LLM_API_KEYS_SECRET", secret)
    app = BearerAuth(ok)
    message = knock(app).error["message"]
    assert f"Secret {secret}" in message and f"`{command}`" in message
    assert "valid at once" in message and "no restart" in message and "minute" in message
    Secret(folder).update(me="sk-a")
    assert "kubectl" not in knock(app).error["message"]


@pytest.mark.parametrize("secret", ["a/b/c", "/a", "a/", "Keys", "-n", "a b", "a;b", "a\n", "$(x)"])
def test_another_word_for_the_secret_stops_the_start(
    monkeypatch: pytest.MonkeyPatch, secret: str
) -> None:
    """It would stand in a command that people paste into a shell."""
    monkeypatch.setenv("HYBRID_LLM_API_KEYS_SECRET", secret)
    with pytest.raises(ValueError, match="NAME or NAMESPACE/NAME") as failure:
        BearerAuth(ok)
    assert secret not in str(failure.value)
