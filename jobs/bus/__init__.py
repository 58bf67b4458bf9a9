"""The event bus out: every fact, in order per object and at least once, to streams and brokers."""
