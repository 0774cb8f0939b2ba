"""Say whether a release would start in a cluster, what is missing there, and what mends it.

`make preflight ARGS="-f my-values.yaml --namespace x"`. Options that are not listed are Helm's.
"""

import argparse
import json
import sys

from . import Stop
from .checking import check
from .cluster import Cluster
from .connect import connect
from .release import Release
from .render import known_kuberay, read, rendered
from .report import as_json, shown


def _options(argv: list[str] | None) -> tuple[argparse.Namespace, list[str]]:
    parser = argparse.ArgumentParser(
        prog="python -m tools.preflight",
        description=(__doc__ or "").split("\n")[0],
        epilog="All other options are those of Helm: -f my-values.yaml, --set key=value ...",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--name", default="hybrid-llm", help="of the release (%(default)s)")
    add("-n", "--namespace", help="of the release (the kubeconfig's)")
    add("--manifests", metavar="FILE", help="what is rendered already; - is standard input")
    add("--kubeconfig", help="of the cluster ($KUBECONFIG, ~/.kube/config)")
    add("--context", help="of the kubeconfig (the current one)")
    add("--read-only", action="store_true", help="send no dry run, which needs the right to create")
    add("--json", action="store_true", help="for programs")
    options, others = parser.parse_known_args(argv)
    if options.manifests and others:
        parser.error(f"--manifests is rendered already; not used: {' '.join(others)}")
    return options, others


def main(argv: list[str] | None = None) -> int:
    """Look, and print what was found; return the exit status."""
    options, others = _options(argv)
    try:
        ask, server, namespace = connect(options.kubeconfig, options.context)
        namespace = options.namespace or namespace
        cluster = Cluster(ask, options.read_only)
        version = (cluster.get("/version") or {}).get("gitVersion", "")
        if options.manifests:
            objects = read(options.manifests)
        else:
            objects = rendered(options.name, namespace, version, others)
        found = check(Release(objects, namespace, known_kuberay()), cluster)
    except Stop as stop:
        if options.json:
            print(json.dumps({"error": str(stop)}))
        print(f"error: {stop}", file=sys.stderr)
        return 1
    print(as_json(found) if options.json else shown(found, f"{server}, namespace {namespace}"))
    return 1 if any(one.severity == "error" for _, one in found) else 0


if __name__ == "__main__":
    sys.exit(main())
