"""The whole inventory: addresses, people, papers, goods, services' needs; custom fields and revisions on every row."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Go to this version."""
    op.create_table(
        "event_told",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("change_id", sa.Integer(), nullable=False),
        sa.Column("sent_at", sa.DateTime(), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("tried_at", sa.DateTime(), nullable=True),
        sa.Column("error", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "evidence",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("notes", sa.String(), nullable=False),
        sa.Column("custom", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("dated", sa.Date(), nullable=False),
        sa.Column("signer", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("evidence", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_evidence_name"), ["name"], unique=True)

    op.create_table(
        "history_head",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("entries", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "note",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("notes", sa.String(), nullable=False),
        sa.Column("custom", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("target_noun", sa.String(), nullable=False),
        sa.Column("target", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("who", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("note", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_note_name"), ["name"], unique=True)

    op.create_table(
        "component",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("notes", sa.String(), nullable=False),
        sa.Column("custom", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("device_type_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("mgmt_only", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["device_type_id"],
            ["device_type.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("component", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_component_device_type_id"), ["device_type_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_component_name"), ["name"], unique=True)

    op.create_table(
        "vlan_group",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("notes", sa.String(), nullable=False),
        sa.Column("custom", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("place_id", sa.Integer(), nullable=True),
        sa.Column("first_vid", sa.Integer(), nullable=False),
        sa.Column("last_vid", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["place_id"],
            ["place.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("vlan_group", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_vlan_group_name"), ["name"], unique=True)
        batch_op.create_index(batch_op.f("ix_vlan_group_place_id"), ["place_id"], unique=False)

    op.create_table(
        "layer",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("notes", sa.String(), nullable=False),
        sa.Column("custom", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("place_id", sa.Integer(), nullable=True),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("platform", sa.String(), nullable=False),
        sa.Column("agency_id", sa.Integer(), nullable=True),
        sa.Column("tag", sa.String(), nullable=False),
        sa.Column("vars", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["agency_id"],
            ["agency.id"],
        ),
        sa.ForeignKeyConstraint(
            ["place_id"],
            ["place.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("layer", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_layer_agency_id"), ["agency_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_layer_name"), ["name"], unique=True)
        batch_op.create_index(batch_op.f("ix_layer_place_id"), ["place_id"], unique=False)

    op.create_table(
        "person",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("notes", sa.String(), nullable=False),
        sa.Column("custom", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("nip", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("agency_id", sa.Integer(), nullable=True),
        sa.Column("place_id", sa.Integer(), nullable=True),
        sa.Column("provider_id", sa.Integer(), nullable=True),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("fte", sa.Float(), nullable=True),
        sa.Column("competences", sa.String(), nullable=False),
        sa.Column("on_call", sa.Boolean(), nullable=False),
        sa.Column("on_duty", sa.String(), nullable=False),
        sa.Column("phone", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("telegram", sa.String(), nullable=False),
        sa.Column("active_from", sa.Date(), nullable=True),
        sa.Column("active_to", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["agency_id"],
            ["agency.id"],
        ),
        sa.ForeignKeyConstraint(
            ["place_id"],
            ["place.id"],
        ),
        sa.ForeignKeyConstraint(
            ["provider_id"],
            ["provider.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("person", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_person_agency_id"), ["agency_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_person_name"), ["name"], unique=True)
        batch_op.create_index(batch_op.f("ix_person_place_id"), ["place_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_person_provider_id"), ["provider_id"], unique=False)

    op.create_table(
        "stock_take",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("notes", sa.String(), nullable=False),
        sa.Column("custom", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("place_id", sa.Integer(), nullable=True),
        sa.Column("agency_id", sa.Integer(), nullable=True),
        sa.Column("started", sa.DateTime(), nullable=False),
        sa.Column("ended", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["agency_id"],
            ["agency.id"],
        ),
        sa.ForeignKeyConstraint(
            ["place_id"],
            ["place.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("stock_take", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_stock_take_agency_id"), ["agency_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_stock_take_name"), ["name"], unique=True)
        batch_op.create_index(batch_op.f("ix_stock_take_place_id"), ["place_id"], unique=False)

    op.create_table(
        "vlan",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("notes", sa.String(), nullable=False),
        sa.Column("custom", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("vid", sa.Integer(), nullable=False),
        sa.Column("vlan_group_id", sa.Integer(), nullable=True),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("place_id", sa.Integer(), nullable=True),
        sa.Column("agency_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["agency_id"],
            ["agency.id"],
        ),
        sa.ForeignKeyConstraint(
            ["place_id"],
            ["place.id"],
        ),
        sa.ForeignKeyConstraint(
            ["vlan_group_id"],
            ["vlan_group.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("vlan", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_vlan_agency_id"), ["agency_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_vlan_name"), ["name"], unique=True)
        batch_op.create_index(batch_op.f("ix_vlan_place_id"), ["place_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_vlan_vlan_group_id"), ["vlan_group_id"], unique=False)

    op.create_table(
        "vrf",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("notes", sa.String(), nullable=False),
        sa.Column("custom", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("route_distinguisher", sa.String(), nullable=False),
        sa.Column("enforce_unique", sa.Boolean(), nullable=False),
        sa.Column("agency_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["agency_id"],
            ["agency.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("vrf", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_vrf_agency_id"), ["agency_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_vrf_name"), ["name"], unique=True)

    op.create_table(
        "certificate",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("notes", sa.String(), nullable=False),
        sa.Column("custom", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("area", sa.String(), nullable=False),
        sa.Column("issuer", sa.String(), nullable=False),
        sa.Column("issued", sa.Date(), nullable=True),
        sa.Column("expires", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["person.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("certificate", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_certificate_name"), ["name"], unique=True)
        batch_op.create_index(batch_op.f("ix_certificate_person_id"), ["person_id"], unique=False)

    op.create_table(
        "contact",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("notes", sa.String(), nullable=False),
        sa.Column("custom", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("target_noun", sa.String(), nullable=False),
        sa.Column("target", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["person.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("contact", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_contact_name"), ["name"], unique=True)
        batch_op.create_index(batch_op.f("ix_contact_person_id"), ["person_id"], unique=False)

    op.create_table(
        "custody",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("notes", sa.String(), nullable=False),
        sa.Column("custom", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("dated", sa.Date(), nullable=False),
        sa.Column("from_person_id", sa.Integer(), nullable=True),
        sa.Column("to_person_id", sa.Integer(), nullable=True),
        sa.Column("from_place_id", sa.Integer(), nullable=True),
        sa.Column("to_place_id", sa.Integer(), nullable=True),
        sa.Column("due", sa.Date(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["from_person_id"],
            ["person.id"],
        ),
        sa.ForeignKeyConstraint(
            ["from_place_id"],
            ["place.id"],
        ),
        sa.ForeignKeyConstraint(
            ["to_person_id"],
            ["person.id"],
        ),
        sa.ForeignKeyConstraint(
            ["to_place_id"],
            ["place.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("custody", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_custody_from_person_id"), ["from_person_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_custody_from_place_id"), ["from_place_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_custody_name"), ["name"], unique=True)
        batch_op.create_index(batch_op.f("ix_custody_to_person_id"), ["to_person_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_custody_to_place_id"), ["to_place_id"], unique=False)

    op.create_table(
        "ip_range",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("notes", sa.String(), nullable=False),
        sa.Column("custom", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("vrf_id", sa.Integer(), nullable=True),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("agency_id", sa.Integer(), nullable=True),
        sa.Column("family", sa.Integer(), nullable=False),
        sa.Column("first", sa.String(), nullable=False),
        sa.Column("last", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["agency_id"],
            ["agency.id"],
        ),
        sa.ForeignKeyConstraint(
            ["vrf_id"],
            ["vrf.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("ip_range", schema=None) as batch_op:
        batch_op.create_index("ip_range_span", ["vrf_id", "family", "first", "last"], unique=False)
        batch_op.create_index(batch_op.f("ix_ip_range_agency_id"), ["agency_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_ip_range_name"), ["name"], unique=True)
        batch_op.create_index(batch_op.f("ix_ip_range_vrf_id"), ["vrf_id"], unique=False)

    op.create_table(
        "prefix",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("notes", sa.String(), nullable=False),
        sa.Column("custom", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("vrf_id", sa.Integer(), nullable=True),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("pool", sa.Boolean(), nullable=False),
        sa.Column("place_id", sa.Integer(), nullable=True),
        sa.Column("agency_id", sa.Integer(), nullable=True),
        sa.Column("vlan_id", sa.Integer(), nullable=True),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("family", sa.Integer(), nullable=False),
        sa.Column("length", sa.Integer(), nullable=False),
        sa.Column("first", sa.String(), nullable=False),
        sa.Column("last", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["agency_id"],
            ["agency.id"],
        ),
        sa.ForeignKeyConstraint(
            ["place_id"],
            ["place.id"],
        ),
        sa.ForeignKeyConstraint(
            ["vlan_id"],
            ["vlan.id"],
        ),
        sa.ForeignKeyConstraint(
            ["vrf_id"],
            ["vrf.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("prefix", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_prefix_agency_id"), ["agency_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_prefix_name"), ["name"], unique=True)
        batch_op.create_index(batch_op.f("ix_prefix_place_id"), ["place_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_prefix_vlan_id"), ["vlan_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_prefix_vrf_id"), ["vrf_id"], unique=False)
        batch_op.create_index("prefix_span", ["vrf_id", "family", "first", "last"], unique=False)

    op.create_table(
        "asset",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("notes", sa.String(), nullable=False),
        sa.Column("custom", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("kode_barang", sa.String(), nullable=False),
        sa.Column("register_number", sa.String(), nullable=False),
        sa.Column("nibar", sa.String(), nullable=False),
        sa.Column("device_id", sa.Integer(), nullable=True),
        sa.Column("device_type_id", sa.Integer(), nullable=True),
        sa.Column("brand", sa.String(), nullable=False),
        sa.Column("specification", sa.String(), nullable=False),
        sa.Column("size", sa.String(), nullable=False),
        sa.Column("material", sa.String(), nullable=False),
        sa.Column("serial", sa.String(), nullable=False),
        sa.Column("frame_number", sa.String(), nullable=False),
        sa.Column("engine_number", sa.String(), nullable=False),
        sa.Column("plate_number", sa.String(), nullable=False),
        sa.Column("title_number", sa.String(), nullable=False),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("acquired", sa.Date(), nullable=True),
        sa.Column("price_idr", sa.BigInteger(), nullable=True),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("provider_id", sa.Integer(), nullable=True),
        sa.Column("order_number", sa.String(), nullable=False),
        sa.Column("contract_id", sa.Integer(), nullable=True),
        sa.Column("warranty_until", sa.Date(), nullable=True),
        sa.Column("eol", sa.Date(), nullable=True),
        sa.Column("useful_life_years", sa.Integer(), nullable=True),
        sa.Column("residual_idr", sa.BigInteger(), nullable=True),
        sa.Column("countable", sa.String(), nullable=False),
        sa.Column("condition", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("agency_id", sa.Integer(), nullable=True),
        sa.Column("place_id", sa.Integer(), nullable=True),
        sa.Column("custodian_id", sa.Integer(), nullable=True),
        sa.Column("verified_at", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["agency_id"],
            ["agency.id"],
        ),
        sa.ForeignKeyConstraint(
            ["contract_id"],
            ["contract.id"],
        ),
        sa.ForeignKeyConstraint(
            ["custodian_id"],
            ["person.id"],
        ),
        sa.ForeignKeyConstraint(
            ["device_id"],
            ["device.id"],
        ),
        sa.ForeignKeyConstraint(
            ["device_type_id"],
            ["device_type.id"],
        ),
        sa.ForeignKeyConstraint(
            ["place_id"],
            ["place.id"],
        ),
        sa.ForeignKeyConstraint(
            ["provider_id"],
            ["provider.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("asset", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_asset_agency_id"), ["agency_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_asset_contract_id"), ["contract_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_asset_custodian_id"), ["custodian_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_asset_device_id"), ["device_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_asset_device_type_id"), ["device_type_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_asset_kode_barang"), ["kode_barang"], unique=False)
        batch_op.create_index(batch_op.f("ix_asset_name"), ["name"], unique=True)
        batch_op.create_index(batch_op.f("ix_asset_place_id"), ["place_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_asset_provider_id"), ["provider_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_asset_serial"), ["serial"], unique=False)

    op.create_table(
        "node",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("notes", sa.String(), nullable=False),
        sa.Column("custom", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("mac", sa.String(), nullable=False),
        sa.Column("device_id", sa.Integer(), nullable=True),
        sa.Column("port", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("first_seen", sa.DateTime(), nullable=False),
        sa.Column("last_seen", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["device_id"],
            ["device.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("node", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_node_address"), ["address"], unique=False)
        batch_op.create_index(batch_op.f("ix_node_device_id"), ["device_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_node_mac"), ["mac"], unique=False)
        batch_op.create_index(batch_op.f("ix_node_name"), ["name"], unique=True)

    op.create_table(
        "proposal",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("notes", sa.String(), nullable=False),
        sa.Column("custom", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("device_id", sa.Integer(), nullable=True),
        sa.Column("score", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("first_seen", sa.DateTime(), nullable=False),
        sa.Column("last_seen", sa.DateTime(), nullable=False),
        sa.Column("decided_by", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["device_id"],
            ["device.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("proposal", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_proposal_device_id"), ["device_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_proposal_name"), ["name"], unique=True)
        batch_op.create_index(batch_op.f("ix_proposal_status"), ["status"], unique=False)

    op.create_table(
        "ticket",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("notes", sa.String(), nullable=False),
        sa.Column("custom", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("place_id", sa.Integer(), nullable=True),
        sa.Column("agency_id", sa.Integer(), nullable=True),
        sa.Column("device_id", sa.Integer(), nullable=True),
        sa.Column("opened", sa.DateTime(), nullable=False),
        sa.Column("acknowledged", sa.DateTime(), nullable=True),
        sa.Column("resolved", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["agency_id"],
            ["agency.id"],
        ),
        sa.ForeignKeyConstraint(
            ["device_id"],
            ["device.id"],
        ),
        sa.ForeignKeyConstraint(
            ["place_id"],
            ["place.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("ticket", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_ticket_agency_id"), ["agency_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_ticket_device_id"), ["device_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_ticket_name"), ["name"], unique=True)
        batch_op.create_index(batch_op.f("ix_ticket_place_id"), ["place_id"], unique=False)

    op.create_table(
        "account",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("notes", sa.String(), nullable=False),
        sa.Column("custom", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("provider_id", sa.Integer(), nullable=True),
        sa.Column("device_id", sa.Integer(), nullable=True),
        sa.Column("service_id", sa.Integer(), nullable=True),
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("mfa", sa.Boolean(), nullable=False),
        sa.Column("expires", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["device_id"],
            ["device.id"],
        ),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["person.id"],
        ),
        sa.ForeignKeyConstraint(
            ["provider_id"],
            ["provider.id"],
        ),
        sa.ForeignKeyConstraint(
            ["service_id"],
            ["service.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("account", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_account_device_id"), ["device_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_account_name"), ["name"], unique=True)
        batch_op.create_index(batch_op.f("ix_account_person_id"), ["person_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_account_provider_id"), ["provider_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_account_service_id"), ["service_id"], unique=False)

    op.create_table(
        "address",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("notes", sa.String(), nullable=False),
        sa.Column("custom", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("vrf_id", sa.Integer(), nullable=True),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("length", sa.Integer(), nullable=True),
        sa.Column("interface_id", sa.Integer(), nullable=True),
        sa.Column("device_id", sa.Integer(), nullable=True),
        sa.Column("agency_id", sa.Integer(), nullable=True),
        sa.Column("dns_name", sa.String(), nullable=False),
        sa.Column("family", sa.Integer(), nullable=False),
        sa.Column("first", sa.String(), nullable=False),
        sa.Column("seen_at", sa.DateTime(), nullable=True),
        sa.Column("seen_mac", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["agency_id"],
            ["agency.id"],
        ),
        sa.ForeignKeyConstraint(
            ["device_id"],
            ["device.id"],
        ),
        sa.ForeignKeyConstraint(
            ["interface_id"],
            ["interface.id"],
        ),
        sa.ForeignKeyConstraint(
            ["vrf_id"],
            ["vrf.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("address", schema=None) as batch_op:
        batch_op.create_index("address_span", ["vrf_id", "family", "first"], unique=False)
        batch_op.create_index(batch_op.f("ix_address_agency_id"), ["agency_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_address_device_id"), ["device_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_address_interface_id"), ["interface_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_address_name"), ["name"], unique=True)
        batch_op.create_index(batch_op.f("ix_address_vrf_id"), ["vrf_id"], unique=False)

    op.create_table(
        "custody_item",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("notes", sa.String(), nullable=False),
        sa.Column("custom", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("custody_id", sa.Integer(), nullable=False),
        sa.Column("asset_id", sa.Integer(), nullable=False),
        sa.Column("condition", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["asset_id"],
            ["asset.id"],
        ),
        sa.ForeignKeyConstraint(
            ["custody_id"],
            ["custody.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("custody_item", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_custody_item_asset_id"), ["asset_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_custody_item_custody_id"), ["custody_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_custody_item_name"), ["name"], unique=True)

    op.create_table(
        "dependency",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("notes", sa.String(), nullable=False),
        sa.Column("custom", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("service_id", sa.Integer(), nullable=False),
        sa.Column("target_noun", sa.String(), nullable=False),
        sa.Column("target", sa.String(), nullable=False),
        sa.Column("group", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["service_id"],
            ["service.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("dependency", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_dependency_name"), ["name"], unique=True)
        batch_op.create_index(batch_op.f("ix_dependency_service_id"), ["service_id"], unique=False)

    op.create_table(
        "sighting",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("notes", sa.String(), nullable=False),
        sa.Column("custom", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("stock_take_id", sa.Integer(), nullable=False),
        sa.Column("asset_id", sa.Integer(), nullable=False),
        sa.Column("place_id", sa.Integer(), nullable=True),
        sa.Column("how", sa.String(), nullable=False),
        sa.Column("condition", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["asset_id"],
            ["asset.id"],
        ),
        sa.ForeignKeyConstraint(
            ["place_id"],
            ["place.id"],
        ),
        sa.ForeignKeyConstraint(
            ["stock_take_id"],
            ["stock_take.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("sighting", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sighting_asset_id"), ["asset_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_sighting_name"), ["name"], unique=True)
        batch_op.create_index(batch_op.f("ix_sighting_place_id"), ["place_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_sighting_stock_take_id"), ["stock_take_id"], unique=False)

    op.create_table(
        "outage",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("notes", sa.String(), nullable=False),
        sa.Column("custom", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("place_id", sa.Integer(), nullable=True),
        sa.Column("device_id", sa.Integer(), nullable=True),
        sa.Column("link_id", sa.Integer(), nullable=True),
        sa.Column("ticket_id", sa.Integer(), nullable=True),
        sa.Column("start", sa.DateTime(), nullable=False),
        sa.Column("end", sa.DateTime(), nullable=True),
        sa.Column("cause", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["device_id"],
            ["device.id"],
        ),
        sa.ForeignKeyConstraint(
            ["link_id"],
            ["link.id"],
        ),
        sa.ForeignKeyConstraint(
            ["place_id"],
            ["place.id"],
        ),
        sa.ForeignKeyConstraint(
            ["ticket_id"],
            ["ticket.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("outage", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_outage_device_id"), ["device_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_outage_link_id"), ["link_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_outage_name"), ["name"], unique=True)
        batch_op.create_index(batch_op.f("ix_outage_place_id"), ["place_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_outage_ticket_id"), ["ticket_id"], unique=False)

    with op.batch_alter_table("agency", schema=None) as batch_op:
        batch_op.add_column(sa.Column("custom", sa.JSON(none_as_null=True), nullable=True))
        batch_op.add_column(sa.Column("revision", sa.Integer(), nullable=False, server_default=sa.text("0")))
        batch_op.add_column(sa.Column("code", sa.String(), nullable=False, server_default=sa.text("''")))
        batch_op.add_column(sa.Column("active_from", sa.Date(), nullable=True))
        batch_op.add_column(sa.Column("active_to", sa.Date(), nullable=True))

    with op.batch_alter_table("change", schema=None) as batch_op:
        batch_op.add_column(sa.Column("change_set", sa.Integer(), nullable=True))
        batch_op.create_index(batch_op.f("ix_change_change_set"), ["change_set"], unique=False)

    with op.batch_alter_table("connection", schema=None) as batch_op:
        batch_op.add_column(sa.Column("custom", sa.JSON(none_as_null=True), nullable=True))
        batch_op.add_column(sa.Column("revision", sa.Integer(), nullable=False, server_default=sa.text("0")))
        batch_op.add_column(sa.Column("vlan_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("prefix_id", sa.Integer(), nullable=True))
        batch_op.create_index(batch_op.f("ix_connection_prefix_id"), ["prefix_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_connection_vlan_id"), ["vlan_id"], unique=False)
        batch_op.create_foreign_key("fk_connection_vlan_id", "vlan", ["vlan_id"], ["id"])
        batch_op.create_foreign_key("fk_connection_prefix_id", "prefix", ["prefix_id"], ["id"])

    with op.batch_alter_table("contract", schema=None) as batch_op:
        batch_op.add_column(sa.Column("custom", sa.JSON(none_as_null=True), nullable=True))
        batch_op.add_column(sa.Column("revision", sa.Integer(), nullable=False, server_default=sa.text("0")))
        batch_op.add_column(sa.Column("provider_availability_pct", sa.Float(), nullable=True))

    with op.batch_alter_table("credential", schema=None) as batch_op:
        batch_op.add_column(sa.Column("custom", sa.JSON(none_as_null=True), nullable=True))
        batch_op.add_column(sa.Column("revision", sa.Integer(), nullable=False, server_default=sa.text("0")))

    with op.batch_alter_table("device", schema=None) as batch_op:
        batch_op.add_column(sa.Column("custom", sa.JSON(none_as_null=True), nullable=True))
        batch_op.add_column(sa.Column("revision", sa.Integer(), nullable=False, server_default=sa.text("0")))
        batch_op.add_column(sa.Column("support_contract_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("owner_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("virtual", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.add_column(sa.Column("chassis", sa.String(), nullable=False, server_default=sa.text("''")))
        batch_op.add_column(sa.Column("rack_unit", sa.Integer(), nullable=True))
        batch_op.create_index(batch_op.f("ix_device_owner_id"), ["owner_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_device_support_contract_id"), ["support_contract_id"], unique=False
        )
        batch_op.create_foreign_key(
            "fk_device_support_contract_id", "contract", ["support_contract_id"], ["id"]
        )
        batch_op.create_foreign_key("fk_device_owner_id", "person", ["owner_id"], ["id"])

    with op.batch_alter_table("device_type", schema=None) as batch_op:
        batch_op.add_column(sa.Column("custom", sa.JSON(none_as_null=True), nullable=True))
        batch_op.add_column(sa.Column("revision", sa.Integer(), nullable=False, server_default=sa.text("0")))
        batch_op.add_column(
            sa.Column("part_number", sa.String(), nullable=False, server_default=sa.text("''"))
        )
        batch_op.add_column(sa.Column("slug", sa.String(), nullable=False, server_default=sa.text("''")))
        batch_op.add_column(sa.Column("u_height", sa.Float(), nullable=True))
        batch_op.add_column(
            sa.Column("kode_barang", sa.String(), nullable=False, server_default=sa.text("''"))
        )

    with op.batch_alter_table("interface", schema=None) as batch_op:
        batch_op.add_column(sa.Column("custom", sa.JSON(none_as_null=True), nullable=True))
        batch_op.add_column(sa.Column("revision", sa.Integer(), nullable=False, server_default=sa.text("0")))
        batch_op.add_column(sa.Column("enabled", sa.Boolean(), nullable=False, server_default=sa.true()))
        batch_op.add_column(sa.Column("mode", sa.String(), nullable=False, server_default=sa.text("''")))
        batch_op.add_column(sa.Column("vlan_id", sa.Integer(), nullable=True))
        batch_op.add_column(
            sa.Column("tagged_vlans", sa.String(), nullable=False, server_default=sa.text("''"))
        )
        batch_op.add_column(sa.Column("parent_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("seen_mac", sa.String(), nullable=False, server_default=sa.text("''")))
        batch_op.create_index(batch_op.f("ix_interface_parent_id"), ["parent_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_interface_vlan_id"), ["vlan_id"], unique=False)
        batch_op.create_foreign_key("fk_interface_parent_id", "interface", ["parent_id"], ["id"])
        batch_op.create_foreign_key("fk_interface_vlan_id", "vlan", ["vlan_id"], ["id"])

    with op.batch_alter_table("link", schema=None) as batch_op:
        batch_op.add_column(sa.Column("custom", sa.JSON(none_as_null=True), nullable=True))
        batch_op.add_column(sa.Column("revision", sa.Integer(), nullable=False, server_default=sa.text("0")))
        batch_op.add_column(sa.Column("capacity_bps", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("installed", sa.Date(), nullable=True))

    with op.batch_alter_table("place", schema=None) as batch_op:
        batch_op.add_column(sa.Column("custom", sa.JSON(none_as_null=True), nullable=True))
        batch_op.add_column(sa.Column("revision", sa.Integer(), nullable=False, server_default=sa.text("0")))
        batch_op.add_column(sa.Column("purpose", sa.String(), nullable=False, server_default=sa.text("''")))
        batch_op.add_column(sa.Column("priority", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("population", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("area_m2", sa.Float(), nullable=True))
        batch_op.add_column(sa.Column("active_from", sa.Date(), nullable=True))
        batch_op.add_column(sa.Column("active_to", sa.Date(), nullable=True))

    with op.batch_alter_table("provider", schema=None) as batch_op:
        batch_op.add_column(sa.Column("custom", sa.JSON(none_as_null=True), nullable=True))
        batch_op.add_column(sa.Column("revision", sa.Integer(), nullable=False, server_default=sa.text("0")))
        batch_op.add_column(sa.Column("account", sa.String(), nullable=False, server_default=sa.text("''")))
        batch_op.add_column(sa.Column("as_number", sa.BigInteger(), nullable=True))

    with op.batch_alter_table("saved_group", schema=None) as batch_op:
        batch_op.add_column(sa.Column("custom", sa.JSON(none_as_null=True), nullable=True))
        batch_op.add_column(sa.Column("revision", sa.Integer(), nullable=False, server_default=sa.text("0")))

    with op.batch_alter_table("service", schema=None) as batch_op:
        batch_op.add_column(sa.Column("custom", sa.JSON(none_as_null=True), nullable=True))
        batch_op.add_column(sa.Column("revision", sa.Integer(), nullable=False, server_default=sa.text("0")))
        batch_op.add_column(sa.Column("place_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("port", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("hosting", sa.String(), nullable=False, server_default=sa.text("''")))
        batch_op.add_column(sa.Column("spl", sa.Boolean(), nullable=True))
        batch_op.add_column(sa.Column("national", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.create_index(batch_op.f("ix_service_place_id"), ["place_id"], unique=False)
        batch_op.create_foreign_key("fk_service_place_id", "place", ["place_id"], ["id"])

    # What devices said of their addresses used to stand where the intended one now does.
    op.execute("UPDATE interface SET seen_mac = mac, mac = ''")
    op.execute(
        "INSERT INTO history_head (id, entries, hash) SELECT 1, (SELECT count(*) FROM change), hash FROM change"
        " WHERE id = (SELECT max(id) FROM change)"
    )
