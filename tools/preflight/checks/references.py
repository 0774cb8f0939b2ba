"""Secrets, ConfigMaps and classes that the pods name: they are there, with the right entries."""

from collections.abc import Iterator

from .. import Object
from ..cluster import Cluster, Denied
from ..finding import Finding, error, ok, warning
from ..release import Release

# Of these organisations every model of this chart's presets is open: no token is needed.
OPEN = ("Qwen/", "deepseek-ai/")
KEYS = "kubectl create secret generic -n {space} {name} --from-literal=me=$(openssl rand -hex 24)"


def check(release: Release, cluster: Cluster) -> Iterator[Finding]:
    """Look for each of them."""
    seen: set[tuple[str, str, str]] = set()
    for _, spec in release.specs:
        for kind, name, entry, optional in references(spec):
            if (kind, name, entry) in seen or release.makes(kind, name):
                continue
            seen.add((kind, name, entry))
            if kind == "ConfigMap" and name == "kube-root-ca.crt":
                continue
            yield from _looked(release, cluster, kind, name, entry, optional)
    yield from _of_the_cluster(release, cluster)
    for name in sorted(
        {s["name"] for _, spec in release.specs for s in spec.get("imagePullSecrets") or []}
    ):
        yield from _pull_secret(release, cluster, name)
    yield from _classes(release, cluster)


def references(spec: Object) -> Iterator[tuple[str, str, str, bool]]:
    """Yield what a pod names: kind, name, entry (empty: any), and whether it starts without it."""
    for container in [*(spec.get("containers") or []), *(spec.get("initContainers") or [])]:
        for variable in container.get("env") or []:
            source = variable.get("valueFrom") or {}
            for field, kind in (("secretKeyRef", "Secret"), ("configMapKeyRef", "ConfigMap")):
                if ref := source.get(field):
                    yield kind, ref["name"], ref["key"], bool(ref.get("optional"))
        for source in container.get("envFrom") or []:
            for field, kind in (("secretRef", "Secret"), ("configMapRef", "ConfigMap")):
                if ref := source.get(field):
                    yield kind, ref["name"], "", bool(ref.get("optional"))
    for volume in spec.get("volumes") or []:
        sources = [volume, *((volume.get("projected") or {}).get("sources") or [])]
        for source in sources:
            for field, kind in (("secret", "Secret"), ("configMap", "ConfigMap")):
                if ref := source.get(field):
                    name = ref.get("secretName") or ref.get("name")
                    entries = [item["key"] for item in ref.get("items") or []] or [""]
                    for entry in entries:
                        yield kind, name, entry, bool(ref.get("optional"))


def _looked(
    release: Release, cluster: Cluster, kind: str, name: str, entry: str, optional: bool
) -> Iterator[Finding]:
    space = release.namespace
    what = f"the {kind} {name}"
    create = (
        f"kubectl create {'secret generic' if kind == 'Secret' else 'configmap'} -n {space} {name}"
    )
    create += f" --from-literal={entry or 'NAME'}=..."
    try:
        entries = _entries(cluster, space, kind, name)
    except Denied:
        yield warning(
            f"not checked: {what}: this account may not read it",
            "pods wait for it if it is not there" if not optional else "it may be missing",
            f"kubectl auth can-i get {kind.lower()}/{name} -n {space}",
            checked=False,
        )
        return
    there = entries is not None and (entries.get(entry, False) if entry else any(entries.values()))
    if there:
        yield ok(f"{what} is there" + (f", with {entry}" if entry else ""))
    elif _is_keys(release, name):
        yield error(
            f"{what} is not there or empty: there is no API key",
            "every request gets a 401 until there is one (then no restart is needed)",
            KEYS.format(space=space, name=name),
        )
    elif entry == "HF_TOKEN" or optional and kind == "Secret":
        yield from _token(release, what, entry, create)
    elif not optional:
        lacks = f"has no entry {entry}" if entries is not None and entry else "is not there"
        yield error(f"{what} {lacks}", "the pods wait for it (CreateContainerConfigError)", create)


