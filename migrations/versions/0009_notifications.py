"""Messages in people's inboxes, and mails."""

from __future__ import annotations

from alembic import op

from migrations import guards

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE message (
  id text COLLATE "C" NOT NULL, user_id text COLLATE "C" NOT NULL,
  merchant_id text COLLATE "C", livemode boolean NOT NULL,
  kind text NOT NULL, text text NOT NULL,
  about_kind text NOT NULL, about_id text COLLATE "C" NOT NULL,
  fact_id text COLLATE "C" NOT NULL,
  created_at timestamptz NOT NULL, read_at timestamptz,
  CONSTRAINT pk_message PRIMARY KEY (id),
  CONSTRAINT uq_message_fact_id_user_id UNIQUE (fact_id, user_id),
  CONSTRAINT fk_message_fact_id FOREIGN KEY (fact_id) REFERENCES fact (id),
  CONSTRAINT fk_message_user_id FOREIGN KEY (user_id) REFERENCES app_user (id));
CREATE INDEX ix_message_user_id_id ON message (user_id, id DESC);
CREATE INDEX ix_message_unread ON message (user_id) WHERE read_at IS NULL;

CREATE TABLE mail (
  id text COLLATE "C" NOT NULL, template text NOT NULL, subject text NOT NULL,
  to_sealed text NOT NULL, to_index text NOT NULL,
  text_sealed text NOT NULL, html_sealed text NOT NULL,
  about_id text COLLATE "C" NOT NULL, fact_id text COLLATE "C",
  status text NOT NULL, tries int NOT NULL, last_error text,
  created_at timestamptz NOT NULL, due_at timestamptz NOT NULL, sent_at timestamptz,
  CONSTRAINT pk_mail PRIMARY KEY (id),
  CONSTRAINT uq_mail_fact_id_template UNIQUE (fact_id, template),
  CONSTRAINT fk_mail_fact_id FOREIGN KEY (fact_id) REFERENCES fact (id),
  CONSTRAINT ck_mail_status CHECK (status IN ('waiting', 'sent', 'failed', 'simulated')),
  CONSTRAINT ck_mail_subject CHECK (subject !~ '[\\r\\n]'),
  CONSTRAINT ck_mail_tries CHECK (tries >= 0),
  CONSTRAINT ck_mail_sent_at CHECK ((status = 'sent') = (sent_at IS NOT NULL)));
CREATE INDEX ix_mail_due ON mail (due_at, id) WHERE status = 'waiting';
CREATE INDEX ix_mail_simulated ON mail (id DESC) WHERE status = 'simulated';
"""

#: The portal may write mails, and read only those of the demo mailbox, which were never sent.
POLICIES = """
ALTER TABLE mail ENABLE ROW LEVEL SECURITY;
CREATE POLICY web_writes ON mail FOR INSERT TO paydeck_web
  WITH CHECK (status = 'waiting' AND tries = 0 AND fact_id IS NULL);
CREATE POLICY web_reads ON mail FOR SELECT TO paydeck_web USING (status = 'simulated');
CREATE POLICY worker_rows ON mail TO paydeck_worker USING (true) WITH CHECK (true);
CREATE POLICY admin_rows ON mail FOR SELECT TO paydeck_admin USING (true);
CREATE POLICY admin_writes ON mail FOR INSERT TO paydeck_admin
  WITH CHECK (status = 'waiting' AND tries = 0 AND fact_id IS NULL);
"""


def upgrade() -> None:
    """Make the tables."""
    op.execute(TABLES)
    guards.grant(
        op, "message", web="SELECT, UPDATE (read_at)", admin="SELECT", worker="SELECT, INSERT"
    )
    guards.row_policy(op, "message", guards.USER_MATCHES)
    guards.grant(
        op,
        "mail",
        web="SELECT, INSERT",
        admin="SELECT, INSERT",
        worker="SELECT, INSERT, UPDATE (status, tries, last_error, due_at, sent_at)",
    )
    op.execute(POLICIES)


def downgrade() -> None:
    """Take the tables away."""
    op.execute("DROP TABLE mail, message")
