"""Plans know their risk and who approved them; jobs know their steps, and hosts how they were found afterwards."""

import sqlalchemy as sa
from alembic import op

from inventory.models import UtcDateTime

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Go to this version."""
    op.create_table(
        "approval",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("plan_id", sa.Integer(), nullable=False),
        sa.Column("who", sa.String(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("seal", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["plan_id"], ["plan.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_approval_plan_id", "approval", ["plan_id"])
    op.create_table(
        "job_step",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("job_id", sa.Integer(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("detail", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["job.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_job_step_job_id", "job_step", ["job_id"])
    _widen()


def _widen() -> None:
    empty, none, zero = sa.text("''"), sa.text("false"), sa.text("0")
    with op.batch_alter_table("plan", schema=None) as plan:
        plan.add_column(sa.Column("risk", sa.String(), nullable=False, server_default=sa.text("'medium'")))
        plan.add_column(sa.Column("needs_approval", sa.Boolean(), nullable=False, server_default=none))
        plan.add_column(sa.Column("finding_id", sa.Integer(), nullable=True))
        plan.add_column(sa.Column("radius", sa.JSON(), nullable=False, server_default=sa.text("'{}'")))
    with op.batch_alter_table("job", schema=None) as job:
        job.add_column(sa.Column("resumes", sa.Integer(), nullable=True))
        job.add_column(sa.Column("cancelled_by", sa.String(), nullable=False, server_default=empty))
        job.add_column(sa.Column("origin", sa.String(), nullable=False, server_default=empty))
    with op.batch_alter_table("host_result", schema=None) as host:
        host.add_column(sa.Column("batch", sa.Integer(), nullable=False, server_default=zero))
        host.add_column(sa.Column("duration_s", sa.Float(), nullable=True))
        for name in ("before", "after", "verdict"):
            host.add_column(sa.Column(name, sa.String(), nullable=False, server_default=empty))
        host.add_column(sa.Column("rolled_back", sa.Boolean(), nullable=False, server_default=none))
