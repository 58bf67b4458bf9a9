"""The demo shop's two API keys, whose texts are known to everybody and work in a demo alone."""

from __future__ import annotations

import datetime as dt

from demo.cast import Cast
from demo.rows import Rows
from webapp import accounts
from webapp.accounts import API_VERSION, KeyKind
from webapp.kernel import ids

SHOP, MAKER = "lotus", "ravi"
SECRET = "sk_test_demo_only_lotus_tea_house_secret_0000000000"  # noqa: S105 - known to everybody
PUBLISHABLE = "pk_test_demo_only_lotus_tea_house_publishable_00001"
KEYS = (
    (KeyKind.SECRET, "Web shop server", SECRET),
    (KeyKind.PUBLISHABLE, "Web shop pages", PUBLISHABLE),
)


def hand_out(rows: Rows, cast: Cast, at: dt.datetime) -> None:
    """Write the two keys of the demo's first shop, made by its owner at `at`."""
    for kind, name, token in KEYS:
        rows.add(
            "api_key",
            id=rows.chance.id("api_key", at),
            merchant_id=cast.merchants[SHOP].id,
            livemode=False,
            kind=kind,
            name=name,
            prefix=accounts.prefix_of(kind, livemode=False),
            last_four=token[-4:],
            token_hash=ids.token_hash(token),
            api_version=API_VERSION,
            created_at=at,
            created_by=cast.users[MAKER].id,
            metadata={},
        )
