"""Signed messages: OpenSSL's are verified, ours are verified by OpenSSL, and what proves nothing is refused."""

from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest
from asn1crypto import cms as oracle
from asn1crypto import core
from cryptography.hazmat import asn1
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st

from mdm.core.errors import InvalidError
from mdm.platforms.apple import cms
from mdm.platforms.apple.ber import children, der, encode
from mdm.platforms.apple.cms import CmsError
from tests.platforms.apple.papers import Holder, holder, openssl

BODY = b"<?xml ...?><plist>the body of a request</plist>"


def signature(folder: Path, who: Holder, *more: str, body: bytes = BODY) -> bytes:
    """What OpenSSL makes of a body: a detached signature in DER, unless ``more`` says otherwise."""
    certificate, key = who.files(folder, "signer")
    flags = [] if "-md" in more else ["-md", "sha256"]
    return openssl(
        "cms", "-sign", "-binary", "-outform", "DER", "-signer", certificate, "-inkey", key, *flags, *more, given=body
    )


@pytest.mark.parametrize("kind", ["rsa", "ec"])
@pytest.mark.parametrize("more", [(), ("-noattr",), ("-md", "sha384"), ("-md", "sha512"), ("-keyid",)])
def test_a_detached_signature_of_openssl_is_proved(kind: str, more: tuple[str, ...], tmp_path: Path) -> None:
    who = holder(kind=kind)
    proved = cms.verify(signature(tmp_path, who, *more), BODY)
    assert proved.certificate.der == who.der
    assert proved.content is None
    if "-noattr" not in more:
        assert proved.signed_at is not None
        assert abs(proved.signed_at - datetime.now(UTC)).total_seconds() < 120


def test_a_signature_with_pss_is_proved(tmp_path: Path) -> None:
    made = signature(tmp_path, holder(), "-keyopt", "rsa_padding_mode:pss")
    assert cms.verify(made, BODY).certificate.der == holder_der(made)


def holder_der(message: bytes) -> bytes:
    """The one certificate of a message, as a second parser sees it."""
    found: bytes = oracle.ContentInfo.load(message)["content"]["certificates"][0].dump()
    return found


def test_a_message_with_indefinite_lengths_is_proved(tmp_path: Path) -> None:
    made = signature(tmp_path, holder(), "-stream", "-indef", "-nodetach")
    assert made.startswith(b"\x30\x80")
    assert cms.verify(made, BODY).content == BODY
    assert cms.verify(made).content == BODY


def test_sha1_is_proved_only_where_it_is_allowed_and_md5_never(tmp_path: Path) -> None:
    made = signature(tmp_path, holder(), "-md", "sha1")
    with pytest.raises(CmsError) as refused:
        cms.verify(made, BODY)
    assert refused.value.code == "cms_algorithm"
    assert cms.verify(made, BODY, digests=cms.WITH_SHA1)
    with pytest.raises(CmsError):
        cms.verify(signature(tmp_path, holder(), "-md", "md5"), BODY, digests=cms.WITH_SHA1)


@pytest.mark.parametrize("more", [(), ("-noattr",), ("-nodetach",)])
def test_a_signature_for_another_body_is_refused(more: tuple[str, ...], tmp_path: Path) -> None:
    made = signature(tmp_path, holder(), *more)
    for body in (BODY + b" ", BODY[:-1], b"", BODY.replace(b"body", b"bodY")):
        with pytest.raises(CmsError) as refused:
            cms.verify(made, body)
        assert refused.value.code == "cms_signature"


def test_attributes_that_name_the_digest_of_another_body_are_refused_though_their_signature_is_good(
    tmp_path: Path,
) -> None:
    made = signature(tmp_path, holder(), "-nodetach")
    forged = made.replace(BODY, BODY.replace(b"request", b"REQUEST"))
    assert forged != made
    with pytest.raises(CmsError):
        cms.verify(forged)


def test_without_its_certificate_a_signature_proves_nothing(tmp_path: Path) -> None:
    with pytest.raises(CmsError):
        cms.verify(signature(tmp_path, holder(), "-nocerts"), BODY)


