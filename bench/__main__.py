"""`python -m bench [payments|whole]`: measure, print, and keep the figures in bench/results."""

from __future__ import annotations

import argparse

from bench import payments, whole
from bench.report import RESULTS, Report
from bench.world import world


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", nargs="*", choices=["payments", "whole"], default=[])
    asked = parser.parse_args().what or ["payments", "whole"]
    report = Report()
    if "payments" in asked:
        print("payments (low / median / high of interleaved rounds)")
        with world() as made:
            payments.measure(report, made)
    if "whole" in asked:
        print("a whole running copy")
        whole.measure(report)
    report.save()
    print(f"kept in {RESULTS.relative_to(RESULTS.parents[2])}")


if __name__ == "__main__":
    main()
