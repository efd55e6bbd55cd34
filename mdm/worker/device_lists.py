"""Apple's list of the city's devices: read by the clock, and at once when somebody asks."""

import base64

from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_pem_x509_certificate

from mdm.platforms.apple.automated.reading import read_all
from mdm.signing.client import SignerClient
from mdm.storage.seal import load_seal
from mdm.worker.office import Office


def read_device_lists(office: Office, only: str = "") -> int:
    """Reads what Apple lists as ours, or the list of ``only`` one tie; how many lines were taken."""
    settings = office.settings

    def anchors() -> tuple[str, ...]:
        certificate = load_pem_x509_certificate(SignerClient(settings.signer_socket).ca().certificate.encode())
        return (base64.b64encode(certificate.public_bytes(Encoding.DER)).decode(),)

    return read_all(
        lambda: office.call("apple-device-list"),
        lambda: load_seal(settings.home / "keys"),
        settings.apple_device_list,
        organisation=settings.organisation,
        gateway=settings.gateway_base,
        anchors=anchors,
        only=only,
    )
