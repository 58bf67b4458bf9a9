"""The admins' door: merchants, people, payments, money set aside, the audit trail and health."""

from webapp.web.admin.door import blueprint

__all__ = ["blueprint"]
