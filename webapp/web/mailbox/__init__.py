"""The demo mailbox: mails that were written and, having no mail server, not sent."""

from webapp.web.mailbox.routes import blueprint

__all__ = ["blueprint"]
