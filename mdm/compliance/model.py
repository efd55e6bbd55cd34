"""Rules in force, findings, exemptions, and how verdicts changed."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from mdm.storage.base import Base, Json, Key, Moment, UTCDateTime


class RuleInForce(Base):
    """One rule of ``rules.py`` with its parameters and its grace, for one platform or for all."""

    __tablename__ = "compliance_rule"

    id: Mapped[Key]
    rule: Mapped[str] = mapped_column(String(48))
    platform: Mapped[str] = mapped_column(String(16), default="")
    params: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    grace_hours: Mapped[int] = mapped_column(default=24)
    enabled: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[Moment]


class Finding(Base):
    """A rule that a device does not meet, or about which nothing is known (``unknown``)."""

    __tablename__ = "finding"
    __table_args__ = (UniqueConstraint("device_id", "rule_id"), Index("ix_finding_rule", "rule_id", "unknown"))

    id: Mapped[Key]
    device_id: Mapped[int] = mapped_column(ForeignKey("device.id", ondelete="CASCADE"))
    rule_id: Mapped[int] = mapped_column(ForeignKey("compliance_rule.id", ondelete="CASCADE"))
    unknown: Mapped[bool] = mapped_column(default=False)
    since: Mapped[Moment]
    grace_until: Mapped[Moment]
    details: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)


class Exemption(Base):
    """A device need not meet a rule until a date: with an owner and a reason."""

    __tablename__ = "exemption"

    id: Mapped[Key]
    device_id: Mapped[int] = mapped_column(ForeignKey("device.id", ondelete="CASCADE"), index=True)
    rule_id: Mapped[int] = mapped_column(ForeignKey("compliance_rule.id", ondelete="CASCADE"))
    owner: Mapped[str] = mapped_column(String(255))
    reason: Mapped[str] = mapped_column(Text)
    until: Mapped[Moment]
    granted_by: Mapped[str] = mapped_column(String(255))
    granted_at: Mapped[Moment]
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    reminded_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """When its owner was told that it ends soon."""


class JudgeAgain(Base):
    """When time alone may change a device's verdict: a grace or an exemption ends, or the device was silent too long."""

    __tablename__ = "judge_again"

    device_id: Mapped[int] = mapped_column(ForeignKey("device.id", ondelete="CASCADE"), primary_key=True)
    at: Mapped[Moment] = mapped_column(index=True)


class VerdictChange(Base):
    """From this moment on the device's verdict was this."""

    __tablename__ = "verdict_change"
    __table_args__ = (Index("ix_verdict_change_device", "device_id", "at"),)

    id: Mapped[Key]
    device_id: Mapped[int] = mapped_column(ForeignKey("device.id", ondelete="CASCADE"))
    at: Mapped[Moment]
    verdict: Mapped[str] = mapped_column(String(16))
