"""The running signer, for what only it can witness."""

from tests.signer.conftest import shared_signer, signer

__all__ = ["shared_signer", "signer"]
