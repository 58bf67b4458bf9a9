"""A cell of an export can be opened in a spreadsheet without running anything."""

from __future__ import annotations

import csv
import io

import pytest

from webapp.web.merchant.exports import COLUMNS, guarded, payment_lines


@pytest.mark.parametrize(
    "cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1", '=HYPERLINK("http://x")']
)
def test_what_looks_like_a_formula_is_quoted(cell: str) -> None:
    assert guarded(cell) == f"'{cell}"


@pytest.mark.parametrize(
    ("cell", "safe"),
    [
        (" =1+1", "' =1+1"),
        ('x;=HYPERLINK("http://x")', 'x;\'=HYPERLINK("http://x")'),
        ("; =1", "; '=1"),
        ("x\n=1", "x\n'=1"),
        ("=1;@2", "'=1;'@2"),
    ],
)
def test_no_part_of_a_cell_is_a_formula_where_spreadsheets_split_it(cell: str, safe: str) -> None:
    assert guarded(cell) == safe


@pytest.mark.parametrize("cell", ["", "1000.00", "Two chairs", "a=b", "pay_01J", "tea - x", "a; b"])
def test_other_text_is_left_alone(cell: str) -> None:
    assert guarded(cell) == cell


def test_an_empty_export_still_has_its_head() -> None:
    lines = list(payment_lines([], "Asia/Kolkata"))
    head = next(csv.reader(io.StringIO("".join(lines).removeprefix("\ufeff"))))
    assert len(head) == len(COLUMNS)
    assert "created (Asia/Kolkata)" in head
    assert "created_utc" in head
