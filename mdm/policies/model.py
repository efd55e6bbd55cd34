"""Policies, versions, assignments, cohorts."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from mdm.storage.base import Base, Json, Key, Moment, UTCDateTime


class Policy(Base):
    """A named set of settings. What it says is in its versions; the current one counts."""

    __tablename__ = "policy"

    id: Mapped[Key]
    name: Mapped[str] = mapped_column(String(128), unique=True)
    description: Mapped[str] = mapped_column(Text, default="")
    current: Mapped[int] = mapped_column(default=0)
    """Number of the version in force; 0 while there is none."""
    archived_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    created_at: Mapped[Moment]
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}


class PolicyVersion(Base):
    """One version of a policy: settings by catalogue key, raw payloads, author and note. Never changed."""

    __tablename__ = "policy_version"
    __table_args__ = (UniqueConstraint("policy_id", "number"),)

    id: Mapped[Key]
    policy_id: Mapped[int] = mapped_column(ForeignKey("policy.id", ondelete="CASCADE"))
    number: Mapped[int]
    author: Mapped[str] = mapped_column(String(255))
    note: Mapped[str] = mapped_column(Text, default="")
    settings: Mapped[dict[str, Any]] = mapped_column(Json)
    payloads: Mapped[list[Any]] = mapped_column(Json)
    """Raw payloads: {"platform", "name", "content"}; a platform's interpreter passes them on as they are."""
    created_at: Mapped[Moment]


class Assignment(Base):
    """A policy for a scope. Targets are {"kind", "id"}, see ``scope.py``."""

    __tablename__ = "assignment"

    id: Mapped[Key]
    policy_id: Mapped[int] = mapped_column(ForeignKey("policy.id", ondelete="CASCADE"), index=True)
    priority: Mapped[int] = mapped_column(default=100)
    """Lower wins where the merge rule of a setting is priority."""
    include: Mapped[list[Any]] = mapped_column(Json)
    exclude: Mapped[list[Any]] = mapped_column(Json)
    created_at: Mapped[Moment]


class Cohort(Base):
    """All devices of one platform that match the same assignments: one desired state for all of them."""

    __tablename__ = "cohort"

    id: Mapped[Key]
    key: Mapped[str] = mapped_column(String(64), unique=True)
    platform: Mapped[str] = mapped_column(String(16))
    os_version: Mapped[str] = mapped_column(String(16), default="")
    """The highest version that some setting asks for on this platform and these devices have; empty where none asks."""
    assignments: Mapped[list[int]] = mapped_column(Json)
    desired_digest: Mapped[str] = mapped_column(String(16), default="-")
    settings: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    """Resolved values by catalogue key, secrets masked."""
    explanation: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    """Winner, losers and reason by catalogue key, secrets masked."""
    desired: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    """The platform's own document, ready to be served: the one place besides the versions that holds the secrets."""
    computed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class DesiredChange(Base):
    """When a cohort's desired state changed, and because of which policy version."""

    __tablename__ = "desired_change"

    id: Mapped[Key]
    cohort_id: Mapped[int] = mapped_column(ForeignKey("cohort.id", ondelete="CASCADE"), index=True)
    at: Mapped[Moment]
    before: Mapped[str] = mapped_column(String(16))
    after: Mapped[str] = mapped_column(String(16))
    cause: Mapped[str] = mapped_column(String(255), default="")
