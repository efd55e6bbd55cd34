"""What the signer's budgets leave for an order: for the page on which somebody asks, and the one on which others decide."""

from mdm.core.errors import HavenmeesterError
from mdm.signing.answers import BudgetLine
from mdm.signing.client import SignerClient
from web.console.identity import settings

PATIENCE = 1.0


def budgets(*, lane: str, place: str, requester: str, token: str = "") -> list[BudgetLine] | None:
    """Every budget that such an order would use, as it is now; None when the signer does not answer."""
    client = SignerClient(settings().signer_socket, timeout=PATIENCE)
    try:
        return client.budget_use(lane=lane, place=place, requester=requester, token=token)
    except HavenmeesterError:
        return None
