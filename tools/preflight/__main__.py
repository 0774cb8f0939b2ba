"""Say whether a release would start in a cluster, what is missing there, and what mends it.

`make preflight ARGS="-f my-values.yaml --namespace x"`. Options that are not listed are Helm's.

The chart's Job runs it with --in-cluster, where Python has its standard library alone: what needs
more is imported where it is needed.
"""

import argparse
import json
import sys
from pathlib import Path

from . import Stop, incluster, manifests
from .checking import check
from .cluster import Cluster
from .release import Release
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
    add("--kuberay", metavar="RANGE", help="versions of the operator that are known (the chart's)")
    add(
        "--in-cluster",
        metavar="FOLDER",
        nargs="?",
        const=str(incluster.ACCOUNT),
        help="ask as the pod that it runs in, by the service account in FOLDER (%(const)s); "
        "--manifests is a file of JSON",
    )
    add("--read-only", action="store_true", help="send no dry run, which needs the right to create")
    add("--json", action="store_true", help="for programs")
    options, others = parser.parse_known_args(argv)
    if options.manifests and others:
        parser.error(f"--manifests is rendered already; not used: {' '.join(others)}")
    if options.in_cluster and not options.manifests:
        parser.error("--in-cluster needs --manifests: a pod has no Helm")
    return options, others


def main(argv: list[str] | None = None) -> int:
    """Look, and print what was found; return the exit status."""
    options, others = _options(argv)
    try:
        release, cluster, server = (
            _in_a_pod(options) if options.in_cluster else _here(options, others)
        )
        found = check(release, cluster)
    except Stop as stop:
        if options.json:
            print(json.dumps({"error": str(stop)}))
        print(f"error: {stop}", file=sys.stderr)
        return 1
    where = f"{server}, namespace {release.namespace}"
    print(as_json(found) if options.json else shown(found, where))
    return 1 if any(one.severity == "error" for _, one in found) else 0


def _here(options: argparse.Namespace, others: list[str]) -> tuple[Release, Cluster, str]:
    """Return the release, the cluster and its address, by Helm and a kubeconfig."""
    from .connect import connect
    from .render import known_kuberay, read, rendered

    ask, server, namespace = connect(options.kubeconfig, options.context)
    namespace = options.namespace or namespace
    cluster = Cluster(ask, options.read_only)
    version = (cluster.get("/version") or {}).get("gitVersion", "")
    if options.manifests:
        objects = read(options.manifests)
    else:
        objects = rendered(options.name, namespace, version, others)
    return Release(objects, namespace, options.kuberay or known_kuberay()), cluster, server


def _in_a_pod(options: argparse.Namespace) -> tuple[Release, Cluster, str]:
    """Return the same, by a file of JSON and a service account."""
    ask, server, namespace = incluster.connect(Path(options.in_cluster))
    objects = manifests.read_json(options.manifests)
    release = Release(objects, options.namespace or namespace, options.kuberay or "")
    return release, Cluster(ask, options.read_only), server


if __name__ == "__main__":
    sys.exit(main())
