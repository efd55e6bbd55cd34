"""the safety kernel.

Revision: 0002
After: 0001
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "act",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("verb", sa.String(length=32), nullable=False),
        sa.Column("subject_kind", sa.String(length=32), nullable=False),
        sa.Column("subject_id", sa.String(length=255), nullable=False),
        sa.Column("subject_name", sa.String(length=255), nullable=False),
        sa.Column("service_point_id", sa.Integer(), nullable=True),
        sa.Column("unit_id", sa.Integer(), nullable=True),
        sa.Column("place", sa.String(length=64), nullable=False),
        sa.Column("canonical", sa.Text(), nullable=False),
        sa.Column("arguments", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("facts", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("private", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("approvals_needed", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("requested_by", sa.String(length=255), nullable=False),
        sa.Column("requested_by_id", sa.String(length=80), nullable=False),
        sa.Column("actor_kind", sa.String(length=16), nullable=False),
        sa.Column("actor_id", sa.Integer(), nullable=True),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_act")),
    )
    with op.batch_alter_table("act", schema=None) as batch_op:
        batch_op.create_index("ix_act_budget", ["requested_by_id", "verb", "finished_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_act_service_point_id"), ["service_point_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_act_state"), ["state"], unique=False)
        batch_op.create_index(batch_op.f("ix_act_subject_id"), ["subject_id"], unique=False)
        batch_op.create_index(
            "uq_act_open",
            ["requested_by_id", "digest"],
            unique=True,
            postgresql_where=sa.text("finished_at IS NULL"),
            sqlite_where=sa.text("finished_at IS NULL"),
        )

    op.create_table(
        "alarm",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("params", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("subject_kind", sa.String(length=32), nullable=False),
        sa.Column("subject_id", sa.String(length=64), nullable=False),
        sa.Column("service_point_id", sa.Integer(), nullable=True),
        sa.Column("unit_id", sa.Integer(), nullable=True),
        sa.Column("line", sa.Integer(), nullable=True),
        sa.Column("told", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alarm")),
        sa.UniqueConstraint("line", name=op.f("uq_alarm_line")),
    )
    with op.batch_alter_table("alarm", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_alarm_at"), ["at"], unique=False)
        batch_op.create_index("ix_alarm_place", ["service_point_id", "id"], unique=False)

    op.create_table(
        "apple_push",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("topic", sa.String(length=255), nullable=False),
        sa.Column("certificate", sa.Text(), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("account", sa.String(length=255), nullable=False),
        sa.Column("not_after", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(length=255), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("refused_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("refused_why", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_apple_push")),
    )
    with op.batch_alter_table("apple_push", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_apple_push_topic"), ["topic"], unique=False)

    op.create_table(
        "apple_set",
        sa.Column("token", sa.String(length=64), nullable=False),
        sa.Column("content", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("token", name=op.f("pk_apple_set")),
    )
    op.create_table(
        "apple_tie",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("certificate", sa.Text(), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("token", sa.LargeBinary(), nullable=True),
        sa.Column("token_ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("profile", sa.String(length=64), nullable=False),
        sa.Column("cursor", sa.String(length=1000), nullable=False),
        sa.Column("synced_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_apple_tie")),
        sa.UniqueConstraint("uid", name=op.f("uq_apple_tie_uid")),
    )
    op.create_table(
        "diary_closure",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("witnessed", sa.Integer(), nullable=False),
        sa.Column("witnessed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_diary_closure")),
    )
    op.create_table(
        "kernel_state",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("frozen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("frozen_by", sa.String(length=255), nullable=False),
        sa.Column("frozen_why", sa.Text(), nullable=False),
        sa.Column("freezes", sa.Integer(), nullable=False),
        sa.Column("thaw_text", sa.Text(), nullable=False),
        sa.Column("thaw_proofs", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("roster_version", sa.Integer(), nullable=False),
        sa.Column("roster_text", sa.Text(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("mirrored_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cooling_minutes", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kernel_state")),
    )
    op.create_table(
        "order_batch",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("canonical", sa.Text(), nullable=False),
        sa.Column("lane", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("requested_by", sa.String(length=255), nullable=False),
        sa.Column("requested_by_id", sa.String(length=64), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("left_out", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("told", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_batch")),
    )
    op.create_table(
        "roster_proposal",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("proposed_by", sa.String(length=255), nullable=False),
        sa.Column("proposed_by_id", sa.String(length=64), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("proofs", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_roster_proposal")),
    )
    with op.batch_alter_table("roster_proposal", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_roster_proposal_state"), ["state"], unique=False)
        batch_op.create_index(batch_op.f("ix_roster_proposal_version"), ["version"], unique=False)

    op.create_table(
        "sealed_roster",
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("sealed", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("mirrored_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_sealed_roster")),
    )
    op.create_table(
        "webhook_target",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("url", sa.String(length=2000), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("kinds", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(length=255), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_status", sa.Integer(), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_target")),
        sa.UniqueConstraint("name", name=op.f("uq_webhook_target_name")),
    )
    op.create_table(
        "act_approval",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("act_id", sa.String(length=32), nullable=False),
        sa.Column("approver_id", sa.String(length=80), nullable=False),
        sa.Column("approver_name", sa.String(length=255), nullable=False),
        sa.Column("approved", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("proof", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=True),
        sa.ForeignKeyConstraint(["act_id"], ["act.id"], name=op.f("fk_act_approval_act_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_act_approval")),
        sa.UniqueConstraint("act_id", "approver_id", name=op.f("uq_act_approval_act_id_approver_id")),
    )
    with op.batch_alter_table("act_approval", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_act_approval_act_id"), ["act_id"], unique=False)

    op.create_table(
        "apple_assigned",
        sa.Column("serial", sa.String(length=128), nullable=False),
        sa.Column("tie_id", sa.Integer(), nullable=False),
        sa.Column("model", sa.String(length=255), nullable=False),
        sa.Column("description", sa.String(length=255), nullable=False),
        sa.Column("profile", sa.String(length=64), nullable=False),
        sa.Column("listed", sa.Boolean(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["tie_id"], ["apple_tie.id"], name=op.f("fk_apple_assigned_tie_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("serial", name=op.f("pk_apple_assigned")),
    )
    with op.batch_alter_table("apple_assigned", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_apple_assigned_tie_id"), ["tie_id"], unique=False)

    op.create_table(
        "passkey",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("operator_id", sa.Integer(), nullable=False),
        sa.Column("credential_id", sa.String(length=1400), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("cose_key", sa.LargeBinary(), nullable=False),
        sa.Column("key_id", sa.String(length=32), nullable=False),
        sa.Column("type", sa.String(length=16), nullable=False),
        sa.Column("sign_count", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("transports", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("stopped_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["operator_id"], ["operator.id"], name=op.f("fk_passkey_operator_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_passkey")),
        sa.UniqueConstraint("credential_id", name=op.f("uq_passkey_credential_id")),
        sa.UniqueConstraint("key_id", name=op.f("uq_passkey_key_id")),
    )
    with op.batch_alter_table("passkey", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_passkey_operator_id"), ["operator_id"], unique=False)

    op.create_table(
        "passkey_challenge",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("challenge", sa.String(length=128), nullable=False),
        sa.Column("purpose", sa.String(length=16), nullable=False),
        sa.Column("web_session_id", sa.Integer(), nullable=True),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["web_session_id"], ["web_session.id"], name=op.f("fk_passkey_challenge_web_session_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_passkey_challenge")),
        sa.UniqueConstraint("challenge", name=op.f("uq_passkey_challenge_challenge")),
    )
    with op.batch_alter_table("passkey_challenge", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_passkey_challenge_address"), ["address"], unique=False)
        batch_op.create_index(batch_op.f("ix_passkey_challenge_expires_at"), ["expires_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_passkey_challenge_web_session_id"), ["web_session_id"], unique=False)

    op.create_table(
        "apple_command",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("uuid", sa.String(length=36), nullable=False),
        sa.Column("device_id", sa.Integer(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("request_type", sa.String(length=64), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.Boolean(), nullable=False),
        sa.Column("guarded", sa.Boolean(), nullable=False),
        sa.Column("open", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("target", sa.String(length=255), nullable=False),
        sa.Column("command_id", sa.String(length=32), nullable=True),
        sa.Column("order_id", sa.String(length=32), nullable=True),
        sa.Column("asked_by", sa.String(length=255), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("not_now", sa.Integer(), nullable=False),
        sa.Column("not_now_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answer", sa.LargeBinary(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("details", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.ForeignKeyConstraint(
            ["device_id"], ["device.id"], name=op.f("fk_apple_command_device_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_apple_command")),
        sa.UniqueConstraint("uuid", name=op.f("uq_apple_command_uuid")),
    )
    with op.batch_alter_table("apple_command", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_apple_command_command_id"), ["command_id"], unique=False)
        batch_op.create_index("ix_apple_command_device", ["device_id", "id"], unique=False)
        batch_op.create_index("ix_apple_command_expiry", ["open", "expires_at"], unique=False)
        batch_op.create_index("ix_apple_command_open", ["device_id", "open", "priority", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_apple_command_order_id"), ["order_id"], unique=False)

    op.create_table(
        "apple_profile",
        sa.Column("device_id", sa.Integer(), nullable=False),
        sa.Column("identifier", sa.String(length=255), nullable=False),
        sa.Column("resource", sa.String(length=128), nullable=False),
        sa.Column("wanted", sa.String(length=16), nullable=True),
        sa.Column("installed", sa.String(length=16), nullable=True),
        sa.Column("failed", sa.String(length=16), nullable=True),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("settings", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["device_id"], ["device.id"], name=op.f("fk_apple_profile_device_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("device_id", "identifier", name=op.f("pk_apple_profile")),
    )
    op.create_table(
        "apple_session",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("place", sa.String(length=64), nullable=False),
        sa.Column("challenge_digest", sa.String(length=64), nullable=False),
        sa.Column("challenge_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("user_enrollment", sa.Boolean(), nullable=False),
        sa.Column("account", sa.String(length=255), nullable=False),
        sa.Column("invitation_id", sa.Integer(), nullable=True),
        sa.Column("device_id", sa.Integer(), nullable=True),
        sa.Column("serial", sa.String(length=128), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=True),
        sa.Column("transaction", sa.String(length=256), nullable=True),
        sa.Column("key_digest", sa.String(length=64), nullable=True),
        sa.Column("request", sa.LargeBinary(), nullable=True),
        sa.Column("approval", sa.String(length=16), nullable=False),
        sa.Column("udid", sa.String(length=64), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("authenticated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("details", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.ForeignKeyConstraint(
            ["device_id"], ["device.id"], name=op.f("fk_apple_session_device_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["invitation_id"], ["invitation.id"], name=op.f("fk_apple_session_invitation_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_apple_session")),
        sa.UniqueConstraint("challenge_digest", name=op.f("uq_apple_session_challenge_digest")),
        sa.UniqueConstraint("fingerprint", name=op.f("uq_apple_session_fingerprint")),
        sa.UniqueConstraint("uid", name=op.f("uq_apple_session_uid")),
    )
    with op.batch_alter_table("apple_session", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_apple_session_device_id"), ["device_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_apple_session_invitation_id"), ["invitation_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_apple_session_place"), ["place"], unique=False)

    op.create_table(
        "apple_device",
        sa.Column("device_id", sa.Integer(), nullable=False),
        sa.Column("udid", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("session_id", sa.Integer(), nullable=True),
        sa.Column("user_enrollment", sa.Boolean(), nullable=False),
        sa.Column("supervised", sa.Boolean(), nullable=True),
        sa.Column("awaiting", sa.Boolean(), nullable=False),
        sa.Column("topic", sa.String(length=255), nullable=False),
        sa.Column("push", sa.LargeBinary(), nullable=True),
        sa.Column("push_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("push_signed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("push_bad", sa.String(length=64), nullable=False),
        sa.Column("pushed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("push_again_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("unlock_token", sa.LargeBinary(), nullable=True),
        sa.Column("bypass_code", sa.LargeBinary(), nullable=True),
        sa.Column("location", sa.LargeBinary(), nullable=True),
        sa.Column("lost_mode", sa.Boolean(), nullable=False),
        sa.Column("declarative", sa.Boolean(), nullable=False),
        sa.Column("reconciled", sa.String(length=64), nullable=False),
        sa.Column("set_token", sa.String(length=64), nullable=True),
        sa.Column("advertised_token", sa.String(length=64), nullable=True),
        sa.Column("declared", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("status", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("turn_away", sa.Boolean(), nullable=False),
        sa.Column("inventory_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["device_id"], ["device.id"], name=op.f("fk_apple_device_device_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["session_id"], ["apple_session.id"], name=op.f("fk_apple_device_session_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("device_id", name=op.f("pk_apple_device")),
        sa.UniqueConstraint("udid", name=op.f("uq_apple_device_udid")),
    )
    with op.batch_alter_table("command", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_command_finished_at"), ["finished_at"], unique=False)

    with op.batch_alter_table("device", schema=None) as batch_op:
        batch_op.add_column(sa.Column("key_digest", sa.String(length=64), server_default=sa.text("''"), nullable=False))
        batch_op.drop_index(batch_op.f("ix_device_place"))
        batch_op.create_index("ix_device_place", ["service_point_id", "state", "verdict", "name", "id"], unique=False)

    with op.batch_alter_table("device_event", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_device_event_at"), ["at"], unique=False)

    with op.batch_alter_table("order_approval", schema=None) as batch_op:
        batch_op.add_column(sa.Column("batch_id", sa.String(length=32), nullable=True))
        batch_op.add_column(sa.Column("proof", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=True))
        batch_op.add_column(sa.Column("key_id", sa.String(length=32), server_default=sa.text("''"), nullable=False))
        batch_op.alter_column("order_id", existing_type=sa.VARCHAR(length=32), nullable=True)
        batch_op.create_index(batch_op.f("ix_order_approval_batch_id"), ["batch_id"], unique=False)
        batch_op.create_unique_constraint(
            batch_op.f("uq_order_approval_batch_id_approver_id"), ["batch_id", "approver_id"]
        )
        batch_op.create_foreign_key(batch_op.f("fk_order_approval_batch_id"), "order_batch", ["batch_id"], ["id"])

    with op.batch_alter_table("wipe_order", schema=None) as batch_op:
        batch_op.add_column(sa.Column("canonical", sa.Text(), server_default=sa.text("''"), nullable=False))
        batch_op.add_column(sa.Column("lane", sa.String(length=16), server_default=sa.text("''"), nullable=False))
        batch_op.add_column(sa.Column("batch_id", sa.String(length=32), nullable=True))
        batch_op.add_column(sa.Column("approvals_needed", sa.Integer(), server_default=sa.text("2"), nullable=False))
        batch_op.add_column(sa.Column("place", sa.String(length=64), server_default=sa.text("''"), nullable=False))
        batch_op.add_column(sa.Column("token", sa.String(length=64), server_default=sa.text("''"), nullable=False))
        batch_op.add_column(sa.Column("presence", sa.String(length=8), server_default=sa.text("''"), nullable=False))
        batch_op.add_column(sa.Column("epoch", sa.Integer(), server_default=sa.text("1"), nullable=False))
        batch_op.add_column(sa.Column("ownership", sa.String(length=16), server_default=sa.text("''"), nullable=False))
        batch_op.add_column(sa.Column("holder_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("cools_until", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("pause_digest", sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column("paused_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("paused_by", sa.String(length=255), server_default=sa.text("''"), nullable=False))
        batch_op.create_index(batch_op.f("ix_wipe_order_batch_id"), ["batch_id"], unique=False)
        batch_op.create_unique_constraint(batch_op.f("uq_wipe_order_pause_digest"), ["pause_digest"])
        batch_op.create_foreign_key(batch_op.f("fk_wipe_order_batch_id"), "order_batch", ["batch_id"], ["id"])
        batch_op.create_foreign_key(
            batch_op.f("fk_wipe_order_holder_id"), "person", ["holder_id"], ["id"], ondelete="SET NULL"
        )

    # An order of the first kind was approved without signatures: no device takes it any more, so it is asked anew.
    op.execute("DELETE FROM order_release WHERE order_id IN (SELECT id FROM wipe_order WHERE finished_at IS NULL)")
    op.execute(
        "UPDATE device SET waiting = CASE WHEN waiting > 0 THEN waiting - 1 ELSE 0 END WHERE id IN"
        " (SELECT device_id FROM wipe_order WHERE finished_at IS NULL AND state IN ('released', 'fetched'))"
    )
    op.execute("UPDATE wipe_order SET state = 'expired', finished_at = CURRENT_TIMESTAMP WHERE finished_at IS NULL")
    op.execute(
        "UPDATE device SET key_digest = COALESCE((SELECT e.key_digest FROM enrollment e WHERE e.device_id = device.id"
        " AND e.revoked_at IS NULL ORDER BY e.id DESC LIMIT 1), '')"
    )


def downgrade() -> None:
    with op.batch_alter_table("wipe_order", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_wipe_order_holder_id"), type_="foreignkey")
        batch_op.drop_constraint(batch_op.f("fk_wipe_order_batch_id"), type_="foreignkey")
        batch_op.drop_constraint(batch_op.f("uq_wipe_order_pause_digest"), type_="unique")
        batch_op.drop_index(batch_op.f("ix_wipe_order_batch_id"))
        batch_op.drop_column("paused_by")
        batch_op.drop_column("paused_at")
        batch_op.drop_column("pause_digest")
        batch_op.drop_column("cools_until")
        batch_op.drop_column("holder_id")
        batch_op.drop_column("ownership")
        batch_op.drop_column("epoch")
        batch_op.drop_column("presence")
        batch_op.drop_column("token")
        batch_op.drop_column("place")
        batch_op.drop_column("approvals_needed")
        batch_op.drop_column("batch_id")
        batch_op.drop_column("lane")
        batch_op.drop_column("canonical")

    with op.batch_alter_table("order_approval", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_order_approval_batch_id"), type_="foreignkey")
        batch_op.drop_constraint(batch_op.f("uq_order_approval_batch_id_approver_id"), type_="unique")
        batch_op.drop_index(batch_op.f("ix_order_approval_batch_id"))
        batch_op.alter_column("order_id", existing_type=sa.VARCHAR(length=32), nullable=False)
        batch_op.drop_column("key_id")
        batch_op.drop_column("proof")
        batch_op.drop_column("batch_id")

    with op.batch_alter_table("device_event", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_device_event_at"))

    with op.batch_alter_table("device", schema=None) as batch_op:
        batch_op.drop_index("ix_device_place")
        batch_op.create_index(batch_op.f("ix_device_place"), ["service_point_id", "state"], unique=False)
        batch_op.drop_column("key_digest")

    with op.batch_alter_table("command", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_command_finished_at"))

    op.drop_table("apple_device")
    with op.batch_alter_table("apple_session", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_apple_session_place"))
        batch_op.drop_index(batch_op.f("ix_apple_session_invitation_id"))
        batch_op.drop_index(batch_op.f("ix_apple_session_device_id"))

    op.drop_table("apple_session")
    op.drop_table("apple_profile")
    with op.batch_alter_table("apple_command", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_apple_command_order_id"))
        batch_op.drop_index("ix_apple_command_open")
        batch_op.drop_index("ix_apple_command_expiry")
        batch_op.drop_index("ix_apple_command_device")
        batch_op.drop_index(batch_op.f("ix_apple_command_command_id"))

    op.drop_table("apple_command")
    with op.batch_alter_table("passkey_challenge", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_passkey_challenge_web_session_id"))
        batch_op.drop_index(batch_op.f("ix_passkey_challenge_expires_at"))
        batch_op.drop_index(batch_op.f("ix_passkey_challenge_address"))

    op.drop_table("passkey_challenge")
    with op.batch_alter_table("passkey", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_passkey_operator_id"))

    op.drop_table("passkey")
    with op.batch_alter_table("apple_assigned", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_apple_assigned_tie_id"))

    op.drop_table("apple_assigned")
    with op.batch_alter_table("act_approval", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_act_approval_act_id"))

    op.drop_table("act_approval")
    op.drop_table("webhook_target")
    op.drop_table("sealed_roster")
    with op.batch_alter_table("roster_proposal", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_roster_proposal_version"))
        batch_op.drop_index(batch_op.f("ix_roster_proposal_state"))

    op.drop_table("roster_proposal")
    op.drop_table("order_batch")
    op.drop_table("kernel_state")
    op.drop_table("diary_closure")
    op.drop_table("apple_tie")
    op.drop_table("apple_set")
    with op.batch_alter_table("apple_push", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_apple_push_topic"))

    op.drop_table("apple_push")
    with op.batch_alter_table("alarm", schema=None) as batch_op:
        batch_op.drop_index("ix_alarm_place")
        batch_op.drop_index(batch_op.f("ix_alarm_at"))

    op.drop_table("alarm")
    with op.batch_alter_table("act", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_act_open", postgresql_where=sa.text("finished_at IS NULL"), sqlite_where=sa.text("finished_at IS NULL")
        )
        batch_op.drop_index(batch_op.f("ix_act_subject_id"))
        batch_op.drop_index(batch_op.f("ix_act_state"))
        batch_op.drop_index(batch_op.f("ix_act_service_point_id"))
        batch_op.drop_index("ix_act_budget")

    op.drop_table("act")
