"""Hostile text becomes one harmless line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mdm.core.text import clean, spreadsheet_safe


@pytest.mark.parametrize(
    ("raw", "kept"),
    [
        ("Kiosk\x00 \x1b[31mred", "Kiosk [31mred"),
        ("invoice\u202egpj.exe", "invoicegpj.exe"),
        ("line\nbreak\ttab", "line break tab"),
        ("e\u0301", "é"),
        (None, ""),
        (12, ""),
    ],
)
def test_control_and_direction_characters_go(raw: object, kept: str) -> None:
    assert clean(raw) == kept


@given(st.text())
def test_what_is_clean_stays_as_it_is(raw: str) -> None:
    assert clean(clean(raw)) == clean(raw)
    assert len(clean(raw, 10)) <= 10


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@x", "\t=1", "＝1"])
def test_a_cell_that_looks_like_a_formula_is_text(cell: str) -> None:
    assert spreadsheet_safe(cell) == "'" + cell


def test_numbers_and_plain_text_stay() -> None:
    assert spreadsheet_safe(-3) == -3
    assert spreadsheet_safe("Werkhaven") == "Werkhaven"
