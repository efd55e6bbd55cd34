"""The gateway of the gateway's own tests."""

from tests.gateway.conftest import own_gateway, shared_signer

__all__ = ["own_gateway", "shared_signer"]
