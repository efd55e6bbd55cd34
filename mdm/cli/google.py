"""``havenmeester google``: the tie with Google's management of Android phones."""

from pathlib import Path

import rich_click as click

from mdm.cli import output
from mdm.cli.work import work
from mdm.settings import load


@click.group()
def google() -> None:
    """Tie this installation to Google's management of Android phones (an approved project is needed)."""


@google.command("key")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def key(file: Path) -> None:
    """Bring in the key file (JSON) of the service account; also a new one for the same project. The file can go afterwards."""
    from mdm.platforms.android.amapi import account
    from mdm.storage.seal import load_seal

    settings = load()
    with work(settings=settings) as call:
        made = account.bring(call, load_seal(settings.home / "keys"), file.read_bytes())
        said = f"{made.account} of the project {made.project}"
    output.say(f"The key of {said} is kept sealed.")


@google.command("listen")
@click.option("--topic", default="", help="projects/PROJECT/topics/NAME; empty: Google tells nothing by itself.")
@click.option("--subscription", default="", help="projects/PROJECT/subscriptions/NAME")
def listen(topic: str, subscription: str) -> None:
    """Say where Google tells of phones (topic), and where we hear it (subscription)."""
    from mdm.platforms.android.amapi import account

    with work() as call:
        account.listen(call, topic=topic, subscription=subscription)
    output.say("Kept. Google is told with the worker's next turn.")


@google.command("sign-up")
def sign_up() -> None:
    """Ask for Google's page on which an administrator agrees; `google show` prints its address a few seconds later."""
    from mdm.platforms.android.amapi import account

    settings = load()
    with work(settings=settings) as call:
        account.sign_up(call, f"{settings.console_base}/settings/google/return")
    output.say("Asked. Print the address in a few seconds with: havenmeester google show")


@google.command("show")
@click.option("--json", "json_wanted", is_flag=True, help="Answer in JSON.")
def show(json_wanted: bool) -> int:
    """Show the tie, how far it is, and what is wrong; 1 while it is not ready."""
    from mdm.platforms.android.amapi import account
    from mdm.platforms.android.amapi.document.table import revision
    from mdm.platforms.android.amapi.model import Step

    with work(write=False) as call:
        tie = account.tie(call)
        found: dict[str, object] = {"step": None, "document": revision()}
        if tie is not None:
            found |= {
                "project": tie.project,
                "account": tie.account,
                "step": tie.step,
                "sign_up": tie.signup_url if tie.step == Step.SIGN_UP else "",
                "enterprise": tie.enterprise,
                "topic": tie.topic,
                "subscription": tie.subscription,
                "phones": account.phones(call),
                "policies": len(account.policies(call)),
                "problem": tie.problem,
            }
        ready = tie is not None and tie.step == Step.READY and not tie.problem
    output.record(found, json_wanted=json_wanted)
    return 0 if ready else 1


@google.command("policies")
def policies() -> None:
    """Show what Google has of policies: one for each cohort and kind of phone, and why one is not there."""
    from mdm.platforms.android.amapi import account

    with work(write=False) as call:
        for one in account.policies(call):
            output.say(f"{one.name}  version {one.version}  {one.problem or 'all is well'}")


@google.command("check")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def check(file: Path) -> int:
    """Judge a policy in Google's own words (JSON), by Google's document and the rules beside it; 1 when it is wrong."""
    import json

    from mdm.platforms.android.amapi.document.check import errors
    from mdm.platforms.android.amapi.document.rules import check_policy

    try:
        policy = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise click.ClickException(f"This is no JSON: {error}.") from error
    found = check_policy(policy)
    for one in found:
        output.say(f"{one.severity}: {one.text}")
    wrong = errors(found)
    output.note(f"{len(wrong)} errors, {len(found) - len(wrong)} warnings")
    return 1 if wrong else 0


@google.command("remove")
def remove() -> None:
    """Forget the tie and its key. At Google the enterprise stays: deleting it would wipe every phone of it."""
    from mdm.platforms.android.amapi import account

    with work() as call:
        account.remove(call)
    output.say("Forgotten. Remove the key of the service account at Google's console too.")
