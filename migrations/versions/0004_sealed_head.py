"""The head of the history bears a seal: an HMAC under a key that is not in the database."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Go to this version; inventory.database seals the head that is there, which takes the key."""
    with op.batch_alter_table("history_head", schema=None) as batch_op:
        batch_op.add_column(sa.Column("seal", sa.String(), nullable=False, server_default=sa.text("''")))
