"""Lists, searches and expanded fields, the same way for every kind of object."""

import re
from dataclasses import dataclass

from sandbox.store import Json, Transaction
from sandbox.wire import ApiError, Call, Params, invalid

_KINDS = {
    "ch_": "charge",
    "cs_": "checkout.session",
    "cus_": "customer",
    "pi_": "payment_intent",
    "pm_": "payment_method",
    "re_": "refund",
    "txn_": "balance_transaction",
}
_EXPANDABLE = {
    "balance_transaction",
    "charge",
    "customer",
    "failure_balance_transaction",
    "latest_charge",
    "payment_intent",
    "payment_method",
    "source",
}
_DEEPEST = 4
_MOST = 100
_COMPARISONS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
_CLAUSE = re.compile(
    r"""\s*(?:metadata\[["'](?P<label>[^"']+)["']\]|(?P<field>status|currency|amount))"""
    r"""\s*:\s*["']?(?P<value>[^"']*)["']?\s*""",
)


@dataclass(frozen=True, slots=True)
class Condition:
    """A piece of SQL written by us and the values that fill it."""

    sql: str = "1 = 1"
    values: tuple[object, ...] = ()

    def and_also(self, sql: str, *values: object) -> "Condition":
        """This condition and another one."""
        return Condition(f"{self.sql} AND {sql}", (*self.values, *values))


def page(call: Call, kind: str, url: str, condition: Condition | None = None) -> Json:
    """One page of objects, newest first, from `limit`, the two cursors and `created`."""
    params = call.params
    limit = _limit(params)
    condition = _created(params, condition or Condition())
    after, before = params.text("starting_after"), params.text("ending_before")
    if after and before:
        raise invalid("You may only specify one of these parameters: starting_after, ending_before")
    if before:
        where = condition.and_also("nth > ?", _cursor(call.tx, kind, before, "ending_before"))
        found = call.tx.oldest(kind, where.sql, where.values, limit + 1)
        rows = found[:limit][::-1]
    else:
        if after:
            place = _cursor(call.tx, kind, after, "starting_after")
            condition = condition.and_also("nth < ?", place)
        found = call.tx.newest(kind, condition.sql, condition.values, limit + 1)
        rows = found[:limit]
    return {
        "object": "list",
        "data": [shown(call.tx, record.body) for record in rows],
        "has_more": len(found) > limit,
        "url": url,
    }


def _limit(params: Params) -> int:
    limit = params.integer("limit")
    if limit is None:
        return 10
    if not 1 <= limit <= _MOST:
        raise invalid(
            "This value must be between 1 and 100.",
            param="limit",
            code="parameter_invalid_integer",
        )
    return limit


def _cursor(tx: Transaction, kind: str, object_id: str, param: str) -> int:
    record = tx.find(kind, object_id)
    if record is None:
        raise ApiError(400, f"No such {kind}: '{object_id}'", code="resource_missing", param=param)
    return record.nth


def _created(params: Params, condition: Condition) -> Condition:
    raw = params.take("created")
    if raw is None:
        return condition
    wanted = raw if isinstance(raw, dict) else {"": raw}
    for name, value in wanted.items():
        comparison = "=" if name == "" else _COMPARISONS.get(name)
        if comparison is None or not str(value).isdigit():
            raise invalid("Invalid integer", param=f"created[{name}]" if name else "created")
        condition = condition.and_also(f"created {comparison} ?", int(value))
    return condition


def search(call: Call, kind: str, url: str) -> Json:
    """Objects that match `query`: clauses on metadata, status, currency and amount, joined by AND.

    The provider's own index lags behind by up to a minute; this one never does.
    """
    query = call.params.need_text("query")
    condition = Condition()
    for part in re.split(r"\s+AND\s+", query.strip()):
        clause = _CLAUSE.fullmatch(part)
        if clause is None:
            raise invalid(f"We were unable to parse the search clause: {part}", param="query")
        condition = _clause(condition, clause)
    limit = _limit(call.params)
    call.params.text("page")
    found = call.tx.newest(kind, condition.sql, condition.values, limit + 1)
    return {
        "object": "search_result",
        "data": [record.body for record in found[:limit]],
        "has_more": len(found) > limit,
        "next_page": None,
        "url": url,
    }


def _clause(condition: Condition, clause: re.Match[str]) -> Condition:
    if clause["label"] is not None:
        return condition.and_also(
            "id IN (SELECT object_id FROM labels WHERE name = ? AND value = ?)",
            clause["label"],
            clause["value"],
        )
    return condition.and_also(
        "CAST(body ->> ? AS TEXT) = ?", f"$.{clause['field']}", clause["value"]
    )


def shown(tx: Transaction, body: Json) -> Json:
    """The body as it reads now: money held back becomes available when its day has come."""
    if body["object"] == "balance_transaction" and body["available_on"] <= tx.now:
        return body | {"status": "available"}
    return body


def expanded(tx: Transaction, body: Json, paths: list[str]) -> Json:
    """The body with the fields named in `expand[]` shown as whole objects."""
    for path in paths:
        steps = path.split(".")
        if len(steps) > _DEEPEST:
            raise invalid(f"You cannot expand more than {_DEEPEST} levels of a property.")
        if steps[0] == "data" and isinstance(body.get("data"), list):
            body["data"] = [_expand(tx, entry, steps[1:]) for entry in body["data"]]
        else:
            body = _expand(tx, body, steps)
    return body


def _expand(tx: Transaction, body: Json, steps: list[str]) -> Json:
    name, *rest = steps
    if name not in _EXPANDABLE or name not in body:
        raise invalid(f"This property cannot be expanded ({name}).", param="expand")
    value = body[name]
    if isinstance(value, str):
        kind = _KINDS.get(value.split("_")[0] + "_")
        record = tx.find(kind, value) if kind else None
        value = shown(tx, record.body) if record else value
    if rest and isinstance(value, dict):
        value = _expand(tx, value, rest)
    return body | {name: value}
