"""Certificates: only the public key is taken from a request; an invitation certifies one key."""

from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from mdm.core.errors import ConflictError, GoneError, InvalidError, NotFoundError
from mdm.core.ids import new_uid
from mdm.signer.authority import key_digest
from tests.signer.neighbour import RunningSigner, csr, enrol, new_key


def _read(chain: str) -> x509.Certificate:
    return x509.load_pem_x509_certificates(chain.encode())[0]


def test_subject_and_usage_come_from_us_and_not_from_the_request(shared_signer: RunningSigner) -> None:
    key, device = new_key(), new_uid()
    request = (
        x509.CertificateSigningRequestBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "f" * 32)]))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("console.example.org")]), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
        .public_bytes(Encoding.PEM)
        .decode()
    )

    issued = shared_signer.client.issue(device=device, invitation=new_uid(), csr=request, days=90, ownership="city")

    certificate = _read(issued.chain)
    names = [(one.oid, one.value) for one in certificate.subject]
    extensions = {one.oid: one.value for one in certificate.extensions}
    assert names == [(NameOID.ORGANIZATION_NAME, "Antwerpen"), (NameOID.COMMON_NAME, device)]
    assert x509.SubjectAlternativeName.oid not in extensions
    assert extensions[x509.BasicConstraints.oid] == x509.BasicConstraints(ca=False, path_length=None)
    assert extensions[x509.ExtendedKeyUsage.oid] == x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
    assert certificate.public_key() == key.public_key()
    assert certificate.serial_number.bit_length() > 64
    assert f"{certificate.serial_number:x}" == issued.serial_number
    assert certificate.fingerprint(hashes.SHA256()).hex() == issued.fingerprint
    assert issued.key_digest == key_digest(key.public_key())
    assert issued.not_after - issued.not_before == timedelta(days=90, minutes=5)


def test_the_chain_ends_in_the_authority_that_the_signer_names(shared_signer: RunningSigner) -> None:
    authority = shared_signer.client.ca()
    leaf, root = x509.load_pem_x509_certificates(enrol(shared_signer.client, new_uid()).chain.encode())

    leaf.verify_directly_issued_by(root)
    assert root == x509.load_pem_x509_certificate(authority.certificate.encode())
    assert root.fingerprint(hashes.SHA256()).hex() == authority.fingerprint


def test_the_same_ask_gives_the_same_certificate_and_another_key_is_refused(shared_signer: RunningSigner) -> None:
    client, device, invitation, key = shared_signer.client, new_uid(), new_uid(), new_key()
    first = client.issue(device=device, invitation=invitation, csr=csr(key), days=90, ownership="city")

    assert client.issue(device=device, invitation=invitation, csr=csr(key), days=90, ownership="city") == first
    with pytest.raises(ConflictError) as refused:
        client.issue(device=device, invitation=invitation, csr=csr(new_key()), days=90, ownership="city")
    assert refused.value.code == "invitation_used"
    with pytest.raises(ConflictError):
        client.issue(device=new_uid(), invitation=invitation, csr=csr(key), days=90, ownership="city")
    assert client.device_key(device) == first.key_digest


def test_a_renewal_keeps_the_device_and_takes_a_new_key(shared_signer: RunningSigner) -> None:
    client, device, key = shared_signer.client, new_uid(), new_key()
    first = enrol(client, device)

    second = client.renew(previous=first.fingerprint, csr=csr(key, "somebody else"), days=90)

    assert _read(second.chain).subject == _read(first.chain).subject
    assert second.key_digest != first.key_digest
    assert client.device_key(device) == second.key_digest
    assert client.renew(previous=first.fingerprint, csr=csr(key), days=90) == second


def test_a_revoked_certificate_is_not_renewed_and_an_unknown_one_neither(shared_signer: RunningSigner) -> None:
    client, device = shared_signer.client, new_uid()
    issued = enrol(client, device)
    client.revoke(fingerprint=issued.fingerprint, why="lost")
    client.revoke(fingerprint=issued.fingerprint, why="lost again")

    with pytest.raises(GoneError):
        client.renew(previous=issued.fingerprint, csr=csr(new_key()), days=90)
    with pytest.raises(NotFoundError):
        client.renew(previous="0" * 64, csr=csr(new_key()), days=90)
    with pytest.raises(NotFoundError):
        client.revoke(fingerprint="0" * 64, why="lost")
    assert client.device_key(device) is None


def _pem(request: x509.CertificateSigningRequest) -> str:
    return request.public_bytes(Encoding.PEM).decode()


def _request(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> x509.CertificateSigningRequest:
    return x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(key, hashes.SHA256())


def _unproved() -> str:
    """A request whose last byte, and so its signature, was changed."""
    request = _request(new_key())
    der = bytearray(request.public_bytes(Encoding.DER))
    der[-1] ^= 1
    return _pem(x509.load_der_x509_csr(bytes(der)))


@pytest.mark.parametrize(
    ("request_text", "code"),
    [
        (_pem(_request(ec.generate_private_key(ec.SECP384R1()))), "csr_key"),
        (_pem(_request(ec.generate_private_key(ec.SECP256K1()))), "csr_key"),
        (_pem(_request(rsa.generate_private_key(65537, 1024))), "csr_key"),
        (_pem(_request(rsa.generate_private_key(3, 2048))), "csr_key"),
        (_unproved(), "csr_unproved"),
        ("-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n", "csr_malformed"),
        ("no request at all", "csr_malformed"),
        ("-----BEGIN CERTIFICATE REQUEST-----" * 300, "csr_malformed"),
    ],
)
def test_weak_strange_and_unproved_keys_get_nothing(shared_signer: RunningSigner, request_text: str, code: str) -> None:
    device = new_uid()
    with pytest.raises(InvalidError) as refused:
        shared_signer.client.issue(device=device, invitation=new_uid(), csr=request_text, days=90, ownership="city")

    assert refused.value.code == code
    assert shared_signer.client.device_key(device) is None


def test_a_good_rsa_key_is_taken(shared_signer: RunningSigner) -> None:
    request = _pem(_request(rsa.generate_private_key(65537, 2048)))

    issued = shared_signer.client.issue(device=new_uid(), invitation=new_uid(), csr=request, days=1, ownership="city")

    assert isinstance(_read(issued.chain).public_key(), rsa.RSAPublicKey)


def test_a_server_gets_its_names_and_can_be_nothing_else(shared_signer: RunningSigner) -> None:
    issued = shared_signer.client.issue_server(names=["localhost", "127.0.0.1", "::1"], csr=csr(new_key()), days=90)

    extensions = _read(issued.chain).extensions
    alternative = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    usage = extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert alternative.get_values_for_type(x509.DNSName) == ["localhost"]
    assert [str(one) for one in alternative.get_values_for_type(x509.IPAddress)] == ["127.0.0.1", "::1"]
    assert list(usage) == [ExtendedKeyUsageOID.SERVER_AUTH]
    with pytest.raises(NotFoundError):
        shared_signer.client.renew(previous=issued.fingerprint, csr=csr(new_key()), days=90)


@pytest.mark.parametrize("name", ["*", "a b", "-x", "a..b", "evil\nname", "x" * 254])
def test_a_server_name_that_is_none_is_refused(shared_signer: RunningSigner, name: str) -> None:
    with pytest.raises(InvalidError):
        shared_signer.client.issue_server(names=[name], csr=csr(new_key()), days=90)
