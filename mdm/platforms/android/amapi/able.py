"""What Google's management can do of what a phone shall be, and what is said before settings are saved. Pure."""

from collections.abc import Mapping
from typing import Final

from mdm.core.errors import N_
from mdm.platforms.android.amapi.render import SUPPORTED, Mode, Rendered, render
from mdm.platforms.android.wanted import SUPPORTED as READ
from mdm.platforms.android.wanted import Wanted
from mdm.platforms.port import Foreseen

__all__ = ["CANNOT", "NOT_HERE", "SUPPORTED", "WAY", "foresee", "rendered", "why_not"]

WAY: Final = "amapi"
CANNOT: Final[Mapping[str, str]] = {
    "apps.at_boot": N_("only the application of a kiosk starts by itself"),
    "encryption.storage_card": N_("it knows no encryption of a storage card"),
    "kiosk.url": N_("a kiosk is an application; name one that shows the page"),
    "time.zone": N_("a phone takes its time zone from the network"),
    "updates.deadline": N_("it sets a window of time for updates, and no deadline"),
    "web_links.links": N_("icons that open a page are not made yet"),
}
"""Settings that this way makes nothing of, with the reason in English, as it goes into a sentence."""
NOT_HERE: Final = N_("it does not do this on this kind of phone")


def why_not(key: str) -> str:
    """Why Google's management makes nothing of a setting, in English; "" where it does."""
    return "" if key in SUPPORTED else CANNOT.get(key, NOT_HERE)


def rendered(wanted: Wanted, mode: Mode) -> Rendered:
    """The policy of what a phone shall be, for one kind of phone."""
    return render(wanted.more, [one.content for one in wanted.raw if one.kind == WAY], mode)


def foresee(wanted: Wanted) -> list[Foreseen]:
    """What Google would refuse or pass over, each thing once, and what this way cannot do."""
    found: dict[tuple[str, str], Foreseen] = {}
    for mode in Mode:
        made = rendered(wanted, mode)
        for one in made.findings:
            keys = tuple(made.sources.get(one.path.partition(".")[0].partition("[")[0], ()))
            params = {**one.params, "path": one.path}
            said = Foreseen(f"amapi_{one.code}", one.severity == "error", keys, one.sentence, params)
            found.setdefault((one.code, one.path), said)
    cannot = [
        Foreseen(
            "amapi_cannot",
            False,
            (key,),
            N_("Phones with Google's management do not do this: %(why)s."),
            {"why": why_not(key), "path": key},
        )
        for key in sorted((wanted.keys & READ) - SUPPORTED)
    ]
    return [*found.values(), *cannot]
