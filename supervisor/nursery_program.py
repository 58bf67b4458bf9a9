"""The nursery itself: imports the portal once, then forks its processes, which share that memory.

Run as a program with a listening socket, the supervisor's process id and the modules to import.
Each order holds secrets: it is read by the process that it is for, and by nobody before it.
"""

import ctypes
import gc
import importlib
import json
import os
import runpy
import socket
import sys
import threading
import time
from pathlib import Path
from typing import Any

_PR_SET_NAME = 15
_PR_SET_PDEATHSIG = 1
_ADOPTION_SECONDS = 10.0
_CHUNK = 65_536
#: Where /proc/self/stat says that arguments and environment begin and end, after the name.
_PLACES = slice(45, 49)


def main(argv: list[str]) -> None:
    """Import, then fork one process a caller for ever; returns in each of those alone."""
    listener, supervisor = socket.socket(fileno=int(argv[0])), int(argv[1])
    for name in argv[2:]:
        importlib.import_module(name)
    if threading.active_count() > 1:
        sys.exit("a module has started a thread, which no fork survives")
    gc.collect()
    gc.freeze()  # what all share is never looked through again, and so stays shared
    while True:
        caller, _address = listener.accept()
        middle = os.fork()
        if middle == 0:
            if os.fork():
                os._exit(0)  # our child is an orphan now, and so the supervisor's
            listener.close()
            become(caller, supervisor)
            return
        caller.close()
        os.waitpid(middle, 0)


def become(caller: socket.socket, supervisor: int) -> None:
    """Turn this process into the one that the caller's order describes, and run its module."""
    order = _read(caller)
    _wait_for_adoption(supervisor)
    os.setpgid(0, 0)
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, order["stop_signal"])
    if os.getppid() != supervisor:
        os._exit(1)
    os.environ.clear()
    os.environ.update(order["env"])
    time.tzset()
    words = order["argv"]
    _label([sys.executable, *words], order["mark"])
    log = os.open(order["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    os.chdir(order["cwd"])
    caller.sendall(str(os.getpid()).encode())
    caller.close()
    _, module, *rest = words  # -m module …
    sys.argv = [module, *rest]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def _read(caller: socket.socket) -> dict[str, Any]:
    pieces = []
    while piece := caller.recv(_CHUNK):
        pieces.append(piece)
    if not pieces:
        os._exit(0)  # a caller that has thought better of it
    order: dict[str, Any] = json.loads(b"".join(pieces))
    return order


def _wait_for_adoption(supervisor: int) -> None:
    until = time.monotonic() + _ADOPTION_SECONDS
    while os.getppid() != supervisor:
        if time.monotonic() > until:
            os._exit(1)
        time.sleep(0.001)


def _label(words: list[str], mark: str) -> None:
    """Let `ps` show what this process is, and the supervisor's search find it by its mark.

    Both read the memory in which a program gets its words and settings, which a fork copies as
    they were. Nothing else reads it any more: Python keeps its own copies.
    """
    fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    words_begin, words_end, env_begin, env_end = (int(field) for field in fields[_PLACES])
    _overwrite(words_begin, words_end, b"\0".join(word.encode() for word in words))
    _overwrite(env_begin, env_end, f"PAYDECK_CHILD={mark}".encode())
    ctypes.CDLL(None).prctl(_PR_SET_NAME, words[2].encode()[:15], 0, 0, 0)


def _overwrite(begin: int, end: int, text: bytes) -> None:
    size = end - begin
    ctypes.memmove(begin, text[: size - 1].ljust(size, b"\0"), size)


if __name__ == "__main__":
    main(sys.argv[1:])
