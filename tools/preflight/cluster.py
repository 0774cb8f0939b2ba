"""The cluster, as its API answers. What was asked once is not asked again."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlencode

from . import Object, Stop

# (method, path with its query, body) -> (HTTP status, body)
Ask = Callable[[str, str, Object | None], tuple[int, bytes]]


class Denied(Exception):
    """The API server lets this account not read what a check needs."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path.split("?")[0]


class Cluster:
    """Reads objects. It changes nothing: what it sends is a dry run."""

    def __init__(self, ask: Ask, read_only: bool = False) -> None:
        self._ask = ask
        self._kept: dict[str, Object | None] = {}
        self.read_only = read_only

    def get(self, path: str, **query: Any) -> Object | None:
        """Return an object or a list of them by its path; None where there is none.

        Raises:
            Denied: this account may not read it.
            Stop: the API server does not answer as it should.
        """
        path = f"{path}?{urlencode(query)}" if query else path
        if path not in self._kept:
            status, body = self._ask("GET", path, None)
            if status == 403:
                raise Denied(path)
            if status == 401:
                raise Stop("the API server does not know who asks (401): log in again")
            if status not in (200, 404):
                raise Stop(f"the API server says {status} to GET {path}")
            self._kept[path] = json.loads(body) if status == 200 else None
        return self._kept[path]

    def list(self, path: str, **query: Any) -> list[Object]:
        """Return all objects of a kind; none where the API has no such kind."""
        items: list[Object] = []
        more: dict[str, Any] = {}
        while True:
            page = self.get(path, **query, limit=500, **more)
            if page is None:
                return items
            items += page.get("items") or []
            if not (token := (page.get("metadata") or {}).get("continue")):
                return items
            more = {"continue": token}

    def text(self, path: str) -> str:
        """Return what a pod answers through the API server's proxy.

        Raises:
            Denied: this account may not use it.
            Stop: the pod does not answer.
        """
        status, body = self._ask("GET", path, None)
        if status == 403:
            raise Denied(path)
        if status != 200:
            raise Stop(f"the pod does not answer ({status})")
        return body.decode(errors="replace")

    def entries(self, namespace: str, secret: str) -> dict[str, bool] | None:
        """Return which entries a Secret has and whether each has something in it; None without it.

        What is in them is not kept.
        """
        path = f"/api/v1/namespaces/{quote(namespace)}/secrets/{quote(secret)}"
        found = self.get(path)
        if found is None:
            return None
        found["data"] = {
            name: "x" if value else "" for name, value in (found.get("data") or {}).items()
        }
        return {name: bool(value) for name, value in found["data"].items()}

    def dry_run(self, path: str, body: Object) -> tuple[int, str]:
        """Return what the API server would do with a new object: its status and message."""
        status, answer = self._ask("POST", f"{path}?dryRun=All&fieldValidation=Strict", body)
        try:
            return status, str(json.loads(answer).get("message", ""))
        except ValueError:
            return status, answer.decode(errors="replace")

    def serves(self, api_version: str, kind: str) -> str | None:
        """Return the plural of a kind if the API has it, else None."""
        root = "/api" if "/" not in api_version else "/apis"
        found = self.get(f"{root}/{api_version}") or {}
        for resource in found.get("resources", ()):
            if resource["kind"] == kind and "/" not in resource["name"]:
                return str(resource["name"])
        return None
