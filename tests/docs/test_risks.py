"""The table of risk on the page about safety is the one in the code."""

from pathlib import Path

from mdm.core.risk import RISKS, Row, Way

PAGE = Path(__file__).parents[2] / "docs" / "safety.md"
HOW = {
    Way.ACT: "as a request",
    Way.STATEMENT: "by a statement of its own, which the signer proves",
    Way.RESERVED: "not in the product yet; the gate is ready",
}


def line(row: Row) -> str:
    """One row as the page has it."""
    waits = f"{row.cooling.seconds // 60} minutes" if row.cooling else "-"
    budget = str(row.per_day) if row.way is Way.ACT else "-"
    return f"| {row.words} | {row.when} | {row.approvers} | {waits} | {budget} | {HOW[row.way]} |"


def test_the_page_has_every_row_of_the_table_and_no_other() -> None:
    text = PAGE.read_text(encoding="utf-8")
    section = text.partition("## What somebody else must agree to")[2].partition("\n## ")[0]
    rows = [one for one in section.splitlines() if one.startswith("| ") and not one.startswith(("| verb", "| ---"))]

    assert rows == [line(row) for row in RISKS.values()]
