"""the kiosks.

Revision: 0006
After: 0005
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "person_erased",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("why", sa.String(length=16), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person_erased")),
        sa.UniqueConstraint("digest", name=op.f("uq_person_erased_digest")),
    )
    with op.batch_alter_table("person_erased", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_person_erased_erased_at"), ["erased_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_person_erased_uid"), ["uid"], unique=False)

    op.create_table(
        "privacy_departure",
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("kept_until", sa.Date(), nullable=True),
        sa.Column("kept_why", sa.Text(), nullable=False),
        sa.Column("kept_by", sa.String(length=255), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_privacy_departure_person_id")),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_privacy_departure")),
    )
    with op.batch_alter_table("privacy_departure", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_privacy_departure_due_at"), ["due_at"], unique=False)

    op.create_table(
        "privacy_look",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("device", sa.String(length=32), nullable=False),
        sa.Column("device_label", sa.String(length=255), nullable=False),
        sa.Column("on_day", sa.Date(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_kind", sa.String(length=16), nullable=False),
        sa.Column("actor_id", sa.Integer(), nullable=False),
        sa.Column("by", sa.String(length=255), nullable=False),
        sa.Column("way", sa.String(length=16), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_privacy_look_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_privacy_look")),
        sa.UniqueConstraint(
            "person_id",
            "on_day",
            "actor_kind",
            "actor_id",
            "way",
            "device",
            name=op.f("uq_privacy_look_person_id_on_day_actor_kind_actor_id_way_device"),
        ),
    )
    with op.batch_alter_table("privacy_look", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_privacy_look_at"), ["at"], unique=False)
        batch_op.create_index("ix_privacy_look_person", ["person_id", "at"], unique=False)

    op.create_table(
        "kiosk_picture",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("device_id", sa.Integer(), nullable=False),
        sa.Column("command_id", sa.String(length=32), nullable=False),
        sa.Column("asked_by", sa.String(length=255), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["device_id"], ["device.id"], name=op.f("fk_kiosk_picture_device_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kiosk_picture")),
        sa.UniqueConstraint("command_id", name=op.f("uq_kiosk_picture_command_id")),
        sa.UniqueConstraint("uid", name=op.f("uq_kiosk_picture_uid")),
    )
    with op.batch_alter_table("kiosk_picture", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_kiosk_picture_device_id"), ["device_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_kiosk_picture_taken_at"), ["taken_at"], unique=False)

    op.create_table(
        "kiosk_told",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("device_id", sa.Integer(), nullable=False),
        sa.Column("rule", sa.String(length=48), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name=op.f("fk_kiosk_told_device_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kiosk_told")),
        sa.UniqueConstraint("device_id", "rule", name=op.f("uq_kiosk_told_device_id_rule")),
    )
    with op.batch_alter_table("app_offer", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("about_in", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=True)
        )

    with op.batch_alter_table("discovery_run", schema=None) as batch_op:
        batch_op.add_column(sa.Column("asks", sa.Boolean(), server_default=sa.false(), nullable=False))
        batch_op.add_column(sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("started_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(
            sa.Column("stopped_by", sa.String(length=255), server_default=sa.text("''"), nullable=False)
        )


def downgrade() -> None:
    with op.batch_alter_table("discovery_run", schema=None) as batch_op:
        batch_op.drop_column("stopped_by")
        batch_op.drop_column("started_at")
        batch_op.drop_column("ends_at")
        batch_op.drop_column("asks")

    with op.batch_alter_table("app_offer", schema=None) as batch_op:
        batch_op.drop_column("about_in")

    op.drop_table("kiosk_told")
    with op.batch_alter_table("kiosk_picture", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_kiosk_picture_taken_at"))
        batch_op.drop_index(batch_op.f("ix_kiosk_picture_device_id"))

    op.drop_table("kiosk_picture")
    with op.batch_alter_table("privacy_look", schema=None) as batch_op:
        batch_op.drop_index("ix_privacy_look_person")
        batch_op.drop_index(batch_op.f("ix_privacy_look_at"))

    op.drop_table("privacy_look")
    with op.batch_alter_table("privacy_departure", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_privacy_departure_due_at"))

    op.drop_table("privacy_departure")
    with op.batch_alter_table("person_erased", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_person_erased_uid"))
        batch_op.drop_index(batch_op.f("ix_person_erased_erased_at"))

    op.drop_table("person_erased")
