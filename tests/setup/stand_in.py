"""The start command with small stand-ins for the portal's processes, for tests of the start."""

import http.server
import os
import subprocess
import sys
import time

from supervisor.__main__ import main
from supervisor.processes import Process, Role

_HERE = "tests.setup.stand_in"
TABLE = (
    Process(
        "sandbox",
        f"{_HERE} answer {{sandbox_port}}",
        Role.NONE,
        "http://127.0.0.1:{sandbox_port}/health",
    ),
    Process("relay", f"{_HERE} wait", Role.WORKER),
    Process("worker", f"{_HERE} horse", Role.WORKER, is_numbered=True),
)


class _Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"ok")


def run(words: list[str]) -> int:
    """Play the part that the first word names."""
    if words[:1] == ["answer"]:
        http.server.ThreadingHTTPServer(("127.0.0.1", int(words[1])), _Answer).serve_forever()
    if words[:1] == ["horse"]:  # a work-horse in a session of its own, as RQ's are
        subprocess.Popen([sys.executable, "-m", _HERE, "wait"], start_new_session=True)
    if words:
        while os.getpid():
            time.sleep(1)
    return main(TABLE)


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
