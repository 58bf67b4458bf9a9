"""Whether the portal is well: for people, load balancers, collectors and the start command."""

from webapp.web.status import metrics
from webapp.web.status.routes import blueprint

__all__ = ["blueprint", "metrics"]
