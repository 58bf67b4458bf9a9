"""Pages about the API that anybody may read: codes of errors, declines, and the API itself."""

from webapp.web.docs.routes import Codes, blueprint, use

__all__ = ["Codes", "blueprint", "use"]
