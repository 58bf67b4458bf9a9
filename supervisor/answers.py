"""Asks an address whether all is well: `python -m supervisor.answers http://…/ready`."""

import http.client
import sys
from urllib.parse import urlsplit


def answers(url: str) -> bool:
    """Whether a GET of `url` is answered with 200 within two seconds."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=2)
    try:
        connection.request("GET", parts.path)
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(0 if answers(sys.argv[1]) else 1)
