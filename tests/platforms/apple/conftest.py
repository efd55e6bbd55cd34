"""The real signer as a neighbour of phones."""

from tests.signer.conftest import shared_signer

__all__ = ["shared_signer"]
