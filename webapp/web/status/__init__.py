"""Whether the portal is well: for people, load balancers and the start command."""

from webapp.web.status.routes import blueprint

__all__ = ["blueprint"]
