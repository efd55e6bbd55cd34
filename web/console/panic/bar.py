"""The bar on top of every page: calls for help that this person must see now."""

from flask import g
from flask.wrappers import Response
from sqlalchemy.orm import Session

from mdm.core.actor import Actor
from mdm.core.clock import utcnow
from mdm.core.permissions import Permission
from mdm.panic import queries
from mdm.storage.call import Call
from web.common.guard import may
from web.console.identity import identify, settings
from web.console.pages.helpers import page
from web.console.panic.cache import remembered
from web.console.panic.city import zone


def identify_and_look(session: Session, request_id: str) -> Actor:
    """Who sits at the browser, and what calls for them."""
    actor = identify(session, request_id)
    if g.actor is not None and actor.may_somewhere(Permission.PANIC_VIEW):
        _look(Call(actor, session, utcnow()))
    return actor


def changed() -> None:
    """What this process remembers is old: the next page shows what was just done."""
    remembered().forget()


@may(Permission.PANIC_VIEW)
def bar(call: Call) -> Response:
    """The bar alone, for the script that heard the number change."""
    g.panic = queries.ringing(call, zone(settings()))
    return page("panic/_bar.html")


def _look(call: Call) -> None:
    """Puts into ``g`` what the page shows: one look at a remembered number while nobody calls for help."""
    number, open_ones = remembered().read(lambda: queries.pulse(call.session))
    g.panic_number = number
    g.panic = queries.ringing(call, zone(settings())) if open_ones else []
