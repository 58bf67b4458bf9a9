"""The API holds what its document says, for thousands of made-up requests of every role.

`FUZZ_CASES` says about how many; a small share runs with the other tests. How many there were
stands in the output of a run with `-rP`.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from jobs.subscriptions import ROUTES
from supervisor.stores import Stores
from tests.api.desk import a_shop, a_user
from tests.api.fuzzing import Fuzzer, callers_of, main_role
from tests.builders import a_person, an_admin
from tests.portal import cloned, dispose, environment
from tests.provider_process import running_sandbox
from webapp import api, config
from webapp.api import limits
from webapp.api.caller import MERCHANT_HEADER
from webapp.app import create_app
from webapp.kernel import db

CASES = int(os.environ.get("FUZZ_CASES", "1000"))


@pytest.mark.requirement("S2-110")
def test_no_made_up_request_ends_in_a_fault_or_an_answer_that_is_not_told(
    stores: Stores, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(limits, "PER_ADDRESS", 10**9)
    with cloned(stores) as database, running_sandbox(tmp_path) as sandbox:
        env = environment(stores, database) | {
            "API_RATE_PER_KEY": "1000000",
            "LOG_LEVEL": "ERROR",
            "PROVIDER_ORIGIN": sandbox.origin,
        }
        app = create_app(config.read(env), ROUTES)
        with app.app_context():
            shop = a_shop(app)
            member = a_user(app, shop.owner, **{MERCHANT_HEADER: shop.merchant_id})
            callers = callers_of(shop, a_user(app, a_person()), a_user(app, an_admin()), member)
            findings = Fuzzer(app, callers).run(CASES)
            db.session.remove()
        dispose(app)
    told = json.dumps(findings.wrong, indent=1)
    faults = sum(count for status, count in findings.statuses.items() if status >= 500)
    print(f"{findings.cases} cases, {faults} server errors, {len(findings.wrong)} violations")
    assert not [status for status in findings.statuses if status >= 500], told
    assert findings.wrong == {}, f"{len(findings.wrong)} of {findings.cases}: {told}"
    assert findings.cases >= min(CASES, 500)
    assert findings.statuses[200] + findings.statuses[201] > findings.cases / 20


def test_every_operation_has_a_role_that_may_call_it() -> None:
    roles = {main_role(operation) for operation in api.OPERATIONS.values()}
    assert roles <= {"secret", "shopper", "admin", "nobody"}
