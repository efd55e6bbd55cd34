"""``havenmeester wipe`` and ``order``: asking for wipes, and looking at, signing and taking back what was asked."""

import json
import sys
from pathlib import Path

import rich_click as click

from mdm.cli import output
from mdm.cli.choice import Words
from mdm.cli.work import work
from mdm.core.errors import InvalidError
from mdm.settings import load

FILE = click.Path(dir_okay=False, path_type=Path)
JSON = click.option("--json", "json_wanted", is_flag=True, help="Answer in JSON.")


@click.command()
@click.argument("devices", nargs=-1, required=True, metavar="SERIAL...")
@click.option("--reason", required=True, help="Why; whoever approves reads it.")
@click.option("--lane", type=Words(["ordinary", "stolen", "hand-in"]), default="ordinary", show_default=True)
@click.option("--report", default="", help="Which report says that it was stolen, where the device is not lost.")
@click.option("--presence", default="", help="The code that the device shows, for a hand-in.")
@JSON
def wipe(devices: tuple[str, ...], reason: str, lane: str, report: str, presence: str, json_wanted: bool) -> None:
    """Ask for the wipe of devices, by serial number, tag, IMEI or id; prints the id of the order, or of the batch.

    It waits for the signatures of two approvers; more than five devices need more approvers and rest for a day. Private
    devices are never wiped.
    """
    from mdm.inventory import queries as inventory
    from mdm.orders import service
    from mdm.orders.model import Lane

    settings = load()
    if len(devices) > 1 and lane != "ordinary":
        raise InvalidError("Several devices go together in the ordinary way only. Nothing was asked.", code="lane")
    with work(settings=settings) as call:
        uids = [inventory.device(call, one).uid for one in devices]
        if len(uids) == 1:
            order = service.request_wipe(
                call,
                uids[0],
                reason,
                lane=Lane(lane.replace("-", "_")),
                report=report,
                presence=presence,
                hours=settings.order_hours,
            )
            told = {"id": order.id, "lane": order.lane, "state": order.state, "expires_at": order.expires_at}
        else:
            batch = service.request_wipes(call, uids, reason, hours=settings.order_hours)
            told = {
                "id": batch.id,
                "lane": batch.lane,
                "state": "requested",
                "expires_at": batch.expires_at,
                "left_out": batch.left_out,
            }
    if json_wanted:
        output.as_json(told)
        return
    output.say(str(told["id"]))
    for one in batch.left_out if len(uids) > 1 else ():
        output.note(f"Left out: {one['label']} ({one['why']}).")


@click.command()
@click.argument("number")
@click.option("--receipt", is_flag=True, help="With --json: who asked, who decided, what the device answered.")
@click.option("--pdf", type=FILE, default=None, help="Write the receipt to this file.")
@click.option("--proof", type=FILE, default=None, help="Hand in a signature that havenmeester approve has printed.")
@click.option("--cancel", default=None, metavar="WHY", help="Take it back, as long as no device has fetched it.")
@JSON
def order(
    number: str, receipt: bool, pdf: Path | None, proof: Path | None, cancel: str | None, json_wanted: bool
) -> None:
    """Show one order with who asked, who decided, what was signed, and what the device answered.

    --json prints the order with its signatures as the agent gets it: havenmeester approve reads and signs that, and
    havenmeester-agent verify-order says whether a device takes it. NUMBER may be a batch, too.
    """
    from mdm.orders import queries, receipt_pdf, service

    if proof is not None:
        with work() as call:
            lacking = service.take_proof(call, number, _proof(proof))
        output.say(f"The signature was taken. People who must still sign: {lacking}.")
        return
    if cancel is not None:
        with work() as call:
            service.cancel(call, number, cancel)
        output.say("It was taken back. Nothing happens to the device.")
        return
    with work(write=False) as call:
        if pdf is not None:
            pdf.write_bytes(receipt_pdf.pdf(queries.receipt(call, number)))
            output.note(f"The receipt is in {pdf}.")
        elif json_wanted and not receipt:
            # The bytes that a program reads again: no indentation that could be taken for a part of it.
            sys.stdout.write(json.dumps(queries.paper(call, number), ensure_ascii=False) + "\n")
        else:
            output.record(queries.receipt(call, number).as_dict(), json_wanted=json_wanted)


def _proof(file: Path) -> dict[str, str]:
    """The signature in a file. Raises InvalidError for what holds none."""
    try:
        value = json.loads(file.read_bytes())
    except (OSError, ValueError) as error:
        raise InvalidError("%(file)s holds no signature. Nothing was changed.", file=file, code="proof_form") from error
    if not isinstance(value, dict) or not all(isinstance(one, str) for one in value.values()):
        raise InvalidError("%(file)s holds no signature. Nothing was changed.", file=file, code="proof_form")
    return value
