"""Roles and grants.

Revision: 0003
After: 0002

The three group roles of PostgreSQL, where the user that migrates may make roles; elsewhere nothing, and a notice that says how.
Every later upgrade gives them their rights on new tables. SQLite has no roles.
"""

import structlog
from alembic import op

from mdm.storage import grants

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    outcome = grants.apply(op.get_bind())
    if outcome.missing:
        structlog.get_logger(__name__).warning(
            "the roles of the database were not made: this user may not make roles; see havenmeester database grants",
            missing=list(outcome.missing),
        )


def downgrade() -> None:
    """The roles stay: another database of the same server may use them."""