def test_two_signers_are_refused(tmp_path: Path) -> None:
    first, second = holder("first").files(tmp_path, "first"), holder("second", number=1).files(tmp_path, "second")
    made = openssl(
        "cms", "-sign", "-binary", "-outform", "DER",
        "-signer", first[0], "-inkey", first[1], "-signer", second[0], "-inkey", second[1], given=BODY,
    )  # fmt: skip
    with pytest.raises(CmsError):
        cms.verify(made, BODY)


def test_of_several_certificates_the_signers_own_is_named(tmp_path: Path) -> None:
    real, attacker = holder("real"), holder("attacker", number=1)
    beside, _ = real.files(tmp_path, "real")
    assert cms.verify(signature(tmp_path, attacker, "-certfile", str(beside)), BODY).certificate.der == attacker.der


def test_a_certificate_that_only_looks_like_the_signers_proves_nothing(tmp_path: Path) -> None:
    real = holder("device", serial=77)
    double = holder("device", number=1, serial=77)
    made = signature(tmp_path, real).replace(real.der, double.der)
    with pytest.raises(CmsError):
        cms.verify(made, BODY)


@pytest.mark.parametrize("content", [b"", b"\x30", b"\x30\x80", b"x" * 300, b"\x30\x80" * 25_000, b"\x24\x80" * 25_000])
def test_garbage_and_endless_nesting_are_refused(content: bytes) -> None:
    with pytest.raises(CmsError):
        cms.verify(content, BODY)


def test_a_message_above_the_limit_is_not_read(tmp_path: Path) -> None:
    made = signature(tmp_path, holder())
    with pytest.raises(CmsError):
        cms.verify(made, BODY, limit=len(made) - 1)
    assert cms.verify(made, BODY, limit=len(made))


@pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")
@given(st.integers(0, 2000), st.integers(0, 255))
@settings(max_examples=300, deadline=None)
def test_a_signature_with_any_byte_changed_is_refused_or_still_says_the_same(where: int, byte: int) -> None:
    who = holder()
    made = cms.sign(BODY, who.key, who.certificate, attached=False)
    where %= len(made)
    hurt = made[:where] + bytes((byte,)) + made[where + 1 :]
    try:
        proved = cms.verify(hurt, BODY)
    except CmsError:
        return
    # Versions and names of algorithms may be spelt otherwise; who signed what may not.
    assert proved.certificate.key.public_numbers() == who.key.public_key().public_numbers()


# Ours, read by others --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["rsa", "ec"])
def test_what_is_signed_here_is_proved_by_openssl_with_its_attributes(kind: str, tmp_path: Path) -> None:
    who = holder(kind=kind, client=False)
    extra = {"2.16.840.1.113733.1.9.2": asn1.encode_der(asn1.PrintableString("3"))}
    made = cms.sign(BODY, who.key, who.certificate, attributes=extra, at=datetime(2026, 11, 22, 9, tzinfo=UTC))
    certificate, _ = who.files(tmp_path, "signer")
    file = tmp_path / "made"
    file.write_bytes(made)
    read = openssl(
        "cms", "-verify", "-inform", "DER", "-in", file, "-binary", "-CAfile", certificate, "-purpose", "any"
    )
    assert read == BODY
    seen = oracle.ContentInfo.load(made, strict=True)
    info = seen["content"]["signer_infos"][0]
    assert info["signed_attrs"].contents == b"".join(sorted(one.dump() for one in info["signed_attrs"]))
    assert {one["type"].dotted for one in info["signed_attrs"]} == {
        cms.CONTENT_TYPE, cms.MESSAGE_DIGEST, cms.SIGNING_TIME, *extra,
    }  # fmt: skip
    if kind == "rsa":
        assert info["signature_algorithm"]["algorithm"].dotted == cms.RSA_ENCRYPTION
    proved = cms.verify(made)
    assert proved.attribute("2.16.840.1.113733.1.9.2", asn1.PrintableString) == asn1.PrintableString("3")
    assert proved.signed_at == datetime(2026, 11, 22, 9, tzinfo=UTC)


