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
        "adoption_lead_letter",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("lead_digest", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("post_id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_adoption_lead_letter")),
    )
    with op.batch_alter_table("adoption_lead_letter", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_adoption_lead_letter_lead_digest"), ["lead_digest"], unique=False)

    op.create_table(
        "adoption_run",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("made_by", sa.String(length=255), nullable=False),
        sa.Column("asked_by", sa.String(length=64), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("chosen", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_adoption_run")),
        sa.UniqueConstraint("key", name=op.f("uq_adoption_run_key")),
        sa.UniqueConstraint("uid", name=op.f("uq_adoption_run_uid")),
    )
    with op.batch_alter_table("adoption_run", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_adoption_run_finished_at"), ["finished_at"], unique=False)

    op.create_table(
        "agent_release",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("version", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_by", sa.String(length=255), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agent_release")),
        sa.UniqueConstraint("version", name=op.f("uq_agent_release_version")),
    )
    op.create_table(
        "android_file",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("md5", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("package", sa.String(length=255), nullable=False),
        sa.Column("version", sa.String(length=128), nullable=False),
        sa.Column("version_code", sa.BigInteger(), nullable=False),
        sa.Column("signer", sa.String(length=64), nullable=False),
        sa.Column("in_use", sa.Boolean(), nullable=False),
        sa.Column("created_by", sa.String(length=255), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_android_file")),
        sa.UniqueConstraint("digest", name=op.f("uq_android_file_digest")),
    )
    with op.batch_alter_table("android_file", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_android_file_package"), ["package"], unique=False)

    op.create_table(
        "android_google",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("project", sa.String(length=255), nullable=False),
        sa.Column("account", sa.String(length=255), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("step", sa.String(length=16), nullable=False),
        sa.Column("subscription", sa.String(length=400), nullable=False),
        sa.Column("topic", sa.String(length=400), nullable=False),
        sa.Column("callback", sa.String(length=500), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("state", sa.String(length=64), nullable=False),
        sa.Column("signup_name", sa.String(length=255), nullable=False),
        sa.Column("signup_url", sa.Text(), nullable=False),
        sa.Column("returned_token", sa.LargeBinary(), nullable=True),
        sa.Column("enterprise", sa.String(length=64), nullable=False),
        sa.Column("display_name", sa.String(length=255), nullable=False),
        sa.Column("api", sa.String(length=255), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("pulled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("listed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("list_token", sa.Text(), nullable=False),
        sa.Column("created_by", sa.String(length=255), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_android_google")),
    )
    op.create_table(
        "android_note",
        sa.Column("id", sa.String(length=128), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("content", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_android_note")),
    )
    with op.batch_alter_table("android_note", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_android_note_read_at"), ["read_at"], unique=False)

    op.create_table(
        "android_setup",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("wifi_ssid", sa.String(length=64), nullable=False),
        sa.Column("wifi_security", sa.String(length=8), nullable=False),
        sa.Column("wifi_password", sa.LargeBinary(), nullable=True),
        sa.Column("wifi_hidden", sa.Boolean(), nullable=False),
        sa.Column("mobile_data", sa.Boolean(), nullable=False),
        sa.Column("leave_apps", sa.Boolean(), nullable=False),
        sa.Column("locale", sa.String(length=16), nullable=False),
        sa.Column("time_zone", sa.String(length=64), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_android_setup")),
    )
    op.create_table(
        "guide",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("title", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("text", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("film", sa.String(length=500), nullable=False),
        sa.Column("platform", sa.String(length=16), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("model", sa.String(length=64), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("hidden_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_guide")),
        sa.UniqueConstraint("uid", name=op.f("uq_guide_uid")),
    )
    op.create_table(
        "panic_pulse",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_panic_pulse")),
    )
    op.create_table(
        "quest",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("title", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("intro", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("personas", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("units", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("service_points", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("created_by", sa.String(length=255), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tickets", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("tickets_digest", sa.String(length=64), nullable=False),
        sa.Column("fixed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("seed", sa.String(length=128), nullable=False),
        sa.Column("winners", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("skipped", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("drawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("first_day <= last_day", name=op.f("ck_quest_days")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quest")),
        sa.UniqueConstraint("uid", name=op.f("uq_quest_uid")),
    )
    op.create_table(
        "agent_release_ring",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("release_id", sa.Integer(), nullable=False),
        sa.Column("ring", sa.String(length=32), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_by", sa.String(length=255), nullable=False),
        sa.ForeignKeyConstraint(
            ["release_id"], ["agent_release.id"], name=op.f("fk_agent_release_ring_release_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agent_release_ring")),
        sa.UniqueConstraint("release_id", "ring", name=op.f("uq_agent_release_ring_release_id_ring")),
    )
    op.create_table(
        "android_policy",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("cohort_id", sa.Integer(), nullable=True),
        sa.Column("mode", sa.String(length=16), nullable=False),
        sa.Column("wanted_from", sa.String(length=16), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("sources", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["cohort_id"], ["cohort.id"], name=op.f("fk_android_policy_cohort_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_android_policy")),
        sa.UniqueConstraint("cohort_id", "mode", name=op.f("uq_android_policy_cohort_id_mode")),
        sa.UniqueConstraint("name", name=op.f("uq_android_policy_name")),
    )
    with op.batch_alter_table("android_policy", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_android_policy_cohort_id"), ["cohort_id"], unique=False)

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
        "discovery_run",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("service_point_id", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("problem", sa.String(length=32), nullable=False),
        sa.Column("made_by", sa.String(length=255), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("packets", sa.Integer(), nullable=False),
        sa.Column("malformed", sa.Integer(), nullable=False),
        sa.Column("unread", sa.Integer(), nullable=False),
        sa.Column("restarts", sa.Integer(), nullable=False),
        sa.Column("cut", sa.Boolean(), nullable=False),
        sa.Column("devices", sa.Integer(), nullable=False),
        sa.Column("managed", sa.Integer(), nullable=False),
        sa.Column("random", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["service_point_id"], ["service_point.id"], name=op.f("fk_discovery_run_service_point_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_discovery_run")),
        sa.UniqueConstraint("uid", name=op.f("uq_discovery_run_uid")),
    )
    with op.batch_alter_table("discovery_run", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_discovery_run_finished_at"), ["finished_at"], unique=False)
        batch_op.create_index("ix_discovery_run_place", ["service_point_id", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_discovery_run_state"), ["state"], unique=False)

    op.create_table(
        "panic_drill",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("service_point_id", sa.Integer(), nullable=True),
        sa.Column("unit_id", sa.Integer(), nullable=True),
        sa.Column("note", sa.String(length=255), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("begun_by", sa.String(length=255), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("over_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("learned", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["service_point_id"], ["service_point.id"], name=op.f("fk_panic_drill_service_point_id")
        ),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_panic_drill_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_panic_drill")),
        sa.UniqueConstraint("uid", name=op.f("uq_panic_drill_uid")),
    )
    with op.batch_alter_table("panic_drill", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_panic_drill_service_point_id"), ["service_point_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_panic_drill_unit_id"), ["unit_id"], unique=False)

    op.create_table(
        "quest_task",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("quest_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("title", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("text", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("check_kind", sa.String(length=16), nullable=False),
        sa.Column("target", sa.String(length=500), nullable=False),
        sa.ForeignKeyConstraint(["quest_id"], ["quest.id"], name=op.f("fk_quest_task_quest_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quest_task")),
        sa.UniqueConstraint("quest_id", "number", name=op.f("uq_quest_task_quest_id_number")),
    )
    op.create_table(
        "adoption_invitee",
        sa.Column("person_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("invited_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("first_invited_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("channel", sa.String(length=8), nullable=False),
        sa.Column("came_in_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("activated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reminded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reminder", sa.String(length=8), nullable=False),
        sa.Column("lead_told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("no_reminders_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_adoption_invitee_person_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_adoption_invitee")),
    )
    with op.batch_alter_table("adoption_invitee", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_adoption_invitee_activated_at"), ["activated_at"], unique=False)
        batch_op.create_index(
            "ix_adoption_invitee_due",
            ["invited_at"],
            unique=False,
            postgresql_where=sa.text("activated_at IS NULL AND reminded_at IS NULL AND no_reminders_at IS NULL"),
            sqlite_where=sa.text("activated_at IS NULL AND reminded_at IS NULL AND no_reminders_at IS NULL"),
        )

    op.create_table(
        "adoption_line",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("given", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_adoption_line_person_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["adoption_run.id"], name=op.f("fk_adoption_line_run_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_adoption_line")),
        sa.UniqueConstraint("run_id", "person_id", name=op.f("uq_adoption_line_run_id_person_id")),
    )
    with op.batch_alter_table("adoption_line", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_adoption_line_person_id"), ["person_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_adoption_line_run_id"), ["run_id"], unique=False)
        batch_op.create_index("ix_adoption_line_state", ["state", "id"], unique=False)

    op.create_table(
        "ambassador",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("languages", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("about", sa.String(length=255), nullable=False),
        sa.Column("service_point_id", sa.Integer(), nullable=True),
        sa.Column("unit_id", sa.Integer(), nullable=True),
        sa.Column("consent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("show_phone", sa.Boolean(), nullable=False),
        sa.Column("show_email", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_ambassador_person_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["service_point_id"], ["service_point.id"], name=op.f("fk_ambassador_service_point_id")
        ),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_ambassador_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ambassador")),
        sa.UniqueConstraint("person_id", name=op.f("uq_ambassador_person_id")),
        sa.UniqueConstraint("uid", name=op.f("uq_ambassador_uid")),
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

    op.create_table(
        "guide_vote",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("guide_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("helped", sa.Boolean(), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["guide_id"], ["guide.id"], name=op.f("fk_guide_vote_guide_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_guide_vote_person_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_guide_vote")),
        sa.UniqueConstraint("guide_id", "person_id", name=op.f("uq_guide_vote_guide_id_person_id")),
    )
    with op.batch_alter_table("guide_vote", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_guide_vote_person_id"), ["person_id"], unique=False)

    op.create_table(
        "help_code",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=8), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_help_code_person_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_help_code")),
        sa.UniqueConstraint("code", name=op.f("uq_help_code_code")),
        sa.UniqueConstraint("person_id", name=op.f("uq_help_code_person_id")),
    )
    op.create_table(
        "panic_duty",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("service_point_id", sa.Integer(), nullable=True),
        sa.Column("unit_id", sa.Integer(), nullable=True),
        sa.Column("operator_id", sa.Integer(), nullable=True),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("phone", sa.String(length=64), nullable=False),
        sa.Column("email", sa.String(length=255), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("days", sa.String(length=28), nullable=False),
        sa.Column("begins", sa.String(length=5), nullable=False),
        sa.Column("ends", sa.String(length=5), nullable=False),
        sa.Column("from_day", sa.Date(), nullable=False),
        sa.Column("until_day", sa.Date(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by", sa.String(length=255), nullable=False),
        sa.ForeignKeyConstraint(
            ["operator_id"], ["operator.id"], name=op.f("fk_panic_duty_operator_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_panic_duty_person_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["service_point_id"], ["service_point.id"], name=op.f("fk_panic_duty_service_point_id")
        ),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_panic_duty_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_panic_duty")),
    )
    with op.batch_alter_table("panic_duty", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_panic_duty_operator_id"), ["operator_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_panic_duty_person_id"), ["person_id"], unique=False)
        batch_op.create_index("ix_panic_duty_place", ["service_point_id", "unit_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_panic_duty_unit_id"), ["unit_id"], unique=False)

    op.create_table(
        "panic_key",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("secret_digest", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("spot", sa.String(length=120), nullable=False),
        sa.Column("locates", sa.Boolean(), nullable=False),
        sa.Column("safe_code", sa.Text(), nullable=False),
        sa.Column("duress_code", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_panic_key_person_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_panic_key")),
        sa.UniqueConstraint("secret_digest", name=op.f("uq_panic_key_secret_digest")),
    )
    with op.batch_alter_table("panic_key", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_panic_key_person_id"), ["person_id"], unique=False)

    op.create_table(
        "privacy_erasure",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("pseudonym", sa.String(length=64), nullable=False),
        sa.Column("asked_by", sa.String(length=255), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("step", sa.String(length=160), nullable=False),
        sa.Column("place", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("names", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("changed", sa.Integer(), nullable=False),
        sa.Column("left", sa.Integer(), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("clean_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_privacy_erasure_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_privacy_erasure")),
        sa.UniqueConstraint("person_id", name=op.f("uq_privacy_erasure_person_id")),
        sa.UniqueConstraint("pseudonym", name=op.f("uq_privacy_erasure_pseudonym")),
    )
    op.create_table(
        "quest_player",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("quest_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("ticket", sa.String(length=32), nullable=False),
        sa.Column("joined_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("consent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("wrong", sa.Integer(), nullable=False),
        sa.Column("wrong_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_quest_player_person_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["quest_id"], ["quest.id"], name=op.f("fk_quest_player_quest_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quest_player")),
        sa.UniqueConstraint("quest_id", "person_id", name=op.f("uq_quest_player_quest_id_person_id")),
        sa.UniqueConstraint("ticket", name=op.f("uq_quest_player_ticket")),
    )
    with op.batch_alter_table("quest_player", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_quest_player_person_id"), ["person_id"], unique=False)

    op.create_table(
        "adoption_letter",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("line_id", sa.Integer(), nullable=True),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("channel", sa.String(length=8), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("off_digest", sa.String(length=64), nullable=False),
        sa.Column("post_id", sa.Integer(), nullable=False),
        sa.Column("failed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["line_id"], ["adoption_line.id"], name=op.f("fk_adoption_letter_line_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_adoption_letter_person_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_adoption_letter")),
        sa.UniqueConstraint("off_digest", name=op.f("uq_adoption_letter_off_digest")),
    )
    with op.batch_alter_table("adoption_letter", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_adoption_letter_at"), ["at"], unique=False)
        batch_op.create_index(batch_op.f("ix_adoption_letter_person_id"), ["person_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_adoption_letter_post_id"), ["post_id"], unique=False)

    op.create_table(
        "agent_release_try",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("release_id", sa.Integer(), nullable=False),
        sa.Column("device_id", sa.Integer(), nullable=False),
        sa.Column("command_id", sa.String(length=32), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["device_id"], ["device.id"], name=op.f("fk_agent_release_try_device_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["release_id"], ["agent_release.id"], name=op.f("fk_agent_release_try_release_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agent_release_try")),
        sa.UniqueConstraint("release_id", "device_id", name=op.f("uq_agent_release_try_release_id_device_id")),
    )
    with op.batch_alter_table("agent_release_try", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_agent_release_try_device_id"), ["device_id"], unique=False)

    op.create_table(
        "ambassador_question",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("ambassador_id", sa.Integer(), nullable=False),
        sa.Column("device_id", sa.Integer(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("case_number", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["ambassador_id"], ["ambassador.id"], name=op.f("fk_ambassador_question_ambassador_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["device_id"], ["device.id"], name=op.f("fk_ambassador_question_device_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_ambassador_question_person_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ambassador_question")),
        sa.UniqueConstraint("uid", name=op.f("uq_ambassador_question_uid")),
    )
    with op.batch_alter_table("ambassador_question", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_ambassador_question_ambassador_id"), ["ambassador_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_ambassador_question_person_id"), ["person_id"], unique=False)

    op.create_table(
        "android_operation",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("device_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("body", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=True),
        sa.Column("command_id", sa.String(length=32), nullable=True),
        sa.Column("order_id", sa.String(length=32), nullable=True),
        sa.Column("why", sa.String(length=255), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["device_id"], ["device.id"], name=op.f("fk_android_operation_device_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_android_operation")),
        sa.UniqueConstraint("command_id", name=op.f("uq_android_operation_command_id")),
        sa.UniqueConstraint("name", name=op.f("uq_android_operation_name")),
        sa.UniqueConstraint("order_id", name=op.f("uq_android_operation_order_id")),
    )
    with op.batch_alter_table("android_operation", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_android_operation_device_id"), ["device_id"], unique=False)
        batch_op.create_index("ix_android_operation_open", ["state", "checked_at"], unique=False)

    op.create_table(
        "android_phone",
        sa.Column("device_id", sa.Integer(), nullable=False),
        sa.Column("way", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("work_profile", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("details", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.ForeignKeyConstraint(
            ["device_id"], ["device.id"], name=op.f("fk_android_phone_device_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("device_id", name=op.f("pk_android_phone")),
    )
    op.create_table(
        "network_device",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("service_point_id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=True),
        sa.Column("mac", sa.String(length=17), nullable=False),
        sa.Column("random", sa.Boolean(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("vendor", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("model", sa.String(length=128), nullable=False),
        sa.Column("serial", sa.String(length=128), nullable=False),
        sa.Column("addresses", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("services", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("protocols", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("said", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("device_id", sa.Integer(), nullable=True),
        sa.Column("matched_by", sa.String(length=16), nullable=False),
        sa.Column("first_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("noted_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["device_id"], ["device.id"], name=op.f("fk_network_device_device_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["discovery_run.id"], name=op.f("fk_network_device_run_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["service_point_id"], ["service_point.id"], name=op.f("fk_network_device_service_point_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_network_device")),
        sa.UniqueConstraint("service_point_id", "mac", name=op.f("uq_network_device_service_point_id_mac")),
        sa.UniqueConstraint("uid", name=op.f("uq_network_device_uid")),
    )
    with op.batch_alter_table("network_device", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_network_device_device_id"), ["device_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_network_device_noted_at"), ["noted_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_network_device_run_id"), ["run_id"], unique=False)

    op.create_table(
        "panic_alarm",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("slot", sa.String(length=96), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("drill_id", sa.Integer(), nullable=True),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("device_id", sa.Integer(), nullable=True),
        sa.Column("key_id", sa.Integer(), nullable=True),
        sa.Column("person_name", sa.String(length=255), nullable=False),
        sa.Column("device_label", sa.String(length=255), nullable=False),
        sa.Column("spot", sa.String(length=120), nullable=False),
        sa.Column("phone", sa.String(length=64), nullable=False),
        sa.Column("service_point_id", sa.Integer(), nullable=True),
        sa.Column("unit_id", sa.Integer(), nullable=True),
        sa.Column("pressed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("presses", sa.Integer(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("acknowledged_by", sa.String(length=255), nullable=False),
        sa.Column("called_off_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("duress_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("duress_told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("wrong_codes", sa.Integer(), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by", sa.String(length=255), nullable=False),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name=op.f("fk_panic_alarm_device_id")),
        sa.ForeignKeyConstraint(["drill_id"], ["panic_drill.id"], name=op.f("fk_panic_alarm_drill_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_panic_alarm_person_id")),
        sa.ForeignKeyConstraint(
            ["service_point_id"], ["service_point.id"], name=op.f("fk_panic_alarm_service_point_id")
        ),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_panic_alarm_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_panic_alarm")),
        sa.UniqueConstraint("slot", name=op.f("uq_panic_alarm_slot")),
        sa.UniqueConstraint("uid", name=op.f("uq_panic_alarm_uid")),
    )
    with op.batch_alter_table("panic_alarm", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_panic_alarm_closed_at"), ["closed_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_panic_alarm_device_id"), ["device_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_panic_alarm_drill_id"), ["drill_id"], unique=False)
        batch_op.create_index("ix_panic_alarm_due", ["state", "next_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_panic_alarm_duress_at"), ["duress_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_panic_alarm_key_id"), ["key_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_panic_alarm_person_id"), ["person_id"], unique=False)
        batch_op.create_index("ix_panic_alarm_place", ["service_point_id", "state", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_panic_alarm_raised_at"), ["raised_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_panic_alarm_unit_id"), ["unit_id"], unique=False)

    op.create_table(
        "panic_spot",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("device_id", sa.Integer(), nullable=False),
        sa.Column("spot", sa.String(length=120), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("set_by", sa.String(length=255), nullable=False),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name=op.f("fk_panic_spot_device_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_panic_spot")),
        sa.UniqueConstraint("device_id", name=op.f("uq_panic_spot_device_id")),
    )
    op.create_table(
        "quest_done",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("player_id", sa.Integer(), nullable=False),
        sa.Column("task_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["player_id"], ["quest_player.id"], name=op.f("fk_quest_done_player_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["task_id"], ["quest_task.id"], name=op.f("fk_quest_done_task_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quest_done")),
        sa.UniqueConstraint("player_id", "task_id", name=op.f("uq_quest_done_player_id_task_id")),
    )
    with op.batch_alter_table("quest_done", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_quest_done_task_id"), ["task_id"], unique=False)

    op.create_table(
        "android_token",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("invitation_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=True),
        sa.Column("mode", sa.String(length=16), nullable=False),
        sa.Column("kiosk", sa.Boolean(), nullable=False),
        sa.Column("code", sa.LargeBinary(), nullable=True),
        sa.Column("csr", sa.Text(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["invitation_id"], ["invitation.id"], name=op.f("fk_android_token_invitation_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_android_token")),
        sa.UniqueConstraint("invitation_id", name=op.f("uq_android_token_invitation_id")),
        sa.UniqueConstraint("name", name=op.f("uq_android_token_name")),
    )
    op.create_table(
        "kiosk_setup",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("batch", sa.String(length=32), nullable=False),
        sa.Column("row_number", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("host", sa.String(length=255), nullable=False),
        sa.Column("port", sa.Integer(), nullable=False),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("host_key", sa.Text(), nullable=False),
        sa.Column("sign_in", sa.String(length=16), nullable=False),
        sa.Column("root", sa.String(length=255), nullable=False),
        sa.Column("service_point_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("invitation_id", sa.Integer(), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("step", sa.String(length=16), nullable=False),
        sa.Column("changed", sa.Boolean(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("problem", sa.String(length=64), nullable=False),
        sa.Column("sentence", sa.Text(), nullable=False),
        sa.Column("log", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(length=255), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("claimed_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("claimed_by", sa.String(length=32), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["invitation_id"], ["invitation.id"], name=op.f("fk_kiosk_setup_invitation_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_kiosk_setup_person_id")),
        sa.ForeignKeyConstraint(
            ["service_point_id"], ["service_point.id"], name=op.f("fk_kiosk_setup_service_point_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kiosk_setup")),
        sa.UniqueConstraint("uid", name=op.f("uq_kiosk_setup_uid")),
    )
    with op.batch_alter_table("kiosk_setup", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_kiosk_setup_batch"), ["batch"], unique=False)
        batch_op.create_index("ix_kiosk_setup_open", ["state", "due_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_kiosk_setup_person_id"), ["person_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_kiosk_setup_service_point_id"), ["service_point_id"], unique=False)
        batch_op.create_index(
            "uq_kiosk_setup_address",
            ["host", "port"],
            unique=True,
            sqlite_where=sa.text("finished_at IS NULL"),
            postgresql_where=sa.text("finished_at IS NULL"),
        )

    op.create_table(
        "panic_call",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("alarm_id", sa.Integer(), nullable=False),
        sa.Column("who", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("operator_id", sa.Integer(), nullable=True),
        sa.Column("rung", sa.String(length=16), nullable=False),
        sa.Column("ways", sa.String(length=32), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("link_digest", sa.String(length=64), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["alarm_id"], ["panic_alarm.id"], name=op.f("fk_panic_call_alarm_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_panic_call")),
        sa.UniqueConstraint("link_digest", name=op.f("uq_panic_call_link_digest")),
    )
    with op.batch_alter_table("panic_call", schema=None) as batch_op:
        batch_op.create_index("ix_panic_call_alarm", ["alarm_id", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_panic_call_operator_id"), ["operator_id"], unique=False)

    op.create_table(
        "panic_line",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("alarm_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(length=255), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("text", sa.String(length=255), nullable=False),
        sa.ForeignKeyConstraint(
            ["alarm_id"], ["panic_alarm.id"], name=op.f("fk_panic_line_alarm_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_panic_line")),
    )
    with op.batch_alter_table("panic_line", schema=None) as batch_op:
        batch_op.create_index("ix_panic_line_alarm", ["alarm_id", "id"], unique=False)

    op.create_table(
        "panic_place",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("alarm_id", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["alarm_id"], ["panic_alarm.id"], name=op.f("fk_panic_place_alarm_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_panic_place")),
        sa.UniqueConstraint("uid", name=op.f("uq_panic_place_uid")),
    )
    with op.batch_alter_table("panic_place", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_panic_place_alarm_id"), ["alarm_id"], unique=False)

    op.create_table(
        "panic_report",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("alarm_id", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("happened", sa.Text(), nullable=False),
        sa.Column("injured", sa.Boolean(), nullable=False),
        sa.Column("police", sa.Boolean(), nullable=False),
        sa.Column("police_report", sa.String(length=64), nullable=False),
        sa.Column("follow_up", sa.Text(), nullable=False),
        sa.Column("readers", sa.String(length=16), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("written_by", sa.String(length=255), nullable=False),
        sa.Column("operator_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["alarm_id"], ["panic_alarm.id"], name=op.f("fk_panic_report_alarm_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_panic_report")),
        sa.UniqueConstraint("alarm_id", name=op.f("uq_panic_report_alarm_id")),
    )
    op.create_table(
        "android_google_phone",
        sa.Column("device_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("mode", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("ownership", sa.String(length=32), nullable=False),
        sa.Column("management", sa.String(length=32), nullable=False),
        sa.Column("policy_id", sa.Integer(), nullable=True),
        sa.Column("reported_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("applied_policy", sa.String(length=64), nullable=False),
        sa.Column("applied_version", sa.Integer(), nullable=False),
        sa.Column("compliant", sa.Boolean(), nullable=True),
        sa.Column("failures", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("token_id", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["device_id"], ["device.id"], name=op.f("fk_android_google_phone_device_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["policy_id"], ["android_policy.id"], name=op.f("fk_android_google_phone_policy_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["token_id"], ["android_token.id"], name=op.f("fk_android_google_phone_token_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("device_id", name=op.f("pk_android_google_phone")),
        sa.UniqueConstraint("name", name=op.f("uq_android_google_phone_name")),
    )
    with op.batch_alter_table("android_google_phone", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_android_google_phone_policy_id"), ["policy_id"], unique=False)

    op.create_table(
        "android_number",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("invitation_id", sa.Integer(), nullable=False),
        sa.Column("token_digest", sa.String(length=64), nullable=False),
        sa.Column("device_id", sa.Integer(), nullable=True),
        sa.Column("enrollment_id", sa.Integer(), nullable=True),
        sa.Column("csr", sa.Text(), nullable=False),
        sa.Column("serial", sa.String(length=128), nullable=False),
        sa.Column("imei", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("bound_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("contested_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("over_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("over_why", sa.String(length=64), nullable=False),
        sa.Column("given_digest", sa.String(length=64), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("given_waiting", sa.Integer(), nullable=False),
        sa.Column("reported_digest", sa.String(length=64), nullable=False),
        sa.Column("reported_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("admin_digest", sa.String(length=32), nullable=False),
        sa.Column("lock_message", sa.Text(), nullable=True),
        sa.Column("ask", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("passcode", sa.LargeBinary(), nullable=True),
        sa.Column("wipe_order", sa.String(length=32), nullable=False),
        sa.Column("wipe_given_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("wipe_said_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["device_id"], ["device.id"], name=op.f("fk_android_number_device_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["enrollment_id"], ["enrollment.id"], name=op.f("fk_android_number_enrollment_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["invitation_id"], ["invitation.id"], name=op.f("fk_android_number_invitation_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_android_number")),
        sa.UniqueConstraint("digest", name=op.f("uq_android_number_digest")),
    )
    with op.batch_alter_table("android_number", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_android_number_device_id"), ["device_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_android_number_invitation_id"), ["invitation_id"], unique=False)

    with op.batch_alter_table("apple_command", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_apple_command_command_id"))
        batch_op.drop_index(batch_op.f("ix_apple_command_expiry"))
        batch_op.drop_index(batch_op.f("ix_apple_command_open"))
        batch_op.drop_index(batch_op.f("ix_apple_command_order_id"))
        batch_op.create_index(
            "ix_apple_command_due",
            ["expires_at"],
            unique=False,
            postgresql_where=sa.text("finished_at IS NULL"),
            sqlite_where=sa.text("finished_at IS NULL"),
        )
        batch_op.create_index(
            "ix_apple_command_house",
            ["command_id"],
            unique=False,
            postgresql_where=sa.text("command_id IS NOT NULL"),
            sqlite_where=sa.text("command_id IS NOT NULL"),
        )
        batch_op.create_index(
            "ix_apple_command_order",
            ["order_id"],
            unique=False,
            postgresql_where=sa.text("order_id IS NOT NULL"),
            sqlite_where=sa.text("order_id IS NOT NULL"),
        )
        batch_op.create_index(
            "ix_apple_command_waiting",
            ["device_id", "priority", "id"],
            unique=False,
            postgresql_where=sa.text("open"),
            sqlite_where=sa.text("open = 1"),
        )

    with op.batch_alter_table("audit_entry", schema=None) as batch_op:
        batch_op.add_column(sa.Column("salt", sa.String(length=32), nullable=True))
        batch_op.add_column(sa.Column("text_digest", sa.String(length=64), nullable=True))

    if op.get_bind().dialect.name == "postgresql":
        # Room beside each row, so that an answer is written on the same page.
        op.execute("ALTER TABLE apple_command SET (fillfactor = 80)")


def downgrade() -> None:
    with op.batch_alter_table("audit_entry", schema=None) as batch_op:
        batch_op.drop_column("text_digest")
        batch_op.drop_column("salt")

    with op.batch_alter_table("apple_command", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_apple_command_waiting", postgresql_where=sa.text("open"), sqlite_where=sa.text("open = 1")
        )
        batch_op.drop_index(
            "ix_apple_command_order",
            postgresql_where=sa.text("order_id IS NOT NULL"),
            sqlite_where=sa.text("order_id IS NOT NULL"),
        )
        batch_op.drop_index(
            "ix_apple_command_house",
            postgresql_where=sa.text("command_id IS NOT NULL"),
            sqlite_where=sa.text("command_id IS NOT NULL"),
        )
        batch_op.drop_index(
            "ix_apple_command_due",
            postgresql_where=sa.text("finished_at IS NULL"),
            sqlite_where=sa.text("finished_at IS NULL"),
        )
        batch_op.create_index(batch_op.f("ix_apple_command_order_id"), ["order_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_apple_command_open"), ["device_id", "open", "priority", "id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_apple_command_expiry"), ["open", "expires_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_apple_command_command_id"), ["command_id"], unique=False)

    with op.batch_alter_table("android_number", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_android_number_invitation_id"))
        batch_op.drop_index(batch_op.f("ix_android_number_device_id"))

    op.drop_table("android_number")
    with op.batch_alter_table("android_google_phone", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_android_google_phone_policy_id"))

    op.drop_table("android_google_phone")
    op.drop_table("panic_report")
    with op.batch_alter_table("panic_place", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_panic_place_alarm_id"))

    op.drop_table("panic_place")
    with op.batch_alter_table("panic_line", schema=None) as batch_op:
        batch_op.drop_index("ix_panic_line_alarm")

    op.drop_table("panic_line")
    with op.batch_alter_table("panic_call", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_panic_call_operator_id"))
        batch_op.drop_index("ix_panic_call_alarm")

    op.drop_table("panic_call")
    with op.batch_alter_table("kiosk_setup", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_kiosk_setup_address",
            sqlite_where=sa.text("finished_at IS NULL"),
            postgresql_where=sa.text("finished_at IS NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_kiosk_setup_service_point_id"))
        batch_op.drop_index(batch_op.f("ix_kiosk_setup_person_id"))
        batch_op.drop_index("ix_kiosk_setup_open")
        batch_op.drop_index(batch_op.f("ix_kiosk_setup_batch"))

    op.drop_table("kiosk_setup")
    op.drop_table("android_token")
    with op.batch_alter_table("quest_done", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_quest_done_task_id"))

    op.drop_table("quest_done")
    op.drop_table("panic_spot")
    with op.batch_alter_table("panic_alarm", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_panic_alarm_unit_id"))
        batch_op.drop_index(batch_op.f("ix_panic_alarm_raised_at"))
        batch_op.drop_index("ix_panic_alarm_place")
        batch_op.drop_index(batch_op.f("ix_panic_alarm_person_id"))
        batch_op.drop_index(batch_op.f("ix_panic_alarm_key_id"))
        batch_op.drop_index(batch_op.f("ix_panic_alarm_duress_at"))
        batch_op.drop_index("ix_panic_alarm_due")
        batch_op.drop_index(batch_op.f("ix_panic_alarm_drill_id"))
        batch_op.drop_index(batch_op.f("ix_panic_alarm_device_id"))
        batch_op.drop_index(batch_op.f("ix_panic_alarm_closed_at"))

    op.drop_table("panic_alarm")
    with op.batch_alter_table("network_device", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_network_device_run_id"))
        batch_op.drop_index(batch_op.f("ix_network_device_noted_at"))
        batch_op.drop_index(batch_op.f("ix_network_device_device_id"))

    op.drop_table("network_device")
    op.drop_table("android_phone")
    with op.batch_alter_table("android_operation", schema=None) as batch_op:
        batch_op.drop_index("ix_android_operation_open")
        batch_op.drop_index(batch_op.f("ix_android_operation_device_id"))

    op.drop_table("android_operation")
    with op.batch_alter_table("ambassador_question", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_ambassador_question_person_id"))
        batch_op.drop_index(batch_op.f("ix_ambassador_question_ambassador_id"))

    op.drop_table("ambassador_question")
    with op.batch_alter_table("agent_release_try", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_agent_release_try_device_id"))

    op.drop_table("agent_release_try")
    with op.batch_alter_table("adoption_letter", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_adoption_letter_post_id"))
        batch_op.drop_index(batch_op.f("ix_adoption_letter_person_id"))
        batch_op.drop_index(batch_op.f("ix_adoption_letter_at"))

    op.drop_table("adoption_letter")
    with op.batch_alter_table("quest_player", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_quest_player_person_id"))

    op.drop_table("quest_player")
    op.drop_table("privacy_erasure")
    with op.batch_alter_table("panic_key", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_panic_key_person_id"))

    op.drop_table("panic_key")
    with op.batch_alter_table("panic_duty", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_panic_duty_unit_id"))
        batch_op.drop_index("ix_panic_duty_place")
        batch_op.drop_index(batch_op.f("ix_panic_duty_person_id"))
        batch_op.drop_index(batch_op.f("ix_panic_duty_operator_id"))

    op.drop_table("panic_duty")
    op.drop_table("help_code")
    with op.batch_alter_table("guide_vote", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_guide_vote_person_id"))

    op.drop_table("guide_vote")
    with op.batch_alter_table("app_request", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_app_request_state"))
        batch_op.drop_index(batch_op.f("ix_app_request_person_id"))
        batch_op.drop_index(batch_op.f("ix_app_request_offer_id"))

    op.drop_table("app_request")
    op.drop_table("ambassador")
    with op.batch_alter_table("adoption_line", schema=None) as batch_op:
        batch_op.drop_index("ix_adoption_line_state")
        batch_op.drop_index(batch_op.f("ix_adoption_line_run_id"))
        batch_op.drop_index(batch_op.f("ix_adoption_line_person_id"))

    op.drop_table("adoption_line")
    with op.batch_alter_table("adoption_invitee", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_adoption_invitee_due",
            postgresql_where=sa.text("activated_at IS NULL AND reminded_at IS NULL AND no_reminders_at IS NULL"),
            sqlite_where=sa.text("activated_at IS NULL AND reminded_at IS NULL AND no_reminders_at IS NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_adoption_invitee_activated_at"))

    op.drop_table("adoption_invitee")
    op.drop_table("quest_task")
    with op.batch_alter_table("panic_drill", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_panic_drill_unit_id"))
        batch_op.drop_index(batch_op.f("ix_panic_drill_service_point_id"))

    op.drop_table("panic_drill")
    with op.batch_alter_table("discovery_run", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_discovery_run_state"))
        batch_op.drop_index("ix_discovery_run_place")
        batch_op.drop_index(batch_op.f("ix_discovery_run_finished_at"))

    op.drop_table("discovery_run")
    op.drop_table("app_offer")
    with op.batch_alter_table("android_policy", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_android_policy_cohort_id"))

    op.drop_table("android_policy")
    op.drop_table("agent_release_ring")
    op.drop_table("quest")
    op.drop_table("panic_pulse")
    op.drop_table("guide")
    op.drop_table("android_setup")
    with op.batch_alter_table("android_note", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_android_note_read_at"))

    op.drop_table("android_note")
    op.drop_table("android_google")
    with op.batch_alter_table("android_file", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_android_file_package"))

    op.drop_table("android_file")
    op.drop_table("agent_release")
    with op.batch_alter_table("adoption_run", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_adoption_run_finished_at"))

    op.drop_table("adoption_run")
    with op.batch_alter_table("adoption_lead_letter", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_adoption_lead_letter_lead_digest"))

    op.drop_table("adoption_lead_letter")
