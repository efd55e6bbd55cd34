"""The real signer as a neighbour of phones, and a gateway in this process."""

from tests.platforms.apple.city import city
from tests.signer.conftest import shared_signer

__all__ = ["city", "shared_signer"]
