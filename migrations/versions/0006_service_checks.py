"""Services say how they are checked: the kind of check, what their answer must hold, and a plugin."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Go to this version."""
    with op.batch_alter_table("service", schema=None) as batch_op:
        for name in ("check", "expect", "expect_status", "plugin"):
            batch_op.add_column(sa.Column(name, sa.String(), nullable=False, server_default=sa.text("''")))
