"""The start command: `python -m supervisor` runs Paydeck until it is told to stop."""

import signal
import sys
from collections.abc import Sequence
from types import FrameType

from supervisor import settings, summary
from supervisor.errors import CannotStart, StoreDown
from supervisor.processes import PROCESSES, Process
from supervisor.start import Copy

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class _MustStop(BaseException):
    """Somebody asked for the end while the start was still under way."""


class _Ending:
    """Turns the first signal into the wish to stop; later ones change nothing."""

    def __init__(self) -> None:
        self.is_wished = False
        self.may_interrupt = True
        for number in _SIGNALS:
            signal.signal(number, self._wish)

    def _wish(self, _number: int, _frame: FrameType | None) -> None:
        first, self.is_wished = not self.is_wished, True
        if first and self.may_interrupt:
            raise _MustStop


def main(table: Sequence[Process] = PROCESSES) -> int:
    """Run `table` until stopped; 0 after a stop, 1 when the start was refused."""
    ending = _Ending()
    copy: Copy | None = None
    code = 0
    try:
        copy = Copy(settings.read(), table)
        print("Paydeck is starting …", flush=True)
        copy.start()
        summary.write(copy)
        print("\n".join(summary.lines(copy)), flush=True)
        ending.may_interrupt = False
        running = copy
        copy.keep_alive(lambda: ending.is_wished, lambda: summary.write(running))
    except (CannotStart, StoreDown) as refusal:
        print(refusal, file=sys.stderr, flush=True)
        code = 1
    except _MustStop:
        pass
    finally:
        ending.may_interrupt = False
        if copy is not None:
            print("Paydeck is stopping …", flush=True)
            summary.forget(copy)
            copy.stop()
    return code


if __name__ == "__main__":
    sys.exit(main())
