"""people and networks.

Revision: 0005
After: 0004
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "app_offer",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("platform", sa.String(length=16), nullable=False),
        sa.Column("identifier", sa.String(length=255), nullable=False),
        sa.Column("personas", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("group_id", sa.Integer(), nullable=True),
        sa.Column("policy_id", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["group_id"], ["device_group.id"], name=op.f("fk_app_offer_group_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["policy_id"], ["policy.id"], name=op.f("fk_app_offer_policy_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_app_offer")),
        sa.UniqueConstraint("group_id", name=op.f("uq_app_offer_group_id")),
        sa.UniqueConstraint("platform", "identifier", name=op.f("uq_app_offer_platform_identifier")),
        sa.UniqueConstraint("uid", name=op.f("uq_app_offer_uid")),
    )
    op.create_table(
        "app_request",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("offer_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("slot", sa.String(length=64), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_by", sa.String(length=255), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["offer_id"], ["app_offer.id"], name=op.f("fk_app_request_offer_id")),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_app_request_person_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_app_request")),
        sa.UniqueConstraint("slot", name=op.f("uq_app_request_slot")),
        sa.UniqueConstraint("uid", name=op.f("uq_app_request_uid")),
    )
    with op.batch_alter_table("app_request", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_app_request_offer_id"), ["offer_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_app_request_person_id"), ["person_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_app_request_state"), ["state"], unique=False)

    with op.batch_alter_table("audit_entry", schema=None) as batch_op:
        batch_op.add_column(sa.Column("salt", sa.String(length=32), nullable=True))
        batch_op.add_column(sa.Column("text_digest", sa.String(length=64), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("audit_entry", schema=None) as batch_op:
        batch_op.drop_column("text_digest")
        batch_op.drop_column("salt")

    with op.batch_alter_table("app_request", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_app_request_state"))
        batch_op.drop_index(batch_op.f("ix_app_request_person_id"))
        batch_op.drop_index(batch_op.f("ix_app_request_offer_id"))

    op.drop_table("app_request")
    op.drop_table("app_offer")
