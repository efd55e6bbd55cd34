"""The diary: reading it, filtering it, proving it."""

from flask.wrappers import Response

from mdm.audit import heads
from mdm.audit import service as audit_service
from mdm.core.actor import require
from mdm.core.permissions import Permission
from mdm.overview.audit import listing
from mdm.signing.client import SignerClient
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
    """Reads the whole diary and proves it, chain and end; the proof itself is noted."""
    require(call.actor, Permission.AUDIT_VIEW)
    found = heads.prove(call.session, SignerClient(settings().signer_socket))
    proof = found.proof
    audit_service.record(
        call, "audit.verified", ("audit", "chain"), details={"sound": found.proved, "lines": proof.lines}
    )
    return page("audit/verified.html", proof=proof, witnessed=found.signer_asked)


ROUTES: tuple[Route, ...] = (
    ("/audit", "audit", audit, GET),
    ("/audit/file", "audit_file", audit_file, GET),
    ("/audit/verify", "audit_verify", audit_verify, POST),
)
