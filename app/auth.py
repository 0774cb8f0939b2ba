"""API keys: `Authorization: Bearer KEY`, as OpenAI's clients send it."""

import hashlib
import hmac
import logging
import os
from collections.abc import Iterable, Iterator

from app.asgi import App, Receive, Scope, Send, header, send_json
from app.errors import error

log = logging.getLogger("hybrid_llm.auth")

AUTH = "HYBRID_LLM_AUTH"  # on | off
KEYS_FILE = "HYBRID_LLM_API_KEYS_FILE"  # path of a file with one `name: key` a line
KEYS = "HYBRID_LLM_API_KEYS"  # the same lines, in the variable itself

_OPEN_PATHS = {"/health"}  # what a kubelet asks; it says nothing of the model


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


def _hashed(lines: Iterable[str], source: str) -> dict[bytes, str]:
    """Return {SHA-256 of the key: its name}, so that no key stays in memory in clear."""
    return {_digest(key.encode()): name for name, key in parse_keys(lines, source)}


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
                self._keys = _hashed(lines, self._path)
                log.info("%s: %d API keys", self._path, len(self._keys))
        return self._keys


class BearerAuth:
    """Answers 401 unless a request bears one of the keys.

    On, off: $HYBRID_LLM_AUTH. Where that is unset it is on when a place for keys is configured
    ($HYBRID_LLM_API_KEYS_FILE, $HYBRID_LLM_API_KEYS), and else as `required` says. On with no keys
    refuses everything.
    """

    def __init__(self, app: App, required: bool = True) -> None:
        """Read the environment.

        Args:
            app: the application behind.
            required: whether keys are needed where nothing is configured.

        Raises:
            ValueError: $HYBRID_LLM_AUTH is neither `on` nor `off`.
        """
        self.app = app
        path, lines = os.environ.get(KEYS_FILE), os.environ.get(KEYS)
        self._file = KeyFile(path) if path else None
        self._own_keys = _hashed(lines.splitlines(), f"${KEYS}") if lines else {}
        switch = os.environ.get(AUTH, "").lower()
        if switch not in ("", "on", "off"):
            raise ValueError(f"${AUTH} must be on or off")
        self._on = switch == "on" or (switch == "" and (required or bool(path or lines)))
        self._where = f"the file {path} (${KEYS_FILE})" if path else f"${KEYS_FILE} or ${KEYS}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the request, or refuse it."""
        if not self._on or self._is_open(scope):
            return await self.app(scope, receive, send)
        keys = self._own_keys | self._file.keys() if self._file else self._own_keys
        if self._name_of(scope, keys) is not None:
            return await self.app(scope, receive, send)
        if scope["type"] == "websocket":
            await receive()  # websocket.connect
            return await send({"type": "websocket.close", "code": 1008, "reason": "API key"})
        if keys:
            message = "Missing or wrong API key: send `Authorization: Bearer YOUR_KEY`."
        else:
            message = (
                "This server has no API keys yet, so it refuses every request. It expects lines "
                f"`name: key` in {self._where}; keys added there are valid at once."
            )
        challenge = [(b"www-authenticate", b"Bearer")]
        await send_json(send, 401, error(401, message), challenge, body=scope["method"] != "HEAD")

    def _is_open(self, scope: Scope) -> bool:
        """Tell whether a request needs no key: start-up, health, and browsers' preflights."""
        if scope["type"] == "websocket":
            return False
        return (
            scope["type"] != "http"
            or scope["path"] in _OPEN_PATHS
            or (scope["method"] == "OPTIONS" and bool(header(scope["headers"], b"origin")))
        )

    @staticmethod
    def _name_of(scope: Scope, keys: dict[bytes, str]) -> str | None:
        """Return the name of the key that the request bears, in the same time for any key."""
        scheme, _, key = header(scope["headers"], b"authorization").partition(b" ")
        given = _digest(key.strip())
        found = None
        for digest, name in keys.items():
            if hmac.compare_digest(given, digest):
                found = name
        return found if scheme.lower() == b"bearer" else None
