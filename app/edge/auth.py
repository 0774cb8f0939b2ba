"""API keys: `Authorization: Bearer KEY`, as OpenAI's clients send it, or `x-api-key: KEY`."""

import hashlib
import hmac
import logging
import os
import re
from collections.abc import Iterable, Iterator, Mapping

from app.asgi import App, Receive, Scope, Send, header, send_json
from app.edge.errors import error
from app.edge.health import is_health
from app.scope import with_key

log = logging.getLogger("hybrid_llm.auth")

AUTH = "HYBRID_LLM_AUTH"  # on | off
KEYS_FILE = "HYBRID_LLM_API_KEYS_FILE"  # path of a file with one `name: key` a line
KEYS_DIR = "HYBRID_LLM_API_KEYS_DIR"  # path of a folder with one file a key: a mounted Secret
KEYS = "HYBRID_LLM_API_KEYS"  # lines as in the file, in the variable itself
MOUNTED = "HYBRID_LLM_API_KEYS_SECRET"  # the Secret in that folder: NAME or NAMESPACE/NAME

_SECRET_NAME = re.compile(r"(?:([a-z0-9][a-z0-9-]*)/)?([a-z0-9][a-z0-9.-]*)")


def parse_keys(lines: Iterable[str], source: str) -> Iterator[tuple[str, str]]:
    """Yield the (name, key) of each line.

    Args:
        lines: `name: key` each; blank lines and those that begin with # are skipped. A line of
            another form is left out and logged by its number alone: it may hold a key.
        source: what the log calls the place they come from.
    """
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, _, key = (part.strip() for part in line.partition(":"))
        if name and key:
            yield name, key
        else:
            log.error("%s, line %d: not `name: key`; left out", source, number)


def read_folder(path: str) -> dict[str, bytes | str]:
    """Return {name: content} of a folder's files, or in place of a content why it can't be read.

    Args:
        path: the folder. Names that begin with a dot are skipped: kubelet keeps a Secret's files in
            `..data`, to which the visible ones are links.

    Raises:
        OSError: the folder itself can't be read.
    """
    found: dict[str, bytes | str] = {}
    with os.scandir(path) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            try:
                if entry.is_file():  # else a folder, or the link of a key that is just removed
                    with open(entry.path, "rb") as file:
                        found[entry.name] = file.read()
            except FileNotFoundError:
                continue  # removed meanwhile
            except OSError as failure:
                found[entry.name] = type(failure).__name__
    return found


def parse_folder(files: Mapping[str, bytes | str], source: str) -> Iterator[tuple[str, str]]:
    """Yield the (name, key) of each file that holds one.

    Args:
        files: what `read_folder` returns. White space around a key is no part of it, and an empty
            file is skipped. What can't be a key is left out and logged by its name alone.
        source: what the log calls the folder.
    """
    for name, content in files.items():
        problem, key = "", ""
        if isinstance(content, str):
            problem = content
        else:
            try:
                key = content.decode("utf-8-sig").strip()
            except UnicodeDecodeError:
                problem = "not UTF-8"
        if len(key.splitlines()) > 1:  # no header can bear it; perhaps it is a file for KEYS_FILE
            problem = "more than one line"
        if problem:
            log.error("%s, file %s: no API key: %s; left out", source, name, problem)
        elif key:
            yield name, key


def _hashed(keys: Iterable[tuple[str, str]]) -> dict[bytes, str]:
    """Return {SHA-256 of the key: its name}, so that no key stays in memory in clear."""
    return {_digest(key.encode()): name for name, key in keys}


def _digest(key: bytes) -> bytes:
    return hashlib.sha256(key).digest()


