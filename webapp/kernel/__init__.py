"""The ground: money, time, ids, errors, states, database, logs; no business word appears here."""
