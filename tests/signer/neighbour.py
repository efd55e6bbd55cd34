"""A real signer for tests: its own process, its own keys, a real socket; and devices that ask for certificates."""

import base64
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from mdm.core.errors import UnavailableError
from mdm.core.ids import new_uid
from mdm.signer import keys
from mdm.signing.client import Issued, Ownership, SignerClient


@dataclass
class RunningSigner:
    """One signer process on a home folder of its own."""

    home: Path
    environment: dict[str, str] = field(default_factory=dict)
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def socket(self) -> Path:
        """Where it listens."""
        return self.home / "run" / "signer.sock"

    @property
    def client(self) -> SignerClient:
        """A client that reaches it."""
        return SignerClient(self.socket, timeout=20)

    def start(self) -> None:
        """Starts it and waits until it answers."""
        keys.create(self.home, "Antwerpen")
        environment = {name: value for name, value in os.environ.items() if not name.startswith("HAVENMEESTER_")}
        environment |= {"HAVENMEESTER_HOME": str(self.home), **self.environment}
        self.process = subprocess.Popen([sys.executable, "-m", "mdm.signer.main"], env=environment)
        for _ in range(1600):
            try:
                self.client.health()
            except UnavailableError:
                if self.process.poll() is not None:
                    raise RuntimeError("the signer ended") from None
                time.sleep(0.025)
            else:
                return
        raise RuntimeError("the signer does not answer")

    def kill(self) -> None:
        """kill -9."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """Asks it to end, and gives its exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(60)
        finally:
            if self.process.poll() is None:
                self.kill()


def new_key() -> EllipticCurvePrivateKey:
    """A device's key."""
    return generate_private_key(SECP256R1())


def csr(key: EllipticCurvePrivateKey, name: str = "whatever the device says") -> str:
    """A certificate request of this key, with a subject that nobody shall believe."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    return (
        x509.CertificateSigningRequestBuilder()
        .subject_name(subject)
        .sign(key, hashes.SHA256())
        .public_bytes(Encoding.PEM)
        .decode()
    )


def enrol(client: SignerClient, device: str, ownership: Ownership = "city") -> Issued:
    """A certificate for this device under a new invitation."""
    return client.issue(device=device, invitation=new_uid(), csr=csr(new_key()), days=90, ownership=ownership)


def raw(text: str) -> bytes:
    """The bytes behind Base64."""
    return base64.b64decode(text)