class KeyFile:
    """The keys of a file, parsed again when its content changes; no file means no keys."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._state: bytes | str = ""  # digest of the content, or what kept it from being read
        self._keys: dict[bytes, str] = {}

    def keys(self) -> dict[bytes, str]:
        """Return {SHA-256 of the key: its name} of the file as it is now."""
        state: bytes | str
        try:
            # Another content can have the same size and times, so it is read, which is cheap.
            with open(self._path, "rb") as file:
                content = file.read()
            state = _digest(content)
        except OSError as failure:
            content, state = b"", type(failure).__name__
        if state != self._state:
            self._state, self._keys = state, {}
            try:
                lines = content.decode("utf-8-sig").splitlines()  # an editor may add a mark
            except UnicodeDecodeError:
                lines, state = [], "not UTF-8"
            if isinstance(state, str):
                log.error("%s: no API keys: %s", self._path, state)
            else:
                self._keys = _hashed(parse_keys(lines, self._path))
                log.info("%s: %d API keys", self._path, len(self._keys))
        return self._keys


class KeyFolder:
    """The keys of a folder, a file each, parsed again when it changes; no folder means no keys."""

    def __init__(self, path: str) -> None:
        self._path = path
        # {file name: digest of its content, or what kept it from being read}, or that of the folder
        self._state: dict[str, bytes | str] | str = ""
        self._keys: dict[bytes, str] = {}

    def keys(self) -> dict[bytes, str]:
        """Return {SHA-256 of the key: its name} of the folder as it is now."""
        state: dict[str, bytes | str] | str
        try:
            files = read_folder(self._path)  # whole, as in KeyFile: a Secret has a few short ones
            state = {n: c if isinstance(c, str) else _digest(c) for n, c in files.items()}
        except OSError as failure:
            files, state = {}, type(failure).__name__
        if state != self._state:
            self._state, self._keys = state, _hashed(parse_folder(files, self._path))
            if isinstance(state, str):
                log.error("%s: no API keys: %s", self._path, state)
            else:
                log.info("%s: %d API keys", self._path, len(self._keys))
        return self._keys


class BearerAuth:
    """Answers 401 unless a request bears one of the keys.

    On, off: $HYBRID_LLM_AUTH. Where that is unset it is on when a place for keys is configured
    ($HYBRID_LLM_API_KEYS_DIR, $HYBRID_LLM_API_KEYS_FILE, $HYBRID_LLM_API_KEYS), and else as
    `required` says. On with no keys refuses everything.
    """

    def __init__(self, app: App, required: bool = True) -> None:
        """Read the environment.

        Args:
            app: the application behind.
            required: whether keys are needed where nothing is configured.

        Raises:
            ValueError: $HYBRID_LLM_AUTH is neither `on` nor `off`, or $HYBRID_LLM_API_KEYS_SECRET
                no name of a Secret.
        """
        self.app = app
        path, lines = os.environ.get(KEYS_FILE), os.environ.get(KEYS)
        folder = os.environ.get(KEYS_DIR)
        self._places: list[KeyFile | KeyFolder] = []
        if folder:
            self._places.append(KeyFolder(folder))
        if path:
            self._places.append(KeyFile(path))
        self._own_keys = _hashed(parse_keys(lines.splitlines(), f"${KEYS}")) if lines else {}
        switch = os.environ.get(AUTH, "").lower()
        if switch not in ("", "on", "off"):
            raise ValueError(f"${AUTH} must be on or off")
        configured = bool(folder or path or lines)
        self._on = switch == "on" or (switch == "" and (required or configured))
        self._what_to_do = _how_to_add_a_key(folder, path, os.environ.get(MOUNTED))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the request, or refuse it."""
        if not self._on or self._is_open(scope):
            return await self.app(scope, receive, send)
        keys = self._own_keys
        for place in self._places:
            keys = keys | place.keys()
        if (name := self._name_of(scope, keys)) is not None:
            return await self.app(with_key(scope, name), receive, send)
        if scope["type"] == "websocket":
            await receive()  # websocket.connect
            return await send({"type": "websocket.close", "code": 1008, "reason": "API key"})
        if keys:
            message = "Missing or wrong API key: send `Authorization: Bearer YOUR_KEY`."
            if header(scope["headers"], b"x-api-key") and _is_bearer(scope):
                message = (
                    "Wrong API key in `Authorization: Bearer`, which counts where there is an "
                    "`x-api-key` too: send one of them."
                )
        else:
            message = (
                "This server has no API keys yet, so it refuses every request. " + self._what_to_do
            )
        challenge = [(b"www-authenticate", b"Bearer")]
        await send_json(send, 401, error(401, message), challenge, body=scope["method"] != "HEAD")

    def _is_open(self, scope: Scope) -> bool:
        """Tell whether a request needs no key: start-up and health, which say nothing of models."""
        return scope["type"] not in ("http", "websocket") or is_health(scope)

    @staticmethod
    def _name_of(scope: Scope, keys: dict[bytes, str]) -> str | None:
        """Return the name of the key that the request bears, in the same time for any key."""
        if _is_bearer(scope):
            key = header(scope["headers"], b"authorization").partition(b" ")[2]
        else:
            key = header(scope["headers"], b"x-api-key")
        given = _digest(key.strip())
        found = None
        for digest, name in keys.items():
            if hmac.compare_digest(given, digest):
                found = name
        return found


def _is_bearer(scope: Scope) -> bool:
    """Tell whether a request has an `Authorization: Bearer`, which counts before `x-api-key`."""
    return header(scope["headers"], b"authorization").partition(b" ")[0].lower() == b"bearer"


def _how_to_add_a_key(folder: str | None, path: str | None, secret: str | None) -> str:
    """Return what the operator of a server with no keys reads in its 401.

    Raises:
        ValueError: `secret` is no name.
    """
    if secret:
        if not (name := _SECRET_NAME.fullmatch(secret)):
            raise ValueError(f"${MOUNTED} must be NAME or NAMESPACE/NAME of a Secret")
        namespace = f" --namespace {name[1]}" if name[1] else ""
        return (
            f"Create the Kubernetes Secret {secret}, with a key for each client: `kubectl create "
            f"secret generic {name[2]}{namespace} --from-literal=me=$(openssl rand -hex 24)`. Keys "
            "added to it are valid at once, with no restart, when the kubelet has passed them on: "
            "within a minute or two."
        )
    places = []
    if folder:
        places.append(f"a file with one key for each client in the folder {folder} (${KEYS_DIR})")
    if path:
        places.append(f"lines `name: key` in the file {path} (${KEYS_FILE})")
    place = " or ".join(places) or f"keys in ${KEYS_DIR}, ${KEYS_FILE} or ${KEYS}"
    return f"It expects {place}; keys added there are valid at once."
