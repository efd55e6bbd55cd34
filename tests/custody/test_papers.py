"""Receipts and pictures: what people take home, and what of a picture is kept."""

import io
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, PngImagePlugin
from sqlalchemy import select

from mdm.core.errors import HavenmeesterError, InvalidError, NotFoundError, TooLargeError
from mdm.desk.custody import photos, receipts
from mdm.desk.custody.asked import Seen, Signed
from mdm.desk.custody.kit import KitGiven
from mdm.desk.custody.model import Condition, Paper, Photo
from mdm.desk.custody.photos import Files
from mdm.desk.paper import receipt
from mdm.settings import Settings
from mdm.storage.seal import create_key, load_seal
from mdm.worker import mail
from mdm.worker.office import Office
from tests.conftest import NOW, Calling
from tests.custody.conftest import Counter, clerk
from tests.custody.test_hand_out import SIM

GPS = 0x8825


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
def files(tmp_path: Path) -> Files:
    create_key(tmp_path / "keys")
    return Files(tmp_path, load_seal(tmp_path / "keys"))


def picture(kind: str = "JPEG", size: tuple[int, int] = (40, 20)) -> bytes:
    """A picture that says where and with what it was taken, in every way that its format has."""
    image = Image.new("RGB", size, "red")
    exif = Image.Exif()
    exif[0x010F] = "SECRETMAKER"
    exif[0x0112] = 6
    exif.get_ifd(GPS)[2] = (51.0, 13.0, 7.0)
    out = io.BytesIO()
    more: dict[str, Any] = {"exif": exif, "icc_profile": b"SECRETPROFILE", "xmp": b"<x>SECRETXMP</x>"}
    if kind == "PNG":
        info = PngImagePlugin.PngInfo()
        info.add_text("Comment", "SECRETTEXT")
        more = {"pnginfo": info, "exif": exif}
    if kind == "JPEG":
        more["comment"] = b"SECRETCOMMENT"
    image.save(out, kind, **more)
    return out.getvalue()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_nothing_but_the_picture_is_kept_and_it_stands_upright(kind: str) -> None:
    raw = picture(kind)
    assert b"SECRET" in raw
    kept = photos.bare(raw)
    assert b"SECRET" not in kept.content
    with Image.open(io.BytesIO(kept.content)) as opened:
        assert (opened.format, opened.size, dict(opened.getexif())) == ("JPEG", (20, 40), {})
        assert not {"exif", "icc_profile", "xmp", "comment"} & opened.info.keys()


def test_a_large_picture_becomes_small() -> None:
    kept = photos.bare(picture(size=(4000, 3000)))
    assert max(kept.width, kept.height) == photos.EDGE
    assert len(kept.content) < 200_000


@pytest.mark.parametrize(
    "raw",
    [b"", b"GIF89a" + b"\x00" * 50, b"<svg xmlns='x'/>", picture()[:200], b"\xff\xd8\xff" + b"A" * 500, b"%PDF-1.4"],
)
def test_what_is_no_picture_is_refused(raw: bytes) -> None:
    with pytest.raises(InvalidError) as refused:
        photos.bare(raw)
    assert refused.value.code == "photo_wrong"


def test_a_small_file_that_unfolds_to_a_huge_picture_is_refused_before_it_is_decoded() -> None:
    out = io.BytesIO()
    Image.new("1", (12_000, 12_000)).save(out, "PNG")
    assert len(out.getvalue()) < 100_000
    with pytest.raises(TooLargeError):
        photos.bare(out.getvalue())
    with pytest.raises(TooLargeError):
        photos.bare(b"x" * (photos.MAX_BYTES + 1))


def test_pictures_lie_sealed_and_are_shown_only_at_their_place(
    calling: Calling, counter: Counter, out: Any, back: Any, files: Files, tmp_path: Path
) -> None:
    out("one")
    with calling(clerk(counter.here)) as call:
        uid = photos.take(call, files, counter.device["one"], counter.here, picture()).uid
    [path] = (tmp_path / "files").iterdir()
    assert not path.read_bytes().startswith(b"\xff\xd8")
    assert path.stat().st_mode & 0o077 == 0
    done = back("one", seen=Seen(Condition.BROKEN, "", (uid,)))
    with calling(clerk(counter.here)) as call:
        assert photos.content(call, files, uid).startswith(b"\xff\xd8")
        assert call.session.scalars(select(Photo)).one().custody_id == done.custody.id
    with pytest.raises(NotFoundError), calling(clerk(counter.point["nova"])) as call:
        photos.content(call, files, uid)


def test_a_picture_of_another_device_takes_nothing_in(
    calling: Calling, counter: Counter, out: Any, back: Any, files: Files
) -> None:
    out("one")
    with calling(clerk(counter.here)) as call:
        uid = photos.take(call, files, counter.device["two"], counter.here, picture()).uid
    for wrong in (uid, "nothing"):
        with pytest.raises(InvalidError):
            back("one", seen=Seen(Condition.BROKEN, "", (wrong,)))
    with pytest.raises(HavenmeesterError), calling(clerk(counter.here)) as call:
        photos.take(call, files, counter.device["elsewhere"], counter.here, picture())


def test_pictures_that_nothing_took_are_forgotten_after_a_day(
    calling: Calling, counter: Counter, files: Files, tmp_path: Path
) -> None:
    with calling(clerk(counter.here)) as call:
        photos.take(call, files, counter.device["one"], counter.here, picture())
    for later, left in ((NOW, 1), (NOW + photos.UNUSED * 2, 0)):
        with calling(now=later) as call:
            photos.forget(call, files, NOW - photos.UNUSED * 400)
        assert len(list((tmp_path / "files").iterdir())) == left


def test_the_receipt_stands_alone_in_every_letter_and_with_none(
    calling: Calling, counter: Counter, out: Any, back: Any, tmp_path: Path
) -> None:
    out("one", kit=(KitGiven(code=SIM), KitGiven("charger", quantity=2)), note="Gülşen şçğ ȘȚ")
    back("one", seen=Seen(Condition.DAMAGED, "x" * 400), kit=(), signed=Signed(typed="Sarah Aït"))
    settings = Settings(home=tmp_path)
    with calling(write=False) as call:
        for paper in call.session.scalars(select(Paper)):
            made = receipts.pdf(call, paper, settings)
            assert made.startswith(b"%PDF-")
            assert len(made) > 3000
            plain = receipt.Receipt("Antwerpen", "N", paper.kind, NOW, "x", "nl", paper.content)
            assert receipt.pdf(plain, fonts=()).startswith(b"%PDF-")


def test_the_letter_carries_the_receipt_and_goes_once(
    calling: Calling, counter: Counter, out: Any, tmp_path: Path, engine: Any
) -> None:
    out("one")
    out("two", to="mo")
    settings = Settings(home=tmp_path)
    with calling() as call:
        ids = [paper.id for paper in call.session.scalars(select(Paper).order_by(Paper.id))]
        found = receipts.letter(call, ids[0], settings)
        assert (found.to, found.subject) == ("sarah@example.org", "Votre reçu WERKHAVEN-2026-00001")
        assert receipts.letter(call, ids[1], settings) is None
        receipts.mailed(call, ids[0])
        assert receipts.letter(call, ids[0], settings) is None
    office = Office(engine, settings)
    letter = mail.message(office, {"to": found.to, "subject": found.subject, "text": found.text})
    letter.add_attachment(found.content, maintype="application", subtype="pdf", filename=found.name)
    parts = message_from_bytes(letter.as_bytes()).get_payload()
    assert [part.get_content_type() for part in parts] == ["text/plain", "application/pdf"]
