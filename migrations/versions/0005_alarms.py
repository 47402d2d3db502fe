"""Alarms: what a state rests on, rules that remember, maintenance and silences, and who was told of what."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_NONE = sa.text("''")
_NOTHING = sa.text("'[]'")
_ZERO = sa.text("0")


def upgrade() -> None:
    """Go to this version; an alert that is open keeps its place, an older one of the same subject is closed."""
    _states()
    _alerts()
    _planned()
    _told()


def _states() -> None:
    with op.batch_alter_table("device_state", schema=None) as batch_op:
        batch_op.add_column(sa.Column("beneath", sa.String(), nullable=False, server_default=_NONE))
        batch_op.add_column(sa.Column("silent_since", sa.DateTime(), nullable=True))
        batch_op.add_column(sa.Column("waited_s", sa.Float(), nullable=False, server_default=_ZERO))
        batch_op.add_column(sa.Column("overdue", sa.Integer(), nullable=False, server_default=_ZERO))
        batch_op.add_column(sa.Column("silent_order", sa.Integer(), nullable=False, server_default=_ZERO))
        batch_op.add_column(sa.Column("answered_order", sa.Integer(), nullable=False, server_default=_ZERO))
        batch_op.add_column(sa.Column("flaps", sa.Float(), nullable=False, server_default=_ZERO))
        batch_op.add_column(sa.Column("flapping", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.add_column(sa.Column("evidence", sa.JSON(), nullable=False, server_default=_NOTHING))
    op.execute("UPDATE device_state SET beneath = state")
    with op.batch_alter_table("state_change", schema=None) as batch_op:
        batch_op.add_column(sa.Column("evidence", sa.JSON(), nullable=False, server_default=_NOTHING))


def _alerts() -> None:
    with op.batch_alter_table("alert", schema=None) as batch_op:
        batch_op.alter_column("device_id", existing_type=sa.Integer(), nullable=True)
        batch_op.add_column(sa.Column("closed_why", sa.String(), nullable=False, server_default=_NONE))
        batch_op.add_column(sa.Column("open_key", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("evidence", sa.JSON(), nullable=False, server_default=_NOTHING))
        batch_op.add_column(sa.Column("acked_at", sa.DateTime(), nullable=True))
        batch_op.add_column(sa.Column("acked_by", sa.String(), nullable=False, server_default=_NONE))
        batch_op.add_column(sa.Column("acked_until", sa.DateTime(), nullable=True))
    op.execute(
        "UPDATE alert SET closed_at = opened_at WHERE closed_at IS NULL AND id NOT IN (SELECT max(id) FROM alert"
        " WHERE closed_at IS NULL GROUP BY device_id, rule, subject)"
    )
    op.execute(
        "UPDATE alert SET open_key = device_id || '/' || rule || '/' || subject WHERE closed_at IS NULL"
    )
    with op.batch_alter_table("alert", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_alert_open_key"), ["open_key"], unique=True)
    _table(
        "alert_note",
        sa.Column("alert_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("who", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        indexes=("alert_id",),
    )
    op.create_table(
        "rule_memory",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("device_id", sa.Integer(), nullable=True),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("memory", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"]),
        sa.PrimaryKeyConstraint("key"),
    )
    with op.batch_alter_table("rule_memory", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_rule_memory_device_id"), ["device_id"], unique=False)


def _planned() -> None:
    _table(
        "silence",
        sa.Column("selector", sa.String(), nullable=False),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("until", sa.DateTime(), nullable=False),
        sa.Column("who", sa.String(), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
    )
    _table(
        "maintenance",
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("selector", sa.String(), nullable=False),
        sa.Column("start", sa.DateTime(), nullable=False),
        sa.Column("end", sa.DateTime(), nullable=True),
        sa.Column("every", sa.String(), nullable=False),
        sa.Column("ends_early", sa.Boolean(), nullable=False),
        sa.Column("away_at", sa.DateTime(), nullable=True),
        sa.Column("ended_at", sa.DateTime(), nullable=True),
        sa.Column("cause", sa.String(), nullable=False),
        sa.Column("who", sa.String(), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        unique=("name",),
    )


def _told() -> None:
    _table(
        "notification",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("alert_id", sa.Integer(), nullable=True),
        sa.Column("event", sa.String(), nullable=False),
        sa.Column("route", sa.String(), nullable=False),
        sa.Column("severity", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("due_at", sa.DateTime(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("claimed_until", sa.DateTime(), nullable=True),
        sa.Column("sent_at", sa.DateTime(), nullable=True),
        sa.Column("error", sa.String(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        indexes=("alert_id", "status"),
        unique=("key",),
    )
    _table(
        "delivery",
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("route", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("receiver", sa.String(), nullable=False),
        sa.Column("notifications", sa.JSON(), nullable=False),
        sa.Column("result", sa.String(), nullable=False),
        sa.Column("detail", sa.String(), nullable=False),
        sa.Column("took_s", sa.Float(), nullable=False),
        indexes=("at",),
    )
    op.create_table(
        "notify_cursor",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("value", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )


def _table(
    name: str, *columns: "sa.Column[object]", indexes: tuple[str, ...] = (), unique: tuple[str, ...] = ()
) -> None:
    op.create_table(
        name, sa.Column("id", sa.Integer(), nullable=False), *columns, sa.PrimaryKeyConstraint("id")
    )
    with op.batch_alter_table(name, schema=None) as batch_op:
        for column in indexes:
            batch_op.create_index(batch_op.f(f"ix_{name}_{column}"), [column], unique=False)
        for column in unique:
            batch_op.create_index(batch_op.f(f"ix_{name}_{column}"), [column], unique=True)
