"""``havenmeester devices``, ``device``, ``invite`` and ``order``: looking at the fleet and bringing devices into it."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any

import rich_click as click

from mdm.cli import output
from mdm.cli.choice import Words
from mdm.cli.work import work
from mdm.settings import load

if TYPE_CHECKING:
    from mdm.inventory.model import Device
    from mdm.overview.listing import Query
    from mdm.storage.call import Call

SHOWN = ("name", "serial", "platform", "kind", "state", "verdict", "os_version", "last_seen_at", "service_point")
PLATFORMS = Words(["linux", "ios", "android"])
STATES = Words(["in_stock", "handed_out", "on_loan", "in_repair", "lost", "returned", "wiped", "retired"])
JSON = click.option("--json", "json_wanted", is_flag=True, help="Answer in JSON.")


@click.command()
@click.option("--search", default="", help="Name, holder, tag, serial number, IMEI.")
@click.option("--platform", type=PLATFORMS, default=None, help="Only this platform.")
@click.option("--state", type=STATES, default=None, help="Only in this state of their life.")
@click.option(
    "--verdict",
    type=Words(["compliant", "in_grace", "noncompliant", "unknown", "not_enrolled"]),
    default=None,
    help="Only these.",
)
@click.option("--service-point", "code", default=None, metavar="CODE", help="Only at this service point.")
@click.option("--enrolled/--not-enrolled", default=None, help="Only with, or only without, a certificate.")
@click.option("--limit", type=click.IntRange(1, 1_000_000), default=1000, show_default=True, help="At most so many.")
@JSON
def devices(
    search: str,
    platform: str | None,
    state: str | None,
    verdict: str | None,
    code: str | None,
    enrolled: bool | None,
    limit: int,
    json_wanted: bool,
) -> None:
    """List devices, by name."""
    from mdm.overview.devices import DEVICES
    from mdm.overview.listing import check_codes, read_query

    given = {"q": search, "platform": platform, "state": state, "verdict": verdict, "service_point": code}
    filters = {key: [value] for key, value in given.items() if value}
    if enrolled is not None:
        filters["enrolled"] = ["yes" if enrolled else "no"]
    with work(write=False) as call:
        query = read_query(DEVICES, {**filters, "size": ["200"]})
        check_codes(call, DEVICES, query)
        lines = list(islice(_lines(call, query), limit))
    output.rows(lines, SHOWN, json_wanted=json_wanted)


@click.command()
@click.argument("serial")
@JSON
def device(serial: str, json_wanted: bool) -> None:
    """Show one device by serial number, tag, IMEI or id: what it is, what it says, what is wrong with it."""
    from mdm.compliance import queries as compliance
    from mdm.inventory import queries
    from mdm.org import queries as org
    from mdm.people.model import Person

    with work(write=False) as call:
        found = queries.device(call, serial)
        names = org.service_point_names(call.session, {found.service_point_id} if found.service_point_id else set())
        person = call.session.get(Person, found.person_id) if found.person_id else None
        shown = _line(found, names.get(found.service_point_id or 0, ""))
        shown |= {
            "holder": person.name if person else None,
            "product": found.product,
            "manufacturer": found.manufacturer,
            "model": found.model,
            "os_name": found.os_name,
            "agent_version": found.agent_version,
            "enrolled_at": found.enrolled_at,
            "applied_digest": found.applied_digest,
            "applications": len(queries.applications(call, found.uid)),
            "findings": [
                {"rule": line.rule, "standing": line.standing, "since": line.since, "mend": line.mend_text}
                for line in compliance.findings(call, found.uid)
            ],
            "facts": {name: facts.content for name, facts in queries.facts(call, found.uid).items()},
        }
    output.record(shown, json_wanted=json_wanted)


@click.command()
@click.argument("email")
@click.option("--platform", type=PLATFORMS, required=True, help="What they will enrol.")
@click.option("--service-point", "code", required=True, metavar="CODE", help="Where the device belongs.")
@click.option("--name", default=None, help="Their name, where they are not known yet.")
@click.option("--kind", type=Words(["phone", "tablet", "laptop", "kiosk"]), default=None, help="What it is.")
@JSON
def invite(email: str, platform: str, code: str, name: str | None, kind: str | None, json_wanted: bool) -> None:
    """Invite a person to enrol a device and print the address, this once; the person is made where unknown."""
    from mdm.cli.demo import ca_fingerprint
    from mdm.enrollment import service as enrollment
    from mdm.enrollment.links import Links

    settings = load()
    with work(settings=settings) as call:
        invitation, url = enrollment.invite(
            call,
            Links.of(settings, ca_fingerprint(settings)),
            email=email,
            platform=platform,
            service_point_code=code,
            name=name,
            kind=kind or "",
        )
        told = {"url": url, "invitation": invitation.uid, "expires_at": invitation.expires_at}
    if json_wanted:
        output.as_json(told)
    else:
        output.say(url)


def _lines(call: "Call", query: "Query") -> Iterator[dict[str, Any]]:
    """Every device that matches, by name, read page by page."""
    from mdm.inventory import queries
    from mdm.overview.devices import DEVICES
    from mdm.overview.listing import page

    while True:
        found = page(call, DEVICES, query)
        places = {row["_id"]: row["_place"] or "" for row in found.rows}
        yield from (_line(device, places[device.id]) for device in queries.devices_by_id(call, list(places)))
        if not found.next:
            return
        query = replace(query, cursor=found.next)


def _line(device: "Device", place: str) -> dict[str, Any]:
    fields = ("uid", "name", "tag", "serial", "imei", "platform", "kind", "ownership", "state", "os_version")
    return {name: getattr(device, name) for name in fields} | {
        "verdict": device.standing,
        "last_seen_at": device.contact_at,
        "service_point": place,
    }
