"""A pytest plug-in that turns every skipped test into a failure when --no-skips is given."""

from collections.abc import Generator

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --no-skips, for machines on which everything is expected to run."""
    parser.addoption(
        "--no-skips",
        action="store_true",
        help="a test that skips fails, with its reason",
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Report a skip as a failure that names the reason, when --no-skips is given."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and item.config.getoption("--no-skips"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"skipped, and nothing may be skipped here: {reason}"
    return report
