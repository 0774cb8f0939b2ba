"""The load: vLLM's own `vllm bench serve`, in Rust where the installation has it.

The one in Python imports for 12 s on 2 cores, so it is forked from a process that has done so.
"""

import importlib.util
import multiprocessing
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

FORKED = multiprocessing.get_context("forkserver")
FORKED.set_forkserver_preload(["vllm.benchmarks.serve"])


def bench(arguments: Sequence[str], key: str, output: Path) -> bool:
    """Load a server, and tell whether that went well.

    Args:
        arguments: of `vllm bench serve`.
        key: for the server.
        output: the file for what it prints.
    """
    output.touch()
    if program := _in_rust():
        environment = {**os.environ, "OPENAI_API_KEY": key}
        with output.open("w") as file:
            command = [program, "bench", "serve", *arguments]
            return not subprocess.run(command, env=environment, stdout=file, stderr=file).returncode
    process = FORKED.Process(target=_bench, args=(arguments, key, str(output)))
    process.start()
    process.join()
    return process.exitcode == 0


def _in_rust() -> str | None:
    """Return the path of vLLM's own program in Rust, None where there is none."""
    package = importlib.util.find_spec("vllm")
    assert package and package.origin
    program = Path(package.origin).parent / "vllm-rs"
    return str(program) if program.exists() else None


def _bench(arguments: Sequence[str], key: str, output: str) -> None:
    from vllm.benchmarks.serve import add_cli_args, main
    from vllm.utils.argparse_utils import FlexibleArgumentParser

    file = os.open(output, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(file, stream)
    os.environ["OPENAI_API_KEY"] = key
    parser = FlexibleArgumentParser()
    add_cli_args(parser)
    main(parser.parse_args(arguments))
