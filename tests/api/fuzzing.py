"""Requests made up from our own OpenAPI document, right and wrong ones, and what must hold of each.

They are asked of the app in this process, without a server in between.

Every check of schemathesis runs but two: that a valid request succeeds (a rule beyond any schema
may refuse it), and one that needs two users of one operation, which test_who_may tries for all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import schemathesis
from flask import Flask, g
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import CHECKS
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok

from tests.api.desk import Program, Shop, an_address
from webapp import api
from webapp.api.routing import Operation
from webapp.kernel import db

LEFT_OUT = frozenset({"positive_data_acceptance", "object_level_authorization"})
#: Of the cases of an operation, how many its own kind of caller gets; the others share the rest.
MAIN_SHARE = 0.6
MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)


@dataclass
class Findings:
    """What a run has seen: cases by status, and each thing that should not be, told once."""

    statuses: Counter[int] = field(default_factory=Counter)
    wrong: dict[str, str] = field(default_factory=dict)

    @property
    def cases(self) -> int:
        """How many requests were checked."""
        return sum(self.statuses.values())


@dataclass(frozen=True)
class Fuzzer:
    """One app, its document, and the callers by role."""

    app: Flask
    callers: dict[str, Program]
    findings: Findings = field(default_factory=Findings)

    def run(self, cases: int) -> Findings:
        """Ask about `cases` requests, spread over all operations and roles; the same each time."""
        schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", self._each_request_afresh)
        by_name = {one.name: one for one in api.OPERATIONS.values()}
        found = [result.ok() for result in schema.get_all_operations() if isinstance(result, Ok)]
        each = cases / len(found)
        for number, target in enumerate(found):
            operation = by_name[target.definition.raw["operationId"]]
            for role, count in shares(operation, list(self.callers), each, turn=number):
                for mode in MODES:
                    self._ask(target, role, mode, count, seeded=number)
        return self.findings

    def _ask(
        self, target: Any, role: str, mode: GenerationMode, count: int, *, seeded: int
    ) -> None:
        check = self._checking(role)
        if mode is GenerationMode.NEGATIVE and not target.body and not target.query:
            return

        @seed(seeded)
        @settings(
            max_examples=count,
            database=None,
            deadline=None,
            phases=(Phase.generate,),
            suppress_health_check=list(HealthCheck),
        )
        @given(case=target.as_strategy(generation_mode=mode))
        def explore(case: Case[Any]) -> None:
            # A list without entries leaves no trace in an address: nothing wrong is sent then.
            if mode is GenerationMode.POSITIVE or [] not in (case.query or {}).values():
                check(case)

        explore()

    def _checking(self, role: str) -> Callable[[Case[Any]], None]:
        program = self.callers[role]
        headers = dict(program.headers)
        if program.token:
            headers["Authorization"] = f"Bearer {program.token}"
        left_out: Any = list(CHECKS.get_by_names(sorted(LEFT_OUT)))

        def check(case: Case[Any]) -> None:
            answer = case.call(headers=headers)
            self.findings.statuses[answer.status_code] += 1
            try:
                case.validate_response(answer, excluded_checks=left_out, headers=headers)
            except FailureGroup as group:
                for one in group.exceptions:
                    name = f"{role} {case.method} {case.path}: {type(one).__name__}"
                    self.findings.wrong.setdefault(name, f"{one}\n{case.as_curl_command()}"[:2_000])

        return check

    def _each_request_afresh(self, environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        """Serve as a server does: nothing is left of the request before, each from elsewhere."""
        db.end_reads()
        for name in list(g):
            g.pop(name)
        environ["REMOTE_ADDR"] = an_address()
        return self.app.wsgi_app(environ, start)


def shares(
    operation: Operation, roles: list[str], each: float, *, turn: int
) -> Iterator[tuple[str, int]]:
    """Give roles their numbers of right (and of wrong) requests at an operation.

    Where there are too few for all, one of the others has its turn.
    """
    main = main_role(operation)
    others = [role for role in roles if role != main]
    yield main, max(1, round(each * MAIN_SHARE / len(MODES)))
    of_others = round(each * (1 - MAIN_SHARE) / len(others) / len(MODES))
    for role in others if of_others else [others[turn % len(others)]]:
        yield role, max(1, of_others)


def main_role(operation: Operation) -> str:
    """Return the role of a caller whom the operation is for."""
    needs = operation.needs
    if needs.anyone:
        return "nobody"
    if needs.admin:
        return "admin"
    return "secret" if needs.scope else "shopper"


def callers_of(shop: Shop, shopper: Program, admin: Program, member: Program) -> dict[str, Program]:
    """Return a caller of each role at a shop."""
    return {
        "secret": shop.program(),
        "publishable": shop.program(kind="publishable"),
        "shopper": shopper,
        "member": member,
        "admin": admin,
        "nobody": Program(shop.program().client),
    }
