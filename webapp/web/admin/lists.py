"""What the admins' lists read from their address: which page, which status, what was typed."""

from __future__ import annotations

from dataclasses import dataclass

from flask import request

from webapp.kernel.paging import PageRequest, page_request


@dataclass(frozen=True, slots=True)
class Asked:
    """The part of a list that is asked for; `status` None means all, `typed` may be empty."""

    page: PageRequest
    status: str | None
    typed: str

    @property
    def kept(self) -> dict[str, str]:
        """The filters in force, as the parameters of an address."""
        found = {"status": self.status or "", "q": self.typed}
        return {name: value for name, value in found.items() if value}


def asked_list() -> Asked:
    """Return what the address asks for; raises Invalid for a cursor that is not ours."""
    page = page_request(older=request.args.get("older"), newer=request.args.get("newer"))
    return Asked(page, request.args.get("status") or None, request.args.get("q", "").strip())
