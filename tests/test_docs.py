"""Documentation that cannot drift: the command reference, links and pictures, the sources that texts cite."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from docs.generate.command_reference import PAGE, command_reference

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
LINK = re.compile(r"\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)")


def test_the_command_reference_is_what_help_prints() -> None:
    """After a change of an option: `make reference`."""
    assert PAGE.read_text() == command_reference()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_and_pictures_lead_to_files(page: Path) -> None:
    linked = LINK.findall(page.read_text())
    assert [target for target in linked if not (page.parent / target).is_file()] == []


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= 150


def test_sources_are_cited_by_name() -> None:
    """Records of version 0.1 keep its words: `tests/studies`."""
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    cited = re.compile(r"document\s+[1-4]\b", re.IGNORECASE)
    numbered = [
        name
        for name in tracked.split("\0")
        if Path(name).suffix in {".py", ".md", ".html", ".csv", ".toml", ".json"}
        and not name.startswith(("tests/studies/", "docs/sources.md"))
        and cited.search((ROOT / name).read_text())
    ]
    assert numbered == []