def test_certificates_alone_are_carried_and_read_by_openssl() -> None:
    first, second = holder("first"), holder("second", number=1)
    made = cms.certificates_only([first.certificate, second.certificate])
    printed = openssl("pkcs7", "-inform", "DER", "-print_certs", given=made)
    assert printed.count(b"BEGIN CERTIFICATE") == 2
    assert sorted(cms.carried_certificates(made)) == sorted((first.der, second.der))
    with pytest.raises(CmsError):
        cms.verify(made, BODY)


# From BER to DER -------------------------------------------------------------------------------------------------------


def ber(dice: Random, value: bytes) -> bytes:
    """The DER value spelt in one of the many ways that BER allows."""
    tag, size = value[0], value[1]
    start = 2 if size < 0x80 else 2 + (size & 0x7F)
    content = value[start:]
    if tag & 0x20:
        parts = [ber(dice, encode(kind, inner)) for kind, inner in children(content)]
        return long(dice, tag, b"".join(parts))
    if tag == 0x04 and content and dice.random() < 0.5:
        cut = dice.randrange(len(content) + 1)
        return long(dice, 0x24, encode(0x04, content[:cut]) + encode(0x04, content[cut:]))
    return long(dice, tag, content)


def long(dice: Random, tag: int, content: bytes) -> bytes:
    """One value with its length in a form that is drawn."""
    how = dice.choice(("short", "long", "indefinite")) if content else "short"
    if how == "indefinite" and tag & 0x20:
        return bytes((tag, 0x80)) + content + b"\0\0"
    if how == "long":
        return bytes((tag, 0x84)) + len(content).to_bytes(4, "big") + content
    return encode(tag, content)


@pytest.mark.parametrize("seed", range(60))
def test_every_spelling_of_a_message_becomes_the_same_der_and_openssl_reads_that_spelling_too(seed: int) -> None:
    who = holder()
    made = cms.sign(BODY, who.key, who.certificate)
    spelt = ber(Random(seed), made)
    assert der(spelt) == made
    assert openssl("cms", "-verify", "-noverify", "-inform", "DER", "-binary", given=spelt) == BODY
    assert cms.verify(spelt).content == BODY


@given(st.binary(max_size=200))
@settings(max_examples=400, deadline=None)
def test_bytes_that_are_taken_for_ber_are_taken_for_ber_by_a_second_parser(content: bytes) -> None:
    try:
        made = der(content)
    except InvalidError:
        return
    assert der(made) == made
    assert core.load(content).tag == made[0] & 0x1F


def test_a_bit_string_in_pieces_keeps_its_unused_bits_and_others_are_refused() -> None:
    pieces = encode(0x03, b"\x00\xff") + encode(0x03, b"\x04\xf0")
    assert der(encode(0x23, pieces)) == encode(0x03, b"\x04\xff\xf0")
    for wrong in (encode(0x03, b"\x04\xf0") + encode(0x03, b"\x00\xff"), encode(0x04, b"a"), encode(0x03), b""):
        with pytest.raises(InvalidError):
            der(encode(0x23, wrong))


def test_openssls_own_stream_becomes_der_that_openssl_reads_again(tmp_path: Path) -> None:
    who = holder(client=False)
    certificate, key = who.files(tmp_path, "signer")
    streamed = openssl(
        "cms", "-sign", "-binary", "-stream", "-nodetach", "-outform", "DER", "-signer", certificate, "-inkey", key,
        given=BODY * 500,
    )  # fmt: skip
    assert streamed[1] == 0x80
    file = tmp_path / "der"
    file.write_bytes(der(streamed))
    read = openssl(
        "cms", "-verify", "-inform", "DER", "-in", file, "-binary", "-CAfile", certificate, "-purpose", "any"
    )
    assert read == BODY * 500
    assert who.certificate.public_bytes(Encoding.DER) in der(streamed)
