"""A process that has imported vLLM, and is forked for each tiny model that is to be served.

It reads lines of JSON, {"arguments": ..., "port": ..., "log": FILE, "variables": {...}}, and
answers each with the process's id. Its end is that of its input.
"""

import asyncio
import ctypes
import json
import os
import signal
import sys

answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)  # what vLLM prints is no answer

from . import server  # noqa: E402

PR_SET_PDEATHSIG = 1

for line in sys.stdin:
    wanted = json.loads(line)
    child = os.fork()
    if child:
        print(child, file=answers, flush=True)
        continue
    os.setpgid(0, 0)  # so that its engine can be ended with it
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)  # and ends when this process does
    log = os.open(wanted["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for ours, theirs in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(ours, theirs)
    os.environ.update(wanted["variables"])
    asyncio.run(server.run(wanted["arguments"], wanted["port"]))
    sys.exit()
