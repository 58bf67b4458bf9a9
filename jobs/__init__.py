"""The wiring and the processes behind the pages: relay, sweeper, workers; RQ lives only here."""
