"""Ties a child to its parent: when the parent dies by any means, the child gets a signal.

Run by path, as a program of its own: code between fork and exec is unsafe in a program with
threads. It also drops root, because that takes a leash off, so it has to come first.
"""

import ctypes
import os
import sys

_PR_SET_PDEATHSIG = 1


def main(argv: list[str]) -> None:
    """Replace this program by argv[5:], leashed to parent argv[2] by signal argv[1].

    As root it first becomes user argv[3] and group argv[4]; as anybody else these are ignored.
    """
    signal_number, parent, uid, gid = (int(number) for number in argv[1:5])
    if os.geteuid() == 0 and uid != 0:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal_number)
        if os.getppid() != parent:  # the parent died before the leash was on
            sys.exit(1)
    os.execv(argv[5], argv[5:])  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    main(sys.argv)
