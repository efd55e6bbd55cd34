"""Under every chart are its figures: as a table, and as a file with the same numbers."""

import html
import json
import re
from collections.abc import Callable

import pytest
import tablib
from sqlalchemy import create_engine, text

from mdm.settings import Settings
from tests.console.conftest import Visitor

SignedIn = Callable[[str], Visitor]


@pytest.mark.parametrize(("page", "count"), [("/", 4), ("/compliance", 1)])
def test_the_file_says_what_the_chart_draws(signed_in: SignedIn, page: str, count: int) -> None:
    mo = signed_in("mo@stad.example")
    shown = mo.get(page).text
    drawn = [json.loads(html.unescape(one)) for one in re.findall(r'data-chart="([^"]+)"', shown)]
    files = re.findall(r'href="(/(?:charts|compliance)/\w+\.csv)"', shown)

    assert len(drawn) == len(files) == count
    for chart, address in zip(drawn, files, strict=True):
        table = tablib.Dataset().load(mo.get(address).data.decode("utf-8-sig"), format="csv", headers=True)
        assert len(table) == len(chart["names"]) > 0
        for number, series in enumerate(chart["series"], start=1):
            assert [int(value) for value in table.get_col(number)] == series["values"]


def test_a_system_that_calls_itself_a_formula_is_text_in_the_file(signed_in: SignedIn, settings: Settings) -> None:
    with create_engine(settings.database).begin() as connection:
        connection.execute(text("UPDATE device SET os_name = '=cmd()' WHERE os_version != ''"))
    mo = signed_in("mo@stad.example")

    assert "'=cmd()" in mo.get("/charts/systems.csv").text
    assert mo.get("/charts/nothing.csv").status_code == 404


def test_a_stranger_gets_no_figures(visitor: Visitor) -> None:
    assert visitor.get("/charts/places.csv").status_code == 303
