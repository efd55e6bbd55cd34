"""What is printed can be read: every label of every paper is rendered and read back by a decoder that is not ours."""

from typing import Any

import pypdfium2
import pytest
import zxingcpp

from mdm.core.errors import InvalidError
from mdm.desk.paper import codes
from mdm.desk.paper.labels import A4, SHEETS, Label, bars, pdf

BASE = "https://mdm.stad.example:8443"
DOTS = 300


def pages(document: bytes) -> list[Any]:
    """Each page as a picture of a 300 dpi printer."""
    read = pypdfium2.PdfDocument(document)
    try:
        return [page.render(scale=DOTS / 72, grayscale=True).to_pil() for page in read]
    finally:
        read.close()


def found(picture: Any) -> tuple[list[str], list[str]]:
    """What the decoder sees on a page: QR codes and Code 128, sorted."""
    seen = zxingcpp.read_barcodes(picture, try_rotate=False)
    per_kind = {
        kind: sorted(one.text for one in seen if one.format == kind)
        for kind in (zxingcpp.BarcodeFormat.QRCode, zxingcpp.BarcodeFormat.Code128)
    }
    return per_kind[zxingcpp.BarcodeFormat.QRCode], per_kind[zxingcpp.BarcodeFormat.Code128]


@pytest.mark.parametrize("key", sorted(SHEETS))
def test_every_label_of_a_sheet_is_read_by_a_real_decoder(key: str) -> None:
    sheet = SHEETS[key]
    labels = [
        Label(f"AST-{number:04d}", f"Fairphone 5 nr {number}", "Werkhaven") for number in range(min(sheet.size, 12))
    ]
    (picture,) = pages(pdf(labels, sheet, base=BASE)) if sheet.size > 1 else pages(pdf(labels[:1], sheet, base=BASE))
    wanted = labels if sheet.size > 1 else labels[:1]
    squares, stripes = found(picture)

    assert squares == sorted(codes.address(BASE, label.code) for label in wanted)
    assert stripes == sorted(label.code for label in wanted)
    assert {codes.read(text).text for text in squares} == {label.code for label in wanted}


def test_a_full_sheet_stays_on_its_page_and_the_next_label_begins_another() -> None:
    sheet = SHEETS["a4-5x13"]
    last = sheet.corner(sheet.size - 1)
    assert last[0] + sheet.label[0] <= A4[0]
    assert last[1] + sheet.label[1] <= A4[1]
    labels = [Label(f"S{number}", f"Shelf {number}") for number in range(sheet.size)]
    assert len(pages(pdf(labels, sheet, base=BASE))) == 1
    assert len(pages(pdf(labels, sheet, base=BASE, skip=1))) == 2


def test_used_places_of_a_sheet_are_left_out() -> None:
    sheet = SHEETS["a4-3x8"]
    (picture,) = pages(pdf([Label("AST-1", "One")], sheet, base=BASE, skip=4))
    (code,) = zxingcpp.read_barcodes(picture, formats=zxingcpp.BarcodeFormat.QRCode)
    column, row = code.position.top_left.x / DOTS * 25.4 // 70, code.position.top_left.y / DOTS * 25.4 // 37
    assert (column, row) == (1, 1)


@pytest.mark.parametrize("code", ["schild/é", "a b&c?d#e%2F", "0123456789abcdef0123456789abcdef"])
def test_a_code_that_bars_cannot_hold_has_its_square_alone(code: str) -> None:
    (picture,) = pages(pdf([Label(code, "Long")], SHEETS["a4-5x13"], base=BASE))
    squares, stripes = found(picture)

    assert [codes.read(text).text for text in squares] == [code]
    assert stripes in ([], [code])
    assert bars("é", 100) is None
    assert bars("0" * 80, 30) is None


def test_a_label_without_a_font_of_the_machine_is_printed_all_the_same() -> None:
    (picture,) = pages(
        pdf(
            [Label("AST-1", "Ève Łukasz with a very long name that no label has room for")],
            SHEETS["roll-57x32"],
            base=BASE,
            fonts=(),
        )
    )

    assert found(picture) == ([codes.address(BASE, "AST-1")], ["AST-1"])


@pytest.mark.parametrize(("labels", "skip"), [(0, 0), (501, 0), (1, 24), (1, -1)])
def test_what_makes_no_sheet_is_refused(labels: int, skip: int) -> None:
    with pytest.raises(InvalidError):
        pdf([Label("A", "A")] * labels, SHEETS["a4-3x8"], base=BASE, skip=skip)


def test_a_label_without_a_code_is_refused() -> None:
    with pytest.raises(InvalidError):
        pdf([Label("", "Nameless")], SHEETS["a4-3x8"], base=BASE)
