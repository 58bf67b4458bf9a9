"""What this room refuses."""

from __future__ import annotations

from webapp.kernel.errors import NotFound


class RequestNotFound(NotFound):
    """No such request is kept, or it is another merchant's."""

    code = "request_not_found"
    says = "No request with that id is kept. They are kept for thirty days."
