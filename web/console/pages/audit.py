"""The diary: reading it, filtering it, proving it."""

from collections.abc import Sequence

from flask.wrappers import Response

from mdm.audit import service as audit_service
from mdm.core.actor import require
from mdm.core.errors import HavenmeesterError
from mdm.core.permissions import Permission
from mdm.overview.audit import listing
from mdm.signing.client import SignerClient
from mdm.signing.seals import Head
from mdm.storage.call import Call
from web.common.guard import may
from web.console.identity import settings
from web.console.lists import export, show
from web.console.pages.helpers import GET, POST, Route, page


@may(Permission.AUDIT_VIEW)
def audit(call: Call) -> Response:
    """The list."""
    return page("audit/list.html", list=show(call, listing(settings().timezone), "audit"), outcome=None)


@may(Permission.AUDIT_VIEW, write=True)
def audit_file(call: Call) -> Response:
    """The list as a file."""
    return export(call, listing(settings().timezone))


@may(Permission.AUDIT_VIEW)
def audit_verify(call: Call) -> Response:
    """Reads the whole diary and proves its chain; the proof itself is noted."""
    require(call.actor, Permission.AUDIT_VIEW)
    head_key, witnessed = _witness()
    proof = audit_service.verify(call.session, head_key, witnessed)
    audit_service.record(
        call, "audit.verified", ("audit", "chain"), details={"sound": proof.sound, "lines": proof.lines}
    )
    return page("audit/verified.html", proof=proof, witnessed=bool(head_key))


def _witness() -> tuple[str, Sequence[Head]]:
    """The signer's key and the heads that it keeps itself; nothing while it does not answer, and the page says so."""
    client = SignerClient(settings().signer_socket)
    try:
        return client.ca().head_key, list(client.heads())
    except HavenmeesterError:
        return "", ()


ROUTES: tuple[Route, ...] = (
    ("/audit", "audit", audit, GET),
    ("/audit/file", "audit_file", audit_file, GET),
    ("/audit/verify", "audit_verify", audit_verify, POST),
)
