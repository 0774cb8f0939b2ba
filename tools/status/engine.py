"""What an engine that is not ready is doing: vLLM says so in Ray's log files of its pod."""

import re

# The last of these that a log has is where it is; vLLM 0.29 says them in this order.
STEPS = [
    (r"Starting to load model|Loading safetensors|Loading weights", "loading weights"),
    (r"Loading weights took|Model loading took", "weights loaded"),
    (r"for vLLM's torch\.compile|Dynamo bytecode|Compiling a graph", "compiling"),
    (r"Available KV cache memory|KV cache size", "measuring memory for the KV cache"),
    (r"Capturing CUDA graphs|Capturing cudagraph", "capturing graphs"),
    (r"Graph capturing finished|init engine .* took", "engine made; warming up"),
]
_ANY = "|".join(pattern for pattern, _ in STEPS)
_FAILED = re.compile(r"(?:^|\s)((?:[\w.]+\.)?(?:\w+Error|OutOfMemory\w*)\b: ?[^\n]*)")
_DEAD = re.compile(r"Check failed: .*? (\S[^\n]*)")
# What the newest of the pod's engines wrote: of many logs, those that have these words. And why its
# raylet has died, if it has: then no engine comes, and the container goes on for a while.
COMMAND = (
    "cd /tmp/ray/session_latest/logs || exit 0; grep -hE 'Check failed' raylet.out raylet.err; "
    'files=$(grep -lE "EngineCore|vllm" worker-*.err worker-*.out serve/replica_* | '
    f'xargs -r ls -t | head -n 3); [ -z "$files" ] || grep -hE "{_ANY}|Error" $files | '
    "tail -n 400"
)


def step(log: str) -> str:
    """Return the step that lines of an engine's log tell of; empty: none."""
    found = ""
    for line in log.splitlines():
        for pattern, words in STEPS:
            if re.search(pattern, line):
                found = words
    progress = re.findall(r"(\d+)% Completed", log)
    if found in ("loading weights", "capturing graphs") and progress:
        found += f", {progress[-1]} %"
    return found


def failure(log: str) -> str:
    """Return the last error that lines of a log tell of; empty: none."""
    found = _FAILED.findall(log)
    return found[-1].strip()[:300] if found else ""


def dead(log: str) -> str:
    """Return why Ray's process of the pod, the raylet, has died; empty: it has not."""
    found = _DEAD.search(log)
    return found[1].strip()[:200] if found else ""
