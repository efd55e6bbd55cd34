"""``havenmeester desk``: what a scan means, a hand-over paper, and what somebody still has."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from mdm.cli import output
from mdm.cli.work import work
from mdm.settings import load

if TYPE_CHECKING:
    from mdm.desk.custody.scan import Card

JSON = click.option("--json", "json_wanted", is_flag=True, help="Answer in JSON.")


@click.group()
def desk() -> None:
    """Look things up as the counter of a service point does."""


@desk.command()
@click.argument("code")
@click.option("--service-point", "point", default=None, metavar="CODE", help="As the counter of this service point.")
@JSON
def scan(code: str, point: str | None, json_wanted: bool) -> None:
    """Show what a code means: a tag, serial number, IMEI, SIM, badge, shelf or label, and what to do next."""
    from mdm.desk.custody.scan import look_up
    from mdm.org import queries as org

    with work(write=False) as call:
        place = org.service_point_by_code(call, point).id if point else None
        shown = _card(look_up(call, code, place))
    output.record(shown, json_wanted=json_wanted)


@desk.command()
@click.argument("number")
@click.option("--pdf", type=click.Path(dir_okay=False, path_type=Path), default=None, help="Write the receipt there.")
@JSON
def paper(number: str, pdf: Path | None, json_wanted: bool) -> None:
    """Show a hand-over paper by its number; write it as a PDF."""
    from mdm.desk.custody import papers, receipts

    settings = load()
    with work(write=False, settings=settings) as call:
        found = papers.paper(call, number)
        if pdf is not None:
            pdf.write_bytes(receipts.pdf(call, found, settings))
        names = ("number", "kind", "at", "person_name", "clerk", "mailed_at", "content")
        shown = {name: getattr(found, name) for name in names}
    output.record(shown, json_wanted=json_wanted)


@desk.command()
@click.argument("person")
@JSON
def outstanding(person: str, json_wanted: bool) -> None:
    """Show all that somebody still has, by e-mail address or personnel number."""
    from mdm.desk.custody import queries
    from mdm.people import queries as people

    with work(write=False) as call:
        found = people.person_by_email(call, person) if "@" in person else people.person_by_number(call, person)
        left = queries.outstanding(call, found.id)
        shown = {
            "person": found.name,
            "all_back": left.all_back,
            "devices": [one.device.label for one in left.devices],
            "missing": [one.piece.code if one.piece else one.kind.code for one in left.missing],
            "pieces": [one.code for one in left.pieces],
        }
    output.record(shown, json_wanted=json_wanted)


def _card(card: "Card") -> dict[str, Any]:
    return {
        "kind": card.kind.value,
        "title": card.title,
        "detail": card.detail,
        "state": card.state,
        "holder": card.holder.name if card.holder else "",
        "next": card.next.do.value,
        "why": str(card.next.why),
        "others": [one.do.value for one in card.others],
        "warnings": [str(one) for one in card.warnings],
        "locks": card.locks.colour.value if card.locks else "",
        "kit": [line.piece.code if line.piece else line.kind.code for line in card.kit],
        "choices": [{"kind": one.kind.value, "code": one.code, "label": one.label} for one in card.choices],
    }
