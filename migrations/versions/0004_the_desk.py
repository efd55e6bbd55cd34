"""the desk.

Revision: 0004
After: 0003
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "apple_push_request",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("csr", sa.Text(), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("key_digest", sa.String(length=64), nullable=False),
        sa.Column("renews", sa.String(length=255), nullable=False),
        sa.Column("created_by", sa.String(length=255), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_apple_push_request")),
        sa.UniqueConstraint("key_digest", name=op.f("uq_apple_push_request_key_digest")),
        sa.UniqueConstraint("uid", name=op.f("uq_apple_push_request_uid")),
    )
    op.create_table(
        "desk_exchange_file",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("speaker", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_desk_exchange_file")),
        sa.UniqueConstraint("uid", name=op.f("uq_desk_exchange_file_uid")),
    )
    with op.batch_alter_table("desk_exchange_file", schema=None) as batch_op:
        batch_op.create_index("ix_desk_exchange_file_created", ["created_at"], unique=False)

    op.create_table(
        "desk_terms",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=255), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("created_by", sa.String(length=255), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_desk_terms")),
        sa.UniqueConstraint("language", "version", name=op.f("uq_desk_terms_language_version")),
    )
    op.create_table(
        "kiosk_round",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_by", sa.String(length=255), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kiosk_round")),
        sa.UniqueConstraint("uid", name=op.f("uq_kiosk_round_uid")),
    )
    op.create_table(
        "kit_kind",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("names", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("numbered", sa.Boolean(), nullable=False),
        sa.Column("returned", sa.Boolean(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kit_kind")),
        sa.UniqueConstraint("code", name=op.f("uq_kit_kind_code")),
    )
    op.create_table(
        "desk_minimum",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("service_point_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("product", sa.String(length=255), nullable=False),
        sa.Column("least", sa.Integer(), nullable=False),
        sa.Column("warned_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["service_point_id"], ["service_point.id"], name=op.f("fk_desk_minimum_service_point_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_desk_minimum")),
        sa.UniqueConstraint(
            "service_point_id", "kind", "product", name=op.f("uq_desk_minimum_service_point_id_kind_product")
        ),
    )
    op.create_table(
        "desk_paper_counter",
        sa.Column("service_point_id", sa.Integer(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["service_point_id"], ["service_point.id"], name=op.f("fk_desk_paper_counter_service_point_id")
        ),
        sa.PrimaryKeyConstraint("service_point_id", "year", name=op.f("pk_desk_paper_counter")),
    )
    op.create_table(
        "desk_shelf",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("service_point_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["service_point_id"], ["service_point.id"], name=op.f("fk_desk_shelf_service_point_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_desk_shelf")),
        sa.UniqueConstraint("code", name=op.f("uq_desk_shelf_code")),
        sa.UniqueConstraint("service_point_id", "name", name=op.f("uq_desk_shelf_service_point_id_name")),
    )
    op.create_table(
        "desk_transfer",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("from_id", sa.Integer(), nullable=False),
        sa.Column("to_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(length=255), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sent_by", sa.String(length=255), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("received_by", sa.String(length=255), nullable=False),
        sa.Column("received_note", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["from_id"], ["service_point.id"], name=op.f("fk_desk_transfer_from_id")),
        sa.ForeignKeyConstraint(["to_id"], ["service_point.id"], name=op.f("fk_desk_transfer_to_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_desk_transfer")),
        sa.UniqueConstraint("uid", name=op.f("uq_desk_transfer_uid")),
    )
    with op.batch_alter_table("desk_transfer", schema=None) as batch_op:
        batch_op.create_index("ix_desk_transfer_from", ["from_id", "state"], unique=False)
        batch_op.create_index("ix_desk_transfer_to", ["to_id", "state"], unique=False)

    op.create_table(
        "loan_place",
        sa.Column("service_point_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("flex", sa.Boolean(), nullable=False),
        sa.Column("at_most", sa.Integer(), nullable=True),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column("prepare_days", sa.Integer(), nullable=False),
        sa.Column("no_show_hours", sa.Integer(), nullable=False),
        sa.Column("longest_days", sa.Integer(), nullable=False),
        sa.Column("remind_hours", sa.Integer(), nullable=False),
        sa.Column("lead_days", sa.Integer(), nullable=False),
        sa.Column("lock_days", sa.Integer(), nullable=False),
        sa.Column("keeper_email", sa.String(length=255), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("at_most IS NULL OR at_most > 0", name=op.f("ck_loan_place_at_most")),
        sa.ForeignKeyConstraint(
            ["service_point_id"], ["service_point.id"], name=op.f("fk_loan_place_service_point_id")
        ),
        sa.PrimaryKeyConstraint("service_point_id", name=op.f("pk_loan_place")),
    )
    op.create_table(
        "desk_signature",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("service_point_id", sa.Integer(), nullable=False),
        sa.Column("unit_id", sa.Integer(), nullable=True),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("content", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("asked_by", sa.String(length=255), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("link_digest", sa.String(length=64), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("how", sa.String(length=16), nullable=False),
        sa.Column("strokes", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("typed", sa.String(length=255), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_desk_signature_person_id")),
        sa.ForeignKeyConstraint(
            ["service_point_id"], ["service_point.id"], name=op.f("fk_desk_signature_service_point_id")
        ),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_desk_signature_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_desk_signature")),
        sa.UniqueConstraint("link_digest", name=op.f("uq_desk_signature_link_digest")),
        sa.UniqueConstraint("uid", name=op.f("uq_desk_signature_uid")),
    )
    with op.batch_alter_table("desk_signature", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_desk_signature_person_id"), ["person_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_desk_signature_service_point_id"), ["service_point_id"], unique=False)

    op.create_table(
        "desk_stock_take",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("service_point_id", sa.Integer(), nullable=False),
        sa.Column("shelf_id", sa.Integer(), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_by", sa.String(length=255), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by", sa.String(length=255), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("counts", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.ForeignKeyConstraint(
            ["service_point_id"], ["service_point.id"], name=op.f("fk_desk_stock_take_service_point_id")
        ),
        sa.ForeignKeyConstraint(["shelf_id"], ["desk_shelf.id"], name=op.f("fk_desk_stock_take_shelf_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_desk_stock_take")),
    )
    with op.batch_alter_table("desk_stock_take", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_desk_stock_take_service_point_id"), ["service_point_id"], unique=False)
        batch_op.create_index(
            "uq_desk_stock_take_open",
            ["service_point_id"],
            unique=True,
            sqlite_where=sa.text("state = 'open'"),
            postgresql_where=sa.text("state = 'open'"),
        )

    op.create_table(
        "kit_piece",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("kind_id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("phone_number", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("service_point_id", sa.Integer(), nullable=True),
        sa.Column("unit_id", sa.Integer(), nullable=True),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["kind_id"], ["kit_kind.id"], name=op.f("fk_kit_piece_kind_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_kit_piece_person_id")),
        sa.ForeignKeyConstraint(["service_point_id"], ["service_point.id"], name=op.f("fk_kit_piece_service_point_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_kit_piece_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kit_piece")),
        sa.UniqueConstraint("code", name=op.f("uq_kit_piece_code")),
    )
    with op.batch_alter_table("kit_piece", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_kit_piece_kind_id"), ["kind_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_kit_piece_person_id"), ["person_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_kit_piece_service_point_id"), ["service_point_id"], unique=False)

    op.create_table(
        "portal_key",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("secret_digest", sa.String(length=64), nullable=False),
        sa.Column("way", sa.String(length=8), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("made_by", sa.String(length=255), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_portal_key_person_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_portal_key")),
        sa.UniqueConstraint("secret_digest", name=op.f("uq_portal_key_secret_digest")),
    )
    with op.batch_alter_table("portal_key", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_portal_key_person_id"), ["person_id"], unique=False)

    op.create_table(
        "portal_session",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("secret_digest", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("way", sa.String(length=8), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_portal_session_person_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_portal_session")),
        sa.UniqueConstraint("secret_digest", name=op.f("uq_portal_session_secret_digest")),
    )
    with op.batch_alter_table("portal_session", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_portal_session_expires_at"), ["expires_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_portal_session_person_id"), ["person_id"], unique=False)

    op.create_table(
        "desk_case",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("slot", sa.String(length=48), nullable=True),
        sa.Column("device_id", sa.Integer(), nullable=True),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("device_label", sa.String(length=255), nullable=False),
        sa.Column("person_name", sa.String(length=255), nullable=False),
        sa.Column("service_point_id", sa.Integer(), nullable=True),
        sa.Column("unit_id", sa.Integer(), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_by", sa.String(length=255), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by", sa.String(length=255), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("before", sa.String(length=16), nullable=False),
        sa.Column("reopened", sa.Integer(), nullable=False),
        sa.Column("seen_on", sa.Date(), nullable=True),
        sa.Column("seen_where", sa.String(length=255), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("police_report", sa.String(length=64), nullable=False),
        sa.Column("police_on", sa.Date(), nullable=True),
        sa.Column("last_day", sa.Date(), nullable=True),
        sa.Column("lock_on", sa.Date(), nullable=True),
        sa.Column("letters", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name=op.f("fk_desk_case_device_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_desk_case_person_id")),
        sa.ForeignKeyConstraint(["service_point_id"], ["service_point.id"], name=op.f("fk_desk_case_service_point_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_desk_case_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_desk_case")),
        sa.UniqueConstraint("slot", name=op.f("uq_desk_case_slot")),
        sa.UniqueConstraint("uid", name=op.f("uq_desk_case_uid")),
    )
    with op.batch_alter_table("desk_case", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_desk_case_closed_at"), ["closed_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_desk_case_device_id"), ["device_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_desk_case_person_id"), ["person_id"], unique=False)
        batch_op.create_index("ix_desk_case_place", ["service_point_id", "state", "opened_at", "id"], unique=False)
        batch_op.create_index("ix_desk_case_state", ["state", "opened_at", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_desk_case_unit_id"), ["unit_id"], unique=False)

    op.create_table(
        "desk_paper",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("number", sa.String(length=96), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("key", sa.String(length=128), nullable=True),
        sa.Column("service_point_id", sa.Integer(), nullable=False),
        sa.Column("unit_id", sa.Integer(), nullable=True),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("person_name", sa.String(length=255), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("clerk", sa.String(length=255), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("terms_id", sa.Integer(), nullable=True),
        sa.Column("signature_id", sa.Integer(), nullable=True),
        sa.Column("content", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("mailed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_desk_paper_person_id")),
        sa.ForeignKeyConstraint(
            ["service_point_id"], ["service_point.id"], name=op.f("fk_desk_paper_service_point_id")
        ),
        sa.ForeignKeyConstraint(["signature_id"], ["desk_signature.id"], name=op.f("fk_desk_paper_signature_id")),
        sa.ForeignKeyConstraint(["terms_id"], ["desk_terms.id"], name=op.f("fk_desk_paper_terms_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_desk_paper_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_desk_paper")),
        sa.UniqueConstraint("key", name=op.f("uq_desk_paper_key")),
        sa.UniqueConstraint("number", name=op.f("uq_desk_paper_number")),
        sa.UniqueConstraint("uid", name=op.f("uq_desk_paper_uid")),
    )
    with op.batch_alter_table("desk_paper", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_desk_paper_person_id"), ["person_id"], unique=False)
        batch_op.create_index("ix_desk_paper_place", ["service_point_id", "id"], unique=False)

    op.create_table(
        "desk_repair",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("device_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("loaner_id", sa.Integer(), nullable=True),
        sa.Column("replacement_id", sa.Integer(), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("state_before", sa.String(length=16), nullable=False),
        sa.Column("supplier", sa.String(length=128), nullable=False),
        sa.Column("reference", sa.String(length=64), nullable=False),
        sa.Column("warranty", sa.Boolean(), nullable=False),
        sa.Column("cost_cents", sa.Integer(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_by", sa.String(length=255), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("back_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by", sa.String(length=255), nullable=False),
        sa.Column("reminded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["device_id"], ["device.id"], name=op.f("fk_desk_repair_device_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["loaner_id"], ["device.id"], name=op.f("fk_desk_repair_loaner_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_desk_repair_person_id")),
        sa.ForeignKeyConstraint(
            ["replacement_id"], ["device.id"], name=op.f("fk_desk_repair_replacement_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_desk_repair")),
        sa.UniqueConstraint("uid", name=op.f("uq_desk_repair_uid")),
    )
    with op.batch_alter_table("desk_repair", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_desk_repair_device_id"), ["device_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_desk_repair_person_id"), ["person_id"], unique=False)
        batch_op.create_index("ix_desk_repair_state", ["state", "due_on"], unique=False)
        batch_op.create_index(
            "uq_desk_repair_open",
            ["device_id"],
            unique=True,
            sqlite_where=sa.text("closed_at IS NULL"),
            postgresql_where=sa.text("closed_at IS NULL"),
        )

    op.create_table(
        "desk_stock_scan",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("take_id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=128), nullable=False),
        sa.Column("device_id", sa.Integer(), nullable=True),
        sa.Column("shelf_id", sa.Integer(), nullable=True),
        sa.Column("standing", sa.String(length=16), nullable=False),
        sa.Column("recorded", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(length=255), nullable=False),
        sa.ForeignKeyConstraint(
            ["device_id"], ["device.id"], name=op.f("fk_desk_stock_scan_device_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["shelf_id"], ["desk_shelf.id"], name=op.f("fk_desk_stock_scan_shelf_id")),
        sa.ForeignKeyConstraint(
            ["take_id"], ["desk_stock_take.id"], name=op.f("fk_desk_stock_scan_take_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_desk_stock_scan")),
        sa.UniqueConstraint("take_id", "code", name=op.f("uq_desk_stock_scan_take_id_code")),
    )
    with op.batch_alter_table("desk_stock_scan", schema=None) as batch_op:
        batch_op.create_index("ix_desk_stock_scan_device", ["take_id", "device_id"], unique=False)

    op.create_table(
        "desk_transfer_line",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("transfer_id", sa.Integer(), nullable=False),
        sa.Column("device_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("pending", sa.Boolean(), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_by", sa.String(length=255), nullable=False),
        sa.ForeignKeyConstraint(
            ["device_id"], ["device.id"], name=op.f("fk_desk_transfer_line_device_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["transfer_id"], ["desk_transfer.id"], name=op.f("fk_desk_transfer_line_transfer_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_desk_transfer_line")),
        sa.UniqueConstraint("transfer_id", "device_id", name=op.f("uq_desk_transfer_line_transfer_id_device_id")),
    )
    with op.batch_alter_table("desk_transfer_line", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_desk_transfer_line_device_id"), ["device_id"], unique=False)
        batch_op.create_index(
            "uq_desk_transfer_line_pending",
            ["device_id"],
            unique=True,
            sqlite_where=sa.text("pending"),
            postgresql_where=sa.text("pending"),
        )

    op.create_table(
        "box_run",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("service_point_id", sa.Integer(), nullable=False),
        sa.Column("started_by", sa.String(length=255), nullable=False),
        sa.Column("started_by_id", sa.Integer(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("paper_id", sa.Integer(), nullable=True),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["paper_id"], ["desk_paper.id"], name=op.f("fk_box_run_paper_id")),
        sa.ForeignKeyConstraint(["service_point_id"], ["service_point.id"], name=op.f("fk_box_run_service_point_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_box_run")),
        sa.UniqueConstraint("uid", name=op.f("uq_box_run_uid")),
    )
    with op.batch_alter_table("box_run", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_box_run_service_point_id"), ["service_point_id"], unique=False)

    op.create_table(
        "custody",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("device_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("person_name", sa.String(length=255), nullable=False),
        sa.Column("service_point_id", sa.Integer(), nullable=True),
        sa.Column("unit_id", sa.Integer(), nullable=True),
        sa.Column("from_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("to_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("loan", sa.Boolean(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("out_by", sa.String(length=255), nullable=False),
        sa.Column("in_by", sa.String(length=255), nullable=False),
        sa.Column("out_paper_id", sa.Integer(), nullable=True),
        sa.Column("in_paper_id", sa.Integer(), nullable=True),
        sa.Column("back_at_id", sa.Integer(), nullable=True),
        sa.Column("condition", sa.String(length=16), nullable=False),
        sa.Column("condition_note", sa.Text(), nullable=False),
        sa.Column("instead_of_id", sa.Integer(), nullable=True),
        sa.Column("stood_in", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("light", sa.String(length=8), nullable=False),
        sa.Column("locks", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.ForeignKeyConstraint(["back_at_id"], ["service_point.id"], name=op.f("fk_custody_back_at_id")),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name=op.f("fk_custody_device_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["in_paper_id"], ["desk_paper.id"], name=op.f("fk_custody_in_paper_id")),
        sa.ForeignKeyConstraint(["instead_of_id"], ["custody.id"], name=op.f("fk_custody_instead_of_id")),
        sa.ForeignKeyConstraint(["out_paper_id"], ["desk_paper.id"], name=op.f("fk_custody_out_paper_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_custody_person_id")),
        sa.ForeignKeyConstraint(["service_point_id"], ["service_point.id"], name=op.f("fk_custody_service_point_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_custody_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_custody")),
        sa.UniqueConstraint("uid", name=op.f("uq_custody_uid")),
    )
    with op.batch_alter_table("custody", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_custody_device_id"), ["device_id"], unique=False)
        batch_op.create_index("ix_custody_due", ["due_at", "id"], unique=False)
        batch_op.create_index("ix_custody_person", ["person_id", "to_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_custody_service_point_id"), ["service_point_id"], unique=False)
        batch_op.create_index(
            "uq_custody_open",
            ["device_id"],
            unique=True,
            postgresql_where=sa.text("to_at IS NULL"),
            sqlite_where=sa.text("to_at IS NULL"),
        )

    op.create_table(
        "desk_case_fix",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"], ["desk_case.id"], name=op.f("fk_desk_case_fix_case_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_desk_case_fix")),
        sa.UniqueConstraint("uid", name=op.f("uq_desk_case_fix_uid")),
    )
    with op.batch_alter_table("desk_case_fix", schema=None) as batch_op:
        batch_op.create_index("ix_desk_case_fix_case", ["case_id", "id"], unique=False)

    op.create_table(
        "desk_case_item",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("thing", sa.String(length=48), nullable=False),
        sa.Column("device_id", sa.Integer(), nullable=True),
        sa.Column("label", sa.String(length=255), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("code", sa.String(length=128), nullable=False),
        sa.Column("returned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("missing", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"], ["desk_case.id"], name=op.f("fk_desk_case_item_case_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name=op.f("fk_desk_case_item_device_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_desk_case_item")),
    )
    with op.batch_alter_table("desk_case_item", schema=None) as batch_op:
        batch_op.create_index("ix_desk_case_item_case", ["case_id", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_desk_case_item_device_id"), ["device_id"], unique=False)

    op.create_table(
        "desk_case_line",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(length=255), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("about", sa.String(length=64), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"], ["desk_case.id"], name=op.f("fk_desk_case_line_case_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_desk_case_line")),
    )
    with op.batch_alter_table("desk_case_line", schema=None) as batch_op:
        batch_op.create_index("ix_desk_case_line_case", ["case_id", "id"], unique=False)

    op.create_table(
        "desk_case_look",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("actor_kind", sa.String(length=16), nullable=False),
        sa.Column("actor_id", sa.Integer(), nullable=True),
        sa.Column("by", sa.String(length=255), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("shown", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"], ["desk_case.id"], name=op.f("fk_desk_case_look_case_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_desk_case_look")),
    )
    with op.batch_alter_table("desk_case_look", schema=None) as batch_op:
        batch_op.create_index("ix_desk_case_look_case", ["case_id", "id"], unique=False)

    op.create_table(
        "desk_case_step",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_by", sa.String(length=255), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"], ["desk_case.id"], name=op.f("fk_desk_case_step_case_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_desk_case_step")),
        sa.UniqueConstraint("case_id", "key", name=op.f("uq_desk_case_step_case_id_key")),
    )
    op.create_table(
        "desk_repair_fault",
        sa.Column("repair_id", sa.Integer(), nullable=False),
        sa.Column("fault", sa.String(length=16), nullable=False),
        sa.ForeignKeyConstraint(
            ["repair_id"], ["desk_repair.id"], name=op.f("fk_desk_repair_fault_repair_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("repair_id", "fault", name=op.f("pk_desk_repair_fault")),
    )
    op.create_table(
        "kiosk_stop",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("round_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("device_id", sa.Integer(), nullable=False),
        sa.Column("service_point_id", sa.Integer(), nullable=False),
        sa.Column("seen", sa.String(length=8), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("seen_by", sa.String(length=255), nullable=False),
        sa.Column("paper", sa.String(length=8), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("repair_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name=op.f("fk_kiosk_stop_device_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["repair_id"], ["desk_repair.id"], name=op.f("fk_kiosk_stop_repair_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["round_id"], ["kiosk_round.id"], name=op.f("fk_kiosk_stop_round_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["service_point_id"], ["service_point.id"], name=op.f("fk_kiosk_stop_service_point_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kiosk_stop")),
        sa.UniqueConstraint("round_id", "device_id", name=op.f("uq_kiosk_stop_round_id_device_id")),
    )
    with op.batch_alter_table("kiosk_stop", schema=None) as batch_op:
        batch_op.create_index("ix_kiosk_stop_device", ["device_id", "seen_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_kiosk_stop_service_point_id"), ["service_point_id"], unique=False)

    op.create_table(
        "portal_enrollment",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("invitation_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("family", sa.String(length=16), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("stuck_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["invitation_id"], ["invitation.id"], name=op.f("fk_portal_enrollment_invitation_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_portal_enrollment_person_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_portal_enrollment")),
        sa.UniqueConstraint("invitation_id", name=op.f("uq_portal_enrollment_invitation_id")),
    )
    with op.batch_alter_table("portal_enrollment", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_portal_enrollment_person_id"), ["person_id"], unique=False)

    op.create_table(
        "box_line",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=128), nullable=True),
        sa.Column("code", sa.String(length=255), nullable=False),
        sa.Column("outcome", sa.String(length=8), nullable=False),
        sa.Column("device_id", sa.Integer(), nullable=True),
        sa.Column("label", sa.String(length=255), nullable=False),
        sa.Column("holder", sa.String(length=255), nullable=False),
        sa.Column("custody_id", sa.Integer(), nullable=True),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("params", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("before", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["custody_id"], ["custody.id"], name=op.f("fk_box_line_custody_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name=op.f("fk_box_line_device_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["run_id"], ["box_run.id"], name=op.f("fk_box_line_run_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_box_line")),
        sa.UniqueConstraint("run_id", "key", name=op.f("uq_box_line_run_id_key")),
        sa.UniqueConstraint("run_id", "number", name=op.f("uq_box_line_run_id_number")),
    )
    op.create_table(
        "custody_kit",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("custody_id", sa.Integer(), nullable=False),
        sa.Column("kind_id", sa.Integer(), nullable=False),
        sa.Column("piece_id", sa.Integer(), nullable=True),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("returned", sa.Integer(), nullable=False),
        sa.Column("returned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("missing", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["custody_id"], ["custody.id"], name=op.f("fk_custody_kit_custody_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["kind_id"], ["kit_kind.id"], name=op.f("fk_custody_kit_kind_id")),
        sa.ForeignKeyConstraint(["piece_id"], ["kit_piece.id"], name=op.f("fk_custody_kit_piece_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_custody_kit")),
    )
    with op.batch_alter_table("custody_kit", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_custody_kit_custody_id"), ["custody_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_custody_kit_piece_id"), ["piece_id"], unique=False)

    op.create_table(
        "desk_photo",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("service_point_id", sa.Integer(), nullable=False),
        sa.Column("unit_id", sa.Integer(), nullable=True),
        sa.Column("device_id", sa.Integer(), nullable=True),
        sa.Column("custody_id", sa.Integer(), nullable=True),
        sa.Column("taken_by", sa.String(length=255), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["custody_id"], ["custody.id"], name=op.f("fk_desk_photo_custody_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["device_id"], ["device.id"], name=op.f("fk_desk_photo_device_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["service_point_id"], ["service_point.id"], name=op.f("fk_desk_photo_service_point_id")
        ),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_desk_photo_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_desk_photo")),
        sa.UniqueConstraint("uid", name=op.f("uq_desk_photo_uid")),
    )
    with op.batch_alter_table("desk_photo", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_desk_photo_custody_id"), ["custody_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_desk_photo_device_id"), ["device_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_desk_photo_service_point_id"), ["service_point_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_desk_photo_taken_at"), ["taken_at"], unique=False)

    op.create_table(
        "loan_overdue",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("custody_id", sa.Integer(), nullable=False),
        sa.Column("device_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("service_point_id", sa.Integer(), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("step", sa.String(length=16), nullable=False),
        sa.Column("reminded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lead_told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lead_email", sa.String(length=255), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decision", sa.String(length=16), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.String(length=255), nullable=False),
        sa.Column("why", sa.String(length=500), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["custody_id"], ["custody.id"], name=op.f("fk_loan_overdue_custody_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["device_id"], ["device.id"], name=op.f("fk_loan_overdue_device_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_loan_overdue_person_id")),
        sa.ForeignKeyConstraint(
            ["service_point_id"], ["service_point.id"], name=op.f("fk_loan_overdue_service_point_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_loan_overdue")),
        sa.UniqueConstraint("custody_id", "due_at", name=op.f("uq_loan_overdue_custody_id_due_at")),
    )
    with op.batch_alter_table("loan_overdue", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_loan_overdue_closed_at"), ["closed_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_loan_overdue_device_id"), ["device_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_loan_overdue_service_point_id"), ["service_point_id"], unique=False)

    op.create_table(
        "loan_reservation",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("service_point_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("begins_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("created_by", sa.String(length=255), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("prepare_by", sa.DateTime(timezone=True), nullable=False),
        sa.Column("prepare_told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("device_id", sa.Integer(), nullable=True),
        sa.Column("custody_id", sa.Integer(), nullable=True),
        sa.Column("collected_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("why", sa.String(length=500), nullable=False),
        sa.Column("key", sa.String(length=128), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("begins_at < ends_at", name=op.f("ck_loan_reservation_window")),
        sa.ForeignKeyConstraint(
            ["custody_id"], ["custody.id"], name=op.f("fk_loan_reservation_custody_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["device_id"], ["device.id"], name=op.f("fk_loan_reservation_device_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_loan_reservation_person_id")),
        sa.ForeignKeyConstraint(
            ["service_point_id"], ["loan_place.service_point_id"], name=op.f("fk_loan_reservation_service_point_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_loan_reservation")),
        sa.UniqueConstraint("key", name=op.f("uq_loan_reservation_key")),
        sa.UniqueConstraint("uid", name=op.f("uq_loan_reservation_uid")),
    )
    with op.batch_alter_table("loan_reservation", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_loan_reservation_custody_id"), ["custody_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_loan_reservation_device_id"), ["device_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_loan_reservation_person_id"), ["person_id"], unique=False)
        batch_op.create_index("ix_loan_reservation_place", ["service_point_id", "state", "begins_at"], unique=False)

    op.create_table(
        "loan_slot",
        sa.Column("service_point_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("what", sa.String(length=16), nullable=False),
        sa.Column("slot", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("reservation_id", sa.Integer(), nullable=False),
        sa.CheckConstraint("number > 0", name=op.f("ck_loan_slot_number")),
        sa.ForeignKeyConstraint(
            ["reservation_id"], ["loan_reservation.id"], name=op.f("fk_loan_slot_reservation_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["service_point_id"], ["loan_place.service_point_id"], name=op.f("fk_loan_slot_service_point_id")
        ),
        sa.PrimaryKeyConstraint("service_point_id", "what", "slot", "number", name=op.f("pk_loan_slot")),
    )
    with op.batch_alter_table("loan_slot", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_loan_slot_reservation_id"), ["reservation_id"], unique=False)

    with op.batch_alter_table("apple_assigned", schema=None) as batch_op:
        batch_op.add_column(sa.Column("problem", sa.String(length=64), server_default=sa.text("''"), nullable=False))

    with op.batch_alter_table("apple_device", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "listed",
                sa.JSON().with_variant(postgresql.JSONB(), "postgresql"),
                server_default=sa.text("'{}'"),
                nullable=False,
            )
        )
        batch_op.add_column(sa.Column("renewal_at", sa.DateTime(timezone=True), nullable=True))

    with op.batch_alter_table("apple_push", schema=None) as batch_op:
        batch_op.add_column(sa.Column("warned", sa.Integer(), nullable=True))

    with op.batch_alter_table("apple_tie", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("least_version", sa.String(length=32), server_default=sa.text("''"), nullable=False)
        )
        batch_op.add_column(sa.Column("warned", sa.Integer(), nullable=True))

    with op.batch_alter_table("device", schema=None) as batch_op:
        batch_op.add_column(sa.Column("shelf_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("cost_cents", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("currency", sa.String(length=3), server_default=sa.text("''"), nullable=False))
        batch_op.add_column(sa.Column("supplier", sa.String(length=128), server_default=sa.text("''"), nullable=False))
        batch_op.add_column(
            sa.Column("order_number", sa.String(length=64), server_default=sa.text("''"), nullable=False)
        )
        batch_op.add_column(sa.Column("contract", sa.String(length=128), server_default=sa.text("''"), nullable=False))
        batch_op.add_column(sa.Column("contract_until", sa.Date(), nullable=True))
        batch_op.add_column(sa.Column("measure", sa.String(length=16), server_default=sa.text("''"), nullable=False))
        batch_op.add_column(
            sa.Column(
                "custom",
                sa.JSON().with_variant(postgresql.JSONB(), "postgresql"),
                server_default=sa.text("'{}'"),
                nullable=False,
            )
        )
        batch_op.create_index(batch_op.f("ix_device_measure"), ["measure"], unique=False)
        batch_op.create_index(batch_op.f("ix_device_shelf_id"), ["shelf_id"], unique=False)

    with op.batch_alter_table("person", schema=None) as batch_op:
        batch_op.add_column(sa.Column("badge", sa.String(length=64), nullable=True))
        batch_op.create_unique_constraint(batch_op.f("uq_person_badge"), ["badge"])

    with op.batch_alter_table("unit", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("lead_email", sa.String(length=255), server_default=sa.text("''"), nullable=False)
        )


def downgrade() -> None:
    with op.batch_alter_table("unit", schema=None) as batch_op:
        batch_op.drop_column("lead_email")

    with op.batch_alter_table("person", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("uq_person_badge"), type_="unique")
        batch_op.drop_column("badge")

    with op.batch_alter_table("device", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_device_shelf_id"))
        batch_op.drop_index(batch_op.f("ix_device_measure"))
        batch_op.drop_column("custom")
        batch_op.drop_column("measure")
        batch_op.drop_column("contract_until")
        batch_op.drop_column("contract")
        batch_op.drop_column("order_number")
        batch_op.drop_column("supplier")
        batch_op.drop_column("currency")
        batch_op.drop_column("cost_cents")
        batch_op.drop_column("shelf_id")

    with op.batch_alter_table("apple_tie", schema=None) as batch_op:
        batch_op.drop_column("warned")
        batch_op.drop_column("least_version")

    with op.batch_alter_table("apple_push", schema=None) as batch_op:
        batch_op.drop_column("warned")

    with op.batch_alter_table("apple_device", schema=None) as batch_op:
        batch_op.drop_column("renewal_at")
        batch_op.drop_column("listed")

    with op.batch_alter_table("apple_assigned", schema=None) as batch_op:
        batch_op.drop_column("problem")

    with op.batch_alter_table("loan_slot", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_loan_slot_reservation_id"))

    op.drop_table("loan_slot")
    with op.batch_alter_table("loan_reservation", schema=None) as batch_op:
        batch_op.drop_index("ix_loan_reservation_place")
        batch_op.drop_index(batch_op.f("ix_loan_reservation_person_id"))
        batch_op.drop_index(batch_op.f("ix_loan_reservation_device_id"))
        batch_op.drop_index(batch_op.f("ix_loan_reservation_custody_id"))

    op.drop_table("loan_reservation")
    with op.batch_alter_table("loan_overdue", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_loan_overdue_service_point_id"))
        batch_op.drop_index(batch_op.f("ix_loan_overdue_device_id"))
        batch_op.drop_index(batch_op.f("ix_loan_overdue_closed_at"))

    op.drop_table("loan_overdue")
    with op.batch_alter_table("desk_photo", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_desk_photo_taken_at"))
        batch_op.drop_index(batch_op.f("ix_desk_photo_service_point_id"))
        batch_op.drop_index(batch_op.f("ix_desk_photo_device_id"))
        batch_op.drop_index(batch_op.f("ix_desk_photo_custody_id"))

    op.drop_table("desk_photo")
    with op.batch_alter_table("custody_kit", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_custody_kit_piece_id"))
        batch_op.drop_index(batch_op.f("ix_custody_kit_custody_id"))

    op.drop_table("custody_kit")
    op.drop_table("box_line")
    with op.batch_alter_table("portal_enrollment", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_portal_enrollment_person_id"))

    op.drop_table("portal_enrollment")
    with op.batch_alter_table("kiosk_stop", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_kiosk_stop_service_point_id"))
        batch_op.drop_index("ix_kiosk_stop_device")

    op.drop_table("kiosk_stop")
    op.drop_table("desk_repair_fault")
    op.drop_table("desk_case_step")
    with op.batch_alter_table("desk_case_look", schema=None) as batch_op:
        batch_op.drop_index("ix_desk_case_look_case")

    op.drop_table("desk_case_look")
    with op.batch_alter_table("desk_case_line", schema=None) as batch_op:
        batch_op.drop_index("ix_desk_case_line_case")

    op.drop_table("desk_case_line")
    with op.batch_alter_table("desk_case_item", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_desk_case_item_device_id"))
        batch_op.drop_index("ix_desk_case_item_case")

    op.drop_table("desk_case_item")
    with op.batch_alter_table("desk_case_fix", schema=None) as batch_op:
        batch_op.drop_index("ix_desk_case_fix_case")

    op.drop_table("desk_case_fix")
    with op.batch_alter_table("custody", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_custody_open", postgresql_where=sa.text("to_at IS NULL"), sqlite_where=sa.text("to_at IS NULL")
        )
        batch_op.drop_index(batch_op.f("ix_custody_service_point_id"))
        batch_op.drop_index("ix_custody_person")
        batch_op.drop_index("ix_custody_due")
        batch_op.drop_index(batch_op.f("ix_custody_device_id"))

    op.drop_table("custody")
    with op.batch_alter_table("box_run", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_box_run_service_point_id"))

    op.drop_table("box_run")
    with op.batch_alter_table("desk_transfer_line", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_desk_transfer_line_pending", sqlite_where=sa.text("pending"), postgresql_where=sa.text("pending")
        )
        batch_op.drop_index(batch_op.f("ix_desk_transfer_line_device_id"))

    op.drop_table("desk_transfer_line")
    with op.batch_alter_table("desk_stock_scan", schema=None) as batch_op:
        batch_op.drop_index("ix_desk_stock_scan_device")

    op.drop_table("desk_stock_scan")
    with op.batch_alter_table("desk_repair", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_desk_repair_open",
            sqlite_where=sa.text("closed_at IS NULL"),
            postgresql_where=sa.text("closed_at IS NULL"),
        )
        batch_op.drop_index("ix_desk_repair_state")
        batch_op.drop_index(batch_op.f("ix_desk_repair_person_id"))
        batch_op.drop_index(batch_op.f("ix_desk_repair_device_id"))

    op.drop_table("desk_repair")
    with op.batch_alter_table("desk_paper", schema=None) as batch_op:
        batch_op.drop_index("ix_desk_paper_place")
        batch_op.drop_index(batch_op.f("ix_desk_paper_person_id"))

    op.drop_table("desk_paper")
    with op.batch_alter_table("desk_case", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_desk_case_unit_id"))
        batch_op.drop_index("ix_desk_case_state")
        batch_op.drop_index("ix_desk_case_place")
        batch_op.drop_index(batch_op.f("ix_desk_case_person_id"))
        batch_op.drop_index(batch_op.f("ix_desk_case_device_id"))
        batch_op.drop_index(batch_op.f("ix_desk_case_closed_at"))

    op.drop_table("desk_case")
    with op.batch_alter_table("portal_session", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_portal_session_person_id"))
        batch_op.drop_index(batch_op.f("ix_portal_session_expires_at"))

    op.drop_table("portal_session")
    with op.batch_alter_table("portal_key", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_portal_key_person_id"))

    op.drop_table("portal_key")
    with op.batch_alter_table("kit_piece", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_kit_piece_service_point_id"))
        batch_op.drop_index(batch_op.f("ix_kit_piece_person_id"))
        batch_op.drop_index(batch_op.f("ix_kit_piece_kind_id"))

    op.drop_table("kit_piece")
    with op.batch_alter_table("desk_stock_take", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_desk_stock_take_open",
            sqlite_where=sa.text("state = 'open'"),
            postgresql_where=sa.text("state = 'open'"),
        )
        batch_op.drop_index(batch_op.f("ix_desk_stock_take_service_point_id"))

    op.drop_table("desk_stock_take")
    with op.batch_alter_table("desk_signature", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_desk_signature_service_point_id"))
        batch_op.drop_index(batch_op.f("ix_desk_signature_person_id"))

    op.drop_table("desk_signature")
    op.drop_table("loan_place")
    with op.batch_alter_table("desk_transfer", schema=None) as batch_op:
        batch_op.drop_index("ix_desk_transfer_to")
        batch_op.drop_index("ix_desk_transfer_from")

    op.drop_table("desk_transfer")
    op.drop_table("desk_shelf")
    op.drop_table("desk_paper_counter")
    op.drop_table("desk_minimum")
    op.drop_table("kit_kind")
    op.drop_table("kiosk_round")
    op.drop_table("desk_terms")
    with op.batch_alter_table("desk_exchange_file", schema=None) as batch_op:
        batch_op.drop_index("ix_desk_exchange_file_created")

    op.drop_table("desk_exchange_file")
    op.drop_table("apple_push_request")
