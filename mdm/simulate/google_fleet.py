"""Phones by Google's management that are not there: a Google is played on a real socket, and this installation is tied with it.

What the simulation left at Google goes with it: the tie is forgotten at the end, and the phones stay as recorded devices.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qs, urlsplit

from sqlalchemy import delete, func, select

from mdm.core.actor import command_line
from mdm.core.clock import utcnow
from mdm.core.errors import N_, ConflictError
from mdm.enrollment import service as enrollment
from mdm.enrollment.links import Links
from mdm.enrollment.model import Invitation
from mdm.inventory.model import DeviceKind, Ownership
from mdm.org import queries as org
from mdm.platforms.android.amapi import account, tokens
from mdm.platforms.android.amapi.model import (
    AndroidGoogle,
    AndroidGooglePhone,
    AndroidNote,
    AndroidOperation,
    AndroidPolicy,
    AndroidToken,
)
from mdm.simulate.google import SUBSCRIPTION, TOPIC, GoogleServer
from mdm.simulate.google_api import ApiError
from mdm.simulate.google_phones import GooglePhone
from mdm.storage.call import Call
from mdm.storage.seal import load_seal
from mdm.worker import google
from mdm.worker.office import Office

BATCH: Final = 25
"""Invitations in one transaction: the server next door wants to write, too."""
EVERY: Final = 5
"""Every fifth phone is private, and every fifth a kiosk."""


@dataclass(slots=True)
class GoogleFleet:
    """One simulation. ``office`` is this installation, ``links`` what its invitations are made of."""

    office: Office
    links: Links
    server: GoogleServer
    phones: list[GooglePhone] = field(default_factory=list)
    waiting: dict[int, bool] = field(default_factory=dict)
    """Invitations by their row ids, with whether the phone is private."""
    commands: int = 0
    enough: bool = False
    """Ends it before its time."""
    refused: int = 0
    """Phones that Google or this installation did not take."""

    def run(self, count: int, seconds: float, step: Callable[[], None] = lambda: None) -> dict[str, int]:
        """Ties, invites, enrols, and lets phones report and obey for so long; what came of it.

        Raises ConflictError where there is a true tie, or no service point to hand phones out at.
        """
        self._tie()
        try:
            self._invite(count)
            until = time.monotonic() + seconds
            turn = 0
            while time.monotonic() < until and not self.enough:
                google.turn(self.office, simulated=True)
                self._enroll()
                self._live(turn)
                step()
                turn += 1
                time.sleep(0.05)
            return self._summary(count)
        finally:
            google.close()
            self._forget()

    def _call(self, call: Call) -> Call:
        return Call(command_line("simulate"), call.session, utcnow())

    def _tie(self) -> None:
        with self.office.call("simulate") as call:
            tie = account.present(call)
            if tie is not None and not tie.api:
                raise ConflictError(
                    N_("This installation is tied with Google. Nothing was simulated; use another installation."),
                    code="google_ready",
                )
        self._forget()
        seal = load_seal(self.office.settings.home / "keys")
        with self.office.call("simulate") as call:
            mine, server = self._call(call), self.server
            account.bring(mine, seal, server.key_file(), api=server.address, token_address=server.token_address)
            account.listen(mine, topic=TOPIC, subscription=SUBSCRIPTION)
            account.sign_up(mine, f"{self.office.settings.console_base}/settings/google/return")
        google.turn(self.office, simulated=True)
        with self.office.call("simulate") as call:
            tie = account.present(call)
            back = self.server.api.signups[tie.signup_name] if tie is not None else ""
            state = parse_qs(urlsplit(back).query)["state"][0]
            account.returned(self._call(call), seal, state, "an administrator agreed")
        google.turn(self.office, simulated=True)

    def _invite(self, count: int) -> None:
        with self.office.call("simulate", write=False) as call:
            codes = [point.code for point in org.service_points(self._call(call))]
        if not codes:
            raise ConflictError(
                N_("There is no service point yet. Nothing was simulated; import service points, or load the pilot.")
            )
        for start in range(0, count, BATCH):
            with self.office.call("simulate") as call:
                mine = self._call(call)
                for number in range(start, min(start + BATCH, count)):
                    private, kiosk = number % EVERY == 1, number % EVERY == 2
                    made, _url = enrollment.invite(
                        mine,
                        self.links,
                        email=f"simulated.{number:05}@simulated.example.org",
                        name=f"Simulated {number:05}",
                        platform="android",
                        service_point_code=codes[number % len(codes)],
                        kind=(DeviceKind.KIOSK if kiosk else DeviceKind.PHONE).value,
                        ownership=(Ownership.PRIVATE if private else Ownership.CITY).value,
                    )
                    tokens.ask(mine, made)
                    self.waiting[made.id] = private

    def _enroll(self) -> None:
        """Phones scan the codes that Google has made."""
        if not self.waiting:
            return
        seal = load_seal(self.office.settings.home / "keys")
        with self.office.call("simulate", write=False) as call:
            rows = call.session.scalars(
                select(AndroidToken)
                .join(Invitation, Invitation.id == AndroidToken.invitation_id)
                .where(AndroidToken.code.is_not(None), AndroidToken.used_at.is_(None))
            ).all()
            ready = [(row.invitation_id, shown.value) for row in rows if (shown := tokens.code(seal, row)) is not None]
        for invitation, value in ready:
            private = self.waiting.pop(invitation, None)
            if private is None:
                continue
            serial = f"SIM{utcnow():%y%m%d%H%M%S}{invitation:06}"
            phone = GooglePhone(self.server.api, serial, private=private)
            try:
                phone.enroll(value)
            except ApiError:
                self.refused += 1
            else:
                self.phones.append(phone)

    def _live(self, turn: int) -> None:
        """A part of the fleet reports at each turn; commands are carried out at once."""
        for number, phone in enumerate(self.phones):
            if number % 20 == turn % 20:
                with suppress(ApiError, KeyError):
                    phone.report()
            self.commands += len(phone.obey())

    def _summary(self, count: int) -> dict[str, int]:
        with self.office.call("simulate", write=False) as call:
            managed = call.session.scalar(select(func.count()).select_from(AndroidGooglePhone)) or 0
            policies = call.session.scalar(select(func.count()).select_from(AndroidPolicy)) or 0
        return {
            "asked": count,
            "phones": len(self.phones),
            "managed": managed,
            "policies": policies,
            "calls": len(self.server.api.calls),
            "policy_calls": self.server.api.count("enterprises.policies.patch"),
            "commands": self.commands,
            "refused": self.refused,
        }

    def _forget(self) -> None:
        """Takes away what was of the simulated Google. A true tie is never touched."""
        with self.office.call("simulate") as call:
            tie = account.present(call)
            if tie is None or not tie.api:
                return
            for table in (
                AndroidOperation,
                AndroidGooglePhone,
                AndroidToken,
                AndroidPolicy,
                AndroidNote,
                AndroidGoogle,
            ):
                call.session.execute(delete(table))