def _token(release: Release, what: str, entry: str, create: str) -> Iterator[Finding]:
    sources = _sources(release)
    closed = [source for source in sources if not source.startswith(OPEN)]
    if closed:
        yield warning(
            f"{what} has no {entry}, and {', '.join(closed)} may be gated",
            "the hub refuses a gated model without a token, and no replica starts",
            create,
        )
    else:
        yield ok(
            f"{what} is not there; {', '.join(sources) or 'the model'} is open and needs no token"
        )


def _sources(release: Release) -> list[str]:
    """Return the models' sources, out of the text of the Serve config."""
    text = release.rayservice["spec"].get("serveConfigV2", "")
    lines = [
        line.split("model_source:", 1)[1] for line in text.splitlines() if "model_source:" in line
    ]
    return [line.split(" #")[0].strip().strip("\"'") for line in lines]


def _is_keys(release: Release, name: str) -> bool:
    for _, spec in release.specs:
        for volume in spec.get("volumes") or []:
            if (
                volume["name"] == "api-keys"
                and (volume.get("secret") or {}).get("secretName") == name
            ):
                return True
    return False


def _entries(cluster: Cluster, space: str, kind: str, name: str) -> dict[str, bool] | None:
    if kind == "Secret":
        return cluster.entries(space, name)
    found = cluster.get(f"/api/v1/namespaces/{space}/configmaps/{name}")
    return (
        None
        if found is None
        else {key: True for key in {**(found.get("data") or {}), **(found.get("binaryData") or {})}}
    )


def _of_the_cluster(release: Release, cluster: Cluster) -> Iterator[Finding]:
    """Look for the Secrets that KubeRay gives the pods."""
    spec = release.rayservice["spec"]["rayClusterConfig"]
    redis = (spec.get("gcsFaultToleranceOptions") or {}).get("redisPassword") or {}
    if ref := (redis.get("valueFrom") or {}).get("secretKeyRef"):
        yield from _looked(release, cluster, "Secret", ref["name"], ref["key"], False)
    if name := (spec.get("authOptions") or {}).get("secretName"):
        yield from _looked(release, cluster, "Secret", name, "auth_token", False)


def _pull_secret(release: Release, cluster: Cluster, name: str) -> Iterator[Finding]:
    space = release.namespace
    create = (
        f"kubectl create secret docker-registry -n {space} {name} --docker-server=... "
        "--docker-username=... --docker-password=..."
    )
    try:
        entries = cluster.entries(space, name)
    except Denied:
        yield warning(
            f"not checked: the Secret {name}",
            "the image can't be pulled without it",
            create,
            checked=False,
        )
        return
    if entries is None or not (entries.get(".dockerconfigjson") or entries.get(".dockercfg")):
        yield error(
            f"the Secret {name} (image.pullSecrets) is not there, or no registry's",
            "the image can't be pulled without it",
            create,
        )
    else:
        yield ok(f"the Secret {name} is there, with a registry's credentials")


def _classes(release: Release, cluster: Cluster) -> Iterator[Finding]:
    kinds = (
        ("priorityClassName", "PriorityClass", "/apis/scheduling.k8s.io/v1/priorityclasses"),
        ("runtimeClassName", "RuntimeClass", "/apis/node.k8s.io/v1/runtimeclasses"),
    )
    for field, kind, path in kinds:
        for name in sorted({spec[field] for _, spec in release.specs if spec.get(field)}):
            if cluster.get(f"{path}/{name}") is None:
                yield error(
                    f"there is no {kind} {name}",
                    "the API server refuses pods that name it",
                    f"kubectl get {kind.lower()}   # then the value {field} of head or "
                    "worker as there is one",
                )
            else:
                yield ok(f"the {kind} {name} is there")
