"""What can keep Paydeck from starting, each said in one sentence."""


class CannotStart(RuntimeError):
    """The start is refused; the message is one sentence for the person who started it."""


class StoreDown(RuntimeError):
    """A store that was started did not answer in time; the message names its log file."""
