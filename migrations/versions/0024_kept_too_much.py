"""Takes out of the request log what it no longer keeps; and whose a kept card's token is."""

from __future__ import annotations

from alembic import op

from migrations import guards

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

#: Bodies that were kept with passwords in them, tokens of checkouts or addresses of payers. What
#: was sent is emptied; that it was sent stays.
WIPE = """
UPDATE api_request SET request_body = ''
WHERE request_body <> '' AND (
  path LIKE '/api/v1/auth/%' OR path = '/api/v1/users/me/password'
  OR request_body ~ '"(checkout|vpa)"');
UPDATE api_request SET response_body = ''
WHERE path LIKE '/api/v1/auth/%' OR response_body ~ '"vpa"';
"""

#: Row policies hide another merchant's tokens, so that a guard has to ask who may see them.
WHOSE = """
CREATE FUNCTION is_anothers_method(p_method text, p_merchant text) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
AS $$
  SELECT EXISTS (SELECT FROM payment_method
                 WHERE id = p_method AND merchant_id IS DISTINCT FROM p_merchant)
$$;
"""
FUNCTION = "is_anothers_method(text, text)"


def upgrade() -> None:
    """Empty what should not have been kept, and tell whose a token is."""
    op.execute(WIPE)
    op.execute(WHOSE)
    op.execute(f"REVOKE ALL ON FUNCTION {FUNCTION} FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION {FUNCTION} TO {guards.WEB}")


def downgrade() -> None:
    """Take the function away; what was emptied stays so."""
    op.execute(f"DROP FUNCTION {FUNCTION}")
