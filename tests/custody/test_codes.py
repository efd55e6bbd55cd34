"""What a scanner may bring: each spelling finds the same thing, and nothing that was misread finds another."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mdm.desk.custody import codes

IMEI = "490154203237518"
UID = "0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize(
    ("raw", "spelled"),
    [
        ("ABC-12", "ABC-12"),
        ("  abc-12\r\n", "ABC-12"),
        ("]C1ABC-12", "ABC-12"),
        (f"https://console.example/desk?code={UID}", UID),
        (f"HTTPS://CONSOLE.EXAMPLE/desk?code={UID}", UID),
        ("https://maker.example/assets/ABC-12", "ABC-12"),
        ("https://id.gs1.org/01/05412345678908/21/SER9", "SER9"),
        ("(01)05412345678908(21)SER9", "SER9"),
        ("010541234567890821SER9", "SER9"),
        ("]d2010541234567890821SER9\x1d8002490154203237518", IMEI),
        ("(8004)ASSET7", "ASSET7"),
        ("49-015420-323751-8", IMEI),
        ("49015420323751", IMEI),
        ("4901542032375101", IMEI),
        ("SF2LX1234ABC", "F2LX1234ABC"),
        ("àçàè(", "09075"),
    ],
)
def test_a_code_is_looked_for_as_it_may_be_recorded(raw: str, spelled: str) -> None:
    assert spelled in codes.read(raw).spellings


def test_an_imei_with_a_wrong_check_digit_says_so() -> None:
    assert codes.read("490154203237519").bad_check
    assert not codes.read(IMEI).bad_check


@settings(max_examples=50)
@given(st.from_regex(r"[0-9]{14}", fullmatch=True), st.integers(0, 13), st.integers(1, 9))
def test_one_misread_digit_of_an_imei_never_gives_another_imei(body: str, place: int, by: int) -> None:
    whole = body + str(codes.luhn(body))
    wrong = whole[:place] + str((int(whole[place]) + by) % 10) + whole[place + 1 :]
    assert codes.imei(whole) == whole
    assert codes.imei(wrong) is None


@settings(max_examples=50)
@given(st.text(max_size=600))
def test_whatever_is_scanned_nothing_breaks(raw: str) -> None:
    read = codes.read(raw)
    assert len(read.spellings) <= 40
    assert all(0 < len(one) <= 255 for one in read.spellings)
