"""``havenmeester applications``: what employees may ask for, who asked, the answers."""

import rich_click as click

from mdm.cli import output
from mdm.cli.choice import Words
from mdm.cli.work import work

JSON = click.option("--json", "json_wanted", is_flag=True, help="Answer in JSON.")
PLATFORM = Words(["android", "ios", "linux"])
OFFERED = ("uid", "name", "platform", "identifier", "languages", "personas", "granted", "closed_at")
WISHED = ("uid", "name", "person", "state", "why", "asked_at", "answer")
STEPS = {"grant": "granted", "refuse": "refused", "take": "withdrawn"}


@click.group()
def applications() -> None:
    """Show and change which applications employees may ask for, and answer those who did."""


@applications.command("offers")
@JSON
def offers_(json_wanted: bool) -> None:
    """Show what may be asked for; what is closed comes last."""
    from mdm.portal import app_answers

    with work(write=False) as call:
        found = [
            {
                **{name: getattr(offer, name) for name in ("uid", "name", "platform", "identifier", "closed_at")},
                "languages": " ".join(app_answers.sentences(offer)),
                "personas": " ".join(offer.personas) or "everybody",
                "granted": granted,
            }
            for offer, granted in app_answers.offers(call)
        ]
    output.rows(found, OFFERED, json_wanted=json_wanted)


@applications.command("offer")
@click.argument("name")
@click.argument("identifier")
@click.option("--platform", type=PLATFORM, required=True, help="For which kind of system.")
@click.option("--about", multiple=True, metavar="LANGUAGE=SENTENCE", help="What it is good for; once per language.")
@click.option("--persona", "personas", multiple=True, help="Who may ask; may be repeated. [everybody]")
@JSON
def offer_(
    name: str, identifier: str, platform: str, about: tuple[str, ...], personas: tuple[str, ...], json_wanted: bool
) -> None:
    """Let employees ask for the application NAME, whose package or bundle is IDENTIFIER."""
    from mdm.portal import app_answers

    said = _by_language(about)
    with work() as call:
        made = app_answers.offer(
            call, name=name, about=said, platform=platform, identifier=identifier, personas=personas
        )
        told = {"uid": made.uid, "name": made.name, "policy": made.policy_id, "group": made.group_id}
    output.record(told, json_wanted=json_wanted)


@applications.command("close")
@click.argument("uid")
@click.option("--again", is_flag=True, help="Offer it again.")
@JSON
def close_(uid: str, again: bool, json_wanted: bool) -> None:
    """Stop offering the application UID; who has it keeps it."""
    from mdm.portal import app_answers

    with work() as call:
        found = app_answers.close(call, uid, closed=not again)
        told = {"uid": uid, "name": found.name, "closed_at": found.closed_at}
    output.record(told, json_wanted=json_wanted)


@applications.command("requests")
@click.option("--answered", is_flag=True, help="Those that were answered, instead of those that wait.")
@JSON
def requests_(answered: bool, json_wanted: bool) -> None:
    """Show who asked for what, the longest waiting first."""
    from mdm.portal import app_answers
    from mdm.portal.model import AppState

    states = (AppState.GRANTED, AppState.REFUSED, AppState.WITHDRAWN) if answered else (AppState.ASKED,)
    with work(write=False) as call:
        found = [
            {
                **{name: getattr(one.request, name) for name in ("uid", "state", "why", "asked_at", "answer")},
                "name": one.offer.name,
                "person": one.person.name,
            }
            for one in app_answers.wishes(call, states)
        ]
    output.rows(found, WISHED, json_wanted=json_wanted)


@applications.command("answer")
@click.argument("uid")
@click.argument("step", type=Words(list(STEPS)))
@click.option("--why", default="", help="What the person reads with it; needed unless it is granted.")
@JSON
def answer_(uid: str, step: str, why: str, json_wanted: bool) -> None:
    """Answer the wish UID: grant, refuse, or take away again. The person gets a letter in their language."""
    from mdm.portal import app_answers
    from mdm.portal.model import AppState

    with work() as call:
        found = app_answers.answer(call, uid, AppState(STEPS[step]), why)
        told = {"uid": uid, "state": found.state, "answered_by": found.answered_by}
    output.record(told, json_wanted=json_wanted)


def _by_language(about: tuple[str, ...]) -> dict[str, str]:
    from mdm.people.model import LANGUAGES

    said = {}
    for one in about:
        language, equals, sentence = one.partition("=")
        if not equals or language not in LANGUAGES:
            raise click.BadParameter(
                f"Write LANGUAGE=SENTENCE, with one of {', '.join(LANGUAGES)}.", param_hint="--about"
            )
        said[language] = sentence
    return said
