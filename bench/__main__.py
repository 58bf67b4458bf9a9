"""`python -m bench [payments|webhooks|api|whole]`: measure, print, and keep bench/results."""

from __future__ import annotations

import argparse

from bench import api, payments, webhooks, whole
from bench.report import RESULTS, Report
from bench.world import world

KINDS = ("payments", "webhooks", "api", "whole")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", nargs="*", choices=KINDS, default=[])
    asked = parser.parse_args().what or list(KINDS)
    report = Report()
    if "payments" in asked:
        print("payments (low / median / high of interleaved rounds)")
        with world() as made:
            payments.measure(report, made)
    if "webhooks" in asked:
        print("webhooks to receivers on the loopback")
        with world() as made:
            webhooks.measure(report, made)
    if "api" in asked:
        print("requests to the API (low / median / high of interleaved rounds)")
        with world() as made:
            api.measure(report, made)
    if "whole" in asked:
        print("a whole running copy")
        whole.measure(report)
    report.save()
    print(f"kept in {RESULTS.relative_to(RESULTS.parents[2])}")


if __name__ == "__main__":
    main()
