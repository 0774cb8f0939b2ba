"""One screen for people, and the same for programs."""

from typing import Any

from rich.console import Group
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from .pods import READY
from .reading import Status


def screen(status: Status, release: str, namespace: str) -> Group:
    """Return what is shown."""
    rollout = status.rollout
    style = "green" if rollout.words == "ready" else "yellow" if rollout.ready else "red"
    parts: list[Any] = [
        Text.assemble((f"{release} in {namespace}: ", "bold"), (rollout.words, style))
    ]
    answers = "clients get answers" if rollout.ready else "clients get no answer yet"
    parts.append(Text(answers, style="dim"))
    parts += ["", _pods(status), ""]
    for cluster, text in rollout.applications.items():
        parts.append(f"[dim]Serve on {escape(cluster)}:[/] {escape(text)}")
    parts += _counted(status)
    if rollout.looks:
        parts += ["", Text("If it stays so, look at:", style="bold")]
        parts += [Text(f"  {look}") for look in rollout.looks[:5]]
    parts += [Text(note, style="dim") for note in dict.fromkeys(status.notes)]
    return Group(*parts)


def _pods(status: Status) -> Table:
    table = Table(box=None, pad_edge=False)
    for title in ("pod", "node", "restarts", "is doing"):
        table.add_column(title, overflow="fold")
    for pod, one in status.pods:
        containers = (pod.get("status") or {}).get("containerStatuses") or []
        restarts = sum(c.get("restartCount", 0) for c in containers)
        style = "green" if one.step == READY else "yellow"
        node = pod["spec"].get("nodeName") or "-"
        words = Text(one.words, style=style)
        table.add_row(pod["metadata"]["name"], node, str(restarts), words)
    for bounds, what in ((status.bounds, ""), (status.hosts, " further hosts")):
        for group, (least, most) in bounds.items():
            count = f"{_ready(status, group)} ready of {least} to {most}{what}"
            table.add_row(f"[dim]{escape(group)}[/]", "", "", f"[dim]{count}[/]")
    return table


def _ready(status: Status, group: str) -> int:
    return sum(_group(pod) == group and one.step == READY for pod, one in status.pods)


def _group(pod: dict[str, Any]) -> str:
    return str((pod["metadata"].get("labels") or {}).get("ray.io/group", ""))


def _counted(status: Status) -> list[str]:
    if (found := status.counted) is None:
        return []
    total = sum(found.requests.values())
    lines = [f"[dim]now:[/] {found.running} running, {found.waiting} waiting"]
    if found.cache is not None:
        lines[0] += f", KV cache {100 * found.cache:.0f} % full"
    if total:
        failed = found.outcomes["error"]
        lines.append(
            f"[dim]so far:[/] {total} requests, {100 * (found.share or 0):.0f} % thought"
            f"{f', {failed} failed' if failed else ''}"
            f"{f', {found.refused} refused' if found.refused else ''}; "
            f"{found.thinking} tokens of thinking, {found.answer} of answers"
        )
    else:
        lines.append("[dim]so far:[/] no requests")
    return lines


def _counts(status: Status, bounds: dict[str, tuple[int, int]]) -> dict[str, dict[str, int]]:
    return {
        group: {"ready": _ready(status, group), "min": least, "max": most}
        for group, (least, most) in bounds.items()
    }


def as_data(status: Status) -> dict[str, Any]:
    """Return the same for programs."""
    found = status.counted
    return {
        "ready": status.rollout.ready,
        "doing": status.rollout.words,
        "look": list(status.rollout.looks),
        "serve": dict(status.rollout.applications),
        "pods": [
            {"name": p["metadata"]["name"], "node": p["spec"].get("nodeName"), "doing": one.words}
            for p, one in status.pods
        ],
        "replicas": _counts(status, status.bounds),
        "further_hosts": _counts(status, status.hosts),
        "counted": None
        if found is None
        else {
            "requests": dict(found.requests),
            "outcomes": dict(found.outcomes),
            "refused": found.refused,
            "thinking_share": found.share,
            "thinking_tokens": found.thinking,
            "answer_tokens": found.answer,
            "running": found.running,
            "waiting": found.waiting,
            "kv_cache": found.cache,
        },
        "not_read": list(dict.fromkeys(status.notes)),
    }
