"""Show how a release is: what it is doing, its pods and counts, and where to look when it is stuck.

`make status RELEASE=hybrid-llm NAMESPACE=x`. Its exit status is 0 where clients get answers.
"""

import argparse
import json
import sys
import time

import kubernetes.client
import kubernetes.config
import kubernetes.stream
from rich.console import Console
from rich.live import Live

from preflight import Stop
from preflight.cluster import Cluster
from preflight.connect import connect

from .reading import Execute, Status, read
from .screen import as_data, screen


def _options(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make status", description=(__doc__ or "").split("\n")[0])
    add = parser.add_argument
    add("release", nargs="?", default="hybrid-llm", help="its name (%(default)s)")
    add("-n", "--namespace", help="of the release (the kubeconfig's)")
    add("--kubeconfig", help="of the cluster ($KUBECONFIG, ~/.kube/config)")
    add("--context", help="of the kubeconfig (the current one)")
    add("--watch", action="store_true", help="until Ctrl-C")
    add("--json", action="store_true", help="for programs")
    options = parser.parse_args(argv)
    if options.watch and options.json:
        parser.error("--watch is for people, --json for programs")
    return options


def _execute(kubeconfig: str | None, context: str | None) -> Execute:
    """Return what runs a script in a pod: the engine's log files are there alone."""

    def execute(namespace: str, pod: str, container: str, script: str) -> str:
        # A client of its own: `stream` makes every call of its client a web socket.
        api = kubernetes.config.new_client_from_config(kubeconfig, context)  # type: ignore[no-untyped-call]
        core = kubernetes.client.CoreV1Api(api)
        printed = kubernetes.stream.stream(
            core.connect_get_namespaced_pod_exec,
            pod,
            namespace,
            command=["sh", "-c", script],
            container=container,
            stdout=True,
            stderr=False,
            _request_timeout=15,
        )
        return str(printed)

    return execute


def main(argv: list[str] | None = None) -> int:
    """Show it; return the exit status."""
    options = _options(argv)
    console = Console(soft_wrap=False)
    try:
        ask, _, namespace = connect(options.kubeconfig, options.context)
        namespace = options.namespace or namespace
        execute = _execute(options.kubeconfig, options.context)

        def look() -> Status:
            return read(Cluster(ask), options.release, namespace, execute)

        status = look()
        if options.json:
            print(json.dumps(as_data(status), indent=2))
        elif options.watch:
            with Live(console=console, auto_refresh=False) as live:
                while True:
                    live.update(screen(status, options.release, namespace), refresh=True)
                    time.sleep(2)
                    status = look()
        else:
            console.print(screen(status, options.release, namespace))
    except Stop as stop:
        if options.json:
            print(json.dumps({"error": str(stop)}))
        print(f"error: {stop}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0
    return 0 if status.rollout.ready else 1


if __name__ == "__main__":
    sys.exit(main())
