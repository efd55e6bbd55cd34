"""The pages tell the truth about the code that stands beside them."""

import re
from pathlib import Path

import pytest

from mdm.storage.metadata import ROOMS

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").glob("*.md")])


def _requirements(name: str) -> set[str]:
    lines = (ROOT / name).read_text().splitlines()
    return {re.split(r"[\[>=<]", line)[0] for line in lines if line and not line.startswith(("-", "#"))}


@pytest.mark.parametrize("name", ["requirements.in", "requirements-dev.in"])
def test_every_library_has_its_reason(name: str) -> None:
    page = (ROOT / "docs/dependencies.md").read_text()

    assert {library for library in _requirements(name) if f"`{library}`" not in page} == set()


def test_every_library_that_is_explained_is_required() -> None:
    page = (ROOT / "docs/dependencies.md").read_text().split("## Left out")[0]
    explained = {
        name for row in re.findall(r"^\| (`[^|]+) \|", page, re.MULTILINE) for name in re.findall(r"`([^`]+)`", row)
    }

    assert explained - _requirements("requirements.in") - _requirements("requirements-dev.in") == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text())
    inside = [target for target in targets if "://" not in target and not target.startswith("mailto:")]

    assert [target for target in inside if not (page.parent / target).exists()] == []


def test_the_picture_of_the_house_names_every_room() -> None:
    picture = (ROOT / "docs/house.md").read_text()
    folders = {path.name for path in (ROOT / "mdm").iterdir() if (path / "__init__.py").exists()}

    assert {name for name in folders if f"mdm/{name}" not in picture} == set()
    assert {room.partition(".")[0] for room in ROOMS} <= folders


def test_commands_of_the_readme_exist() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"`make ([a-z-]+)`|^\s*make ([a-z-]+)", (ROOT / "README.md").read_text(), re.MULTILINE))

    for target in {first or second for first, second in targets}:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_the_project_speaks_of_itself_alone() -> None:
    forbidden = re.compile(r"/work/|pythonhosted|registry\.npmjs|pypi\.org/simple", re.IGNORECASE)
    here = Path(__file__)
    skipped = {
        ".git",
        ".venv",
        "node_modules",
        "var",
        "dist",
        ".mypy_cache",
        ".ruff_cache",
        ".pytest_cache",
        ".hypothesis",
    }
    kinds = {".py", ".md", ".toml", ".cfg", ".sh", ".json", ".html", ".js", ".css", ".lock", ".in", ".csv", ".service"}

    found = [
        str(path.relative_to(ROOT))
        for path in ROOT.rglob("*")
        if path.suffix in kinds
        and path != here
        and not skipped & set(path.relative_to(ROOT).parts)
        and forbidden.search(path.read_text(errors="replace"))
    ]

    assert found == []
