"""Findings: what is wrong and until when, what compliance and exposure rest on, and third parties' access windows."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

_TEXT = ("source", "rule", "subject", "severity", "article", "title", "detail")


def upgrade() -> None:
    """Go to this version."""
    op.create_table(
        "finding",
        sa.Column("id", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.String(), nullable=False) for name in _TEXT),
        sa.Column("device_id", sa.Integer(), nullable=True),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.Column("evidence_at", sa.DateTime(), nullable=True),
        sa.Column("first_seen", sa.DateTime(), nullable=False),
        sa.Column("last_seen", sa.DateTime(), nullable=False),
        sa.Column("playbook", sa.String(), nullable=False),
        sa.Column("params", sa.JSON(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("due", sa.Date(), nullable=True),
        sa.Column("accepted_until", sa.DateTime(), nullable=True),
        sa.Column("accepted_by", sa.String(), nullable=False),
        sa.Column("accepted_why", sa.String(), nullable=False),
        sa.Column("closed_at", sa.DateTime(), nullable=True),
        sa.Column("closed_why", sa.String(), nullable=False),
        sa.Column("open_key", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("finding", schema=None) as batch_op:
        for column in ("source", "rule", "device_id", "closed_at"):
            batch_op.create_index(batch_op.f(f"ix_finding_{column}"), [column], unique=False)
        batch_op.create_index(batch_op.f("ix_finding_open_key"), ["open_key"], unique=True)
    _judged()
    _windows()


def _judged() -> None:
    op.create_table(
        "compliance",
        sa.Column("device_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("evidence_at", sa.DateTime(), nullable=True),
        sa.Column("sha256", sa.String(), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("met", "broken", "unknown")),
        sa.Column("results", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"]),
        sa.PrimaryKeyConstraint("device_id"),
    )
    op.create_table(
        "exposure",
        sa.Column("device_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("doors", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"]),
        sa.PrimaryKeyConstraint("device_id"),
    )


def _windows() -> None:
    texts = ("person", "provider", "login", "selector", "approved_by", "why", "closed_by")
    op.create_table(
        "access_window",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        *(sa.Column(name, sa.String(), nullable=False) for name in texts),
        sa.Column("start", sa.DateTime(), nullable=False),
        sa.Column("end", sa.DateTime(), nullable=False),
        sa.Column("closed_at", sa.DateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("access_window", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_access_window_name"), ["name"], unique=True)
