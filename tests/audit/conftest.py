"""The running signer, for heads."""

from tests.signer.conftest import shared_signer, signer

__all__ = ["shared_signer", "signer"]
