"""Envelopes: what OpenSSL seals is opened, what is sealed here OpenSSL opens, and what fails fails in one way."""

from pathlib import Path

import pytest
from asn1crypto import cms as oracle
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from mdm.platforms.apple.ber import encode
from mdm.platforms.apple.envelope import EnvelopeError, make_envelope, open_envelope
from tests.platforms.apple.papers import Holder, holder, openssl

SECRET = b"the request of a phone" * 40


def rsa_key(who: Holder) -> RSAPrivateKey:
    assert isinstance(who.key, RSAPrivateKey)
    return who.key


def sealed(folder: Path, who: Holder, *more: str) -> bytes:
    certificate, _ = who.files(folder, "recipient")
    return openssl("cms", "-encrypt", "-binary", "-outform", "DER", *more, "-recip", certificate, given=SECRET)


@pytest.mark.parametrize("more", ["-aes128", "-aes192", "-aes256", "-des3"])
@pytest.mark.parametrize("form", [(), ("-stream", "-indef"), ("-keyid",)])
def test_what_openssl_seals_is_opened(more: str, form: tuple[str, ...], tmp_path: Path) -> None:
    who = holder()
    assert open_envelope(sealed(tmp_path, who, more, *form), rsa_key(who), who.certificate) == SECRET


def in_pieces(message: bytes) -> bytes:
    """The enciphered bytes in two octet strings under a constructed tag, as some clients send them."""
    info = oracle.ContentInfo.load(message)
    content = info["content"]["encrypted_content_info"]
    whole = content["encrypted_content"].contents
    primitive = encode(0x80, whole)
    pieces = encode(0xA0, encode(0x04, whole[:40]), encode(0x04, whole[40:]))
    inner = content["content_type"].dump() + content["content_encryption_algorithm"].dump()
    old = encode(0x30, inner, primitive)
    new = encode(0x30, inner, pieces)
    data = info["content"]
    body = data["version"].dump() + data["recipient_infos"].dump()
    assert old in message
    return encode(0x30, info["content_type"].dump(), encode(0xA0, encode(0x30, body, new)))


def test_content_in_pieces_is_opened(tmp_path: Path) -> None:
    who = holder()
    assert open_envelope(in_pieces(sealed(tmp_path, who, "-aes128")), rsa_key(who), who.certificate) == SECRET


def test_another_cipher_is_named_and_another_recipient_is_not(tmp_path: Path) -> None:
    who, other = holder("a"), holder("b", number=1)
    with pytest.raises(EnvelopeError) as refused:
        open_envelope(sealed(tmp_path, who, "-camellia128"), rsa_key(who), who.certificate)
    assert refused.value.code == "envelope_algorithm"
    with pytest.raises(EnvelopeError) as closed:
        open_envelope(sealed(tmp_path, who, "-aes128"), rsa_key(other), other.certificate)
    assert closed.value.code == "envelope"


def test_every_failure_inside_reads_the_same(tmp_path: Path) -> None:
    who = holder()
    made = bytearray(sealed(tmp_path, who, "-aes128"))
    said = set()
    for where in (len(made) - 1, len(made) - 20, len(made) - 600, len(made) - SECRET.__len__() - 120):
        hurt = bytearray(made)
        hurt[where] ^= 0xFF
        try:
            open_envelope(bytes(hurt), rsa_key(who), who.certificate)
        except EnvelopeError as error:
            said.add((error.code, str(error)))
    assert said == {("envelope", "The message does not open. Nothing was stored.")}
    for garbage in (b"", b"\x30\x80", b"\x30\x80" * 30_000, b"hello", encode(0x30)):
        with pytest.raises(EnvelopeError):
            open_envelope(garbage, rsa_key(who), who.certificate)


def test_what_is_sealed_here_is_opened_by_openssl(tmp_path: Path) -> None:
    who = holder()
    _, key = who.files(tmp_path, "recipient")
    made = make_envelope(SECRET, who.certificate)
    assert openssl("cms", "-decrypt", "-binary", "-inform", "DER", "-inkey", key, given=made) == SECRET
    assert open_envelope(made, rsa_key(who), who.certificate) == SECRET
