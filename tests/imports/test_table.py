"""Reading a CSV file: encodings, delimiters, headers, and lines that are no rows."""

import pytest

from mdm.core.errors import InvalidError, TooLargeError
from mdm.imports import columns
from mdm.imports.table import MAX_BYTES, read

HEADER = "naam;e-mailadres;taal\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
def test_a_file_is_read_in_every_encoding_and_with_every_delimiter(encoding: str, delimiter: str) -> None:
    text = 'naam;e-mailadres\r\n"Élodie; Zoë, dîtes";e@stad.example\r\n'.replace("e;Zoë", "e;Zoë")
    data = text.replace("naam;e", f"naam{delimiter}e").replace('";e@', f'"{delimiter}e@').encode(encoding)

    table = read(data, columns.PEOPLE, ())

    assert table.delimiter == delimiter
    assert [row.cells for row in table.rows] == [{"name": "Élodie; Zoë, dîtes", "email": "e@stad.example"}]


@pytest.mark.parametrize(
    "header", ["Naam;E-mailadres;Taal", "NOM;Courriel;langue", "name;mail;Language", "Full Name;e_mail;taal"]
)
def test_columns_are_known_in_three_languages(header: str) -> None:
    table = read(f"{header}\nA;a@stad.example;nl\n".encode(), columns.PEOPLE, ())

    assert table.fields == ("name", "email", "language")


def test_columns_that_mean_nothing_are_named() -> None:
    table = read(b"name;shoe size;;email\nA;42;x;a@stad.example\n", columns.PEOPLE, ())

    assert table.ignored == ("shoe size",)
    assert table.rows[0].cells == {"name": "A", "email": "a@stad.example"}


def test_a_bad_line_spoils_no_other() -> None:
    table = read((HEADER + 'A;"x"y;nl\nB;b@stad.example;nl\nC;c;nl;too;many\n\nD\n').encode(), columns.PEOPLE, ())

    assert [bad.line for bad in table.bad] == [2, 4]
    assert [(row.line, row.cells["name"]) for row in table.rows] == [(3, "B"), (6, "D")]


def test_a_cell_over_several_lines_keeps_the_number_of_its_first() -> None:
    table = read(b'name,note\n"A","two\nlines"\nB,x\n', {**columns.PEOPLE, "note": ()}, ())

    assert [row.line for row in table.rows] == [2, 4]
    assert table.rows[0].cells["note"] == "two\nlines"


def test_formulas_and_hostile_text_are_kept_as_harmless_text() -> None:
    table = read("name;phone\n=cmd|' /C calc'!A0\u202e;'+32 3 1\n".encode(), columns.PEOPLE, ())

    assert table.rows[0].cells == {"name": "=cmd|' /C calc'!A0", "phone": "+32 3 1"}


def test_the_line_that_a_spreadsheet_writes_for_itself_is_obeyed() -> None:
    assert read(b"sep=;\nname;email\nA, B;a@stad.example\n", columns.PEOPLE, ()).rows[0].cells["name"] == "A, B"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n\n",
        b"name;email\n",
        b"name;naam\nA;B\n",
        b"PK\x03\x04\x00\x00",
        "name\nA\n".encode("utf-16"),
        b"name\n\x81\n",
        b";".join(b"c" for _ in range(201)),
    ],
)
def test_what_is_no_list_is_refused_as_a_whole(data: bytes) -> None:
    with pytest.raises(InvalidError, match=r"[Nn]othing was imported"):
        read(data, columns.PEOPLE, ())


def test_a_required_column_that_is_missing_is_named_in_every_language() -> None:
    with pytest.raises(InvalidError, match=r"code.*afkorting"):
        read(b"name\nA\n", columns.UNITS, ("code",))


def test_a_file_over_the_limits_is_refused() -> None:
    with pytest.raises(TooLargeError):
        read(b"x" * (MAX_BYTES + 1), columns.PEOPLE, ())
    with pytest.raises(TooLargeError):
        read(b"name\n" + b"A\n" * 100_001, columns.PEOPLE, ())
