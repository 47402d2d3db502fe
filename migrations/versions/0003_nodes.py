"""Where a MAC hangs: at which switch, port and VLAN, and whether that port only leads to other switches."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Go to this version."""
    with op.batch_alter_table("node", schema=None) as batch_op:
        batch_op.add_column(sa.Column("switch_id", sa.Integer(), nullable=True))
        batch_op.add_column(
            sa.Column("switch_port", sa.String(), nullable=False, server_default=sa.text("''"))
        )
        batch_op.add_column(sa.Column("vlan", sa.String(), nullable=False, server_default=sa.text("''")))
        batch_op.add_column(sa.Column("uplink", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.create_index(batch_op.f("ix_node_switch_id"), ["switch_id"], unique=False)
        batch_op.create_foreign_key("fk_node_switch_id", "device", ["switch_id"], ["id"])
