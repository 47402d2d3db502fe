"""What the readiness report asks for: documents about a row with a result, money, risks, tests, walks through rooms."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

_EMPTY = sa.text("''")


def upgrade() -> None:
    """Go to this version."""
    with op.batch_alter_table("evidence", schema=None) as batch_op:
        for name in ("target_noun", "target", "result", "media_type"):
            batch_op.add_column(sa.Column(name, sa.String(), nullable=False, server_default=_EMPTY))
        batch_op.add_column(sa.Column("size_bytes", sa.BigInteger(), nullable=True))
    with op.batch_alter_table("account", schema=None) as batch_op:
        batch_op.add_column(sa.Column("via_jump_host", sa.Boolean(), nullable=True))
    for name, columns in _TABLES.items():
        _table(name, [sa.Column(c, *kind, nullable=nullable) for c, kind, nullable in columns])


def _table(name: str, columns: list["sa.Column[Any]"]) -> None:
    """Make a noun's table with what every noun has, and an index on each reference."""
    op.create_table(
        name,
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("notes", sa.String(), nullable=False),
        sa.Column("custom", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        *columns,
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table(name, schema=None) as batch_op:
        batch_op.create_index(batch_op.f(f"ix_{name}_name"), ["name"], unique=True)
        for column in columns:
            if column.foreign_keys:
                batch_op.create_index(batch_op.f(f"ix_{name}_{column.name}"), [column.name], unique=False)


def _ref(column: str, table: str, *, required: bool = False) -> tuple[str, tuple[Any, ...], bool]:
    return column, (sa.Integer(), sa.ForeignKey(f"{table}.id")), not required


def _plain(column: str, kind: Any, *, empty: bool = False) -> tuple[str, tuple[Any, ...], bool]:
    return column, (kind,), empty


_TEXT, _DAY, _BIG, _BOOL = sa.String(), sa.Date(), sa.BigInteger(), sa.Boolean()
_TABLES = {
    "budget": (
        _plain("year", sa.Integer()),
        _plain("ceiling_idr", _BIG),
        _plain("realised_idr", _BIG, empty=True),
        _plain("as_of", _DAY, empty=True),
        _ref("evidence_id", "evidence"),
    ),
    "restitution": (
        _ref("contract_id", "contract", required=True),
        _plain("month", _DAY),
        _plain("amount_idr", _BIG),
        _plain("dated", _DAY, empty=True),
        _plain("paid_idr", _BIG, empty=True),
    ),
    "capacity_test": (
        _ref("connection_id", "connection"),
        _ref("link_id", "link"),
        _plain("at", sa.DateTime()),
        _plain("down_bps", _BIG, empty=True),
        _plain("up_bps", _BIG, empty=True),
        _plain("how", _TEXT),
        _ref("evidence_id", "evidence"),
    ),
    "risk": (
        _plain("title", _TEXT),
        _plain("severity", _TEXT),
        _ref("person_id", "person"),
        _plain("target_noun", _TEXT),
        _plain("target", _TEXT),
        _plain("opened", _DAY, empty=True),
        _plain("due", _DAY, empty=True),
        _plain("closed", _DAY, empty=True),
    ),
    "milestone": (
        _plain("title", _TEXT),
        _plain("quick_win", _BOOL),
        _ref("person_id", "person"),
        _plain("due", _DAY, empty=True),
        _plain("done", _DAY, empty=True),
        _ref("evidence_id", "evidence"),
    ),
    "room_check": (
        _ref("place_id", "place", required=True),
        _plain("dated", _DAY),
        *(
            _plain(c, _BOOL, empty=True)
            for c in ("door_control", "door_log", "cctv", "visitor_log", "fire_detection")
        ),
        _plain("signer", _TEXT),
    ),
    "advisory": (
        _plain("title", _TEXT),
        _plain("platform", _TEXT),
        _plain("severity", _TEXT),
        _plain("exploited", _BOOL),
        _plain("published", _DAY, empty=True),
        _plain("since_version", _TEXT),
        _plain("fixed_version", _TEXT),
    ),
}
