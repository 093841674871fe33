"""What stands beside the code: workflows, templates, lock files, and the commands that the reports name."""

import importlib.util
import re
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any

import click
import pytest
import yaml
from packaging.specifiers import SpecifierSet

from cli import cli

ROOT = Path(__file__).parents[1]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
LOCKS = sorted((ROOT / "requirements").glob("*.lock"))
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
MAKE = re.compile(r"\bmake ([a-z][a-z-]*)")


def parsed(path: Path) -> dict[Any, Any]:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def jobs(path: Path) -> list[dict[str, Any]]:
    return list(parsed(path)["jobs"].values())


def make_targets() -> set[str]:
    return set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


def module_at(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_tests_every_supported_python(path: Path) -> None:
    supported = SpecifierSet(PROJECT["project"]["requires-python"])
    expected = [f"3.{minor}" for minor in range(50) if f"3.{minor}" in supported]

    assert [job["strategy"]["matrix"]["python"] for job in jobs(path)] == [expected]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_may_only_read_and_pins_its_actions(path: Path) -> None:
    actions = [step["uses"] for job in jobs(path) for step in job["steps"] if "uses" in step]

    assert parsed(path)["permissions"] == {"contents": "read"}
    assert all("permissions" not in job for job in jobs(path))
    assert actions
    assert [action for action in actions if not re.fullmatch(r"actions/[a-z-]+@v\d+", action)] == []


@pytest.mark.parametrize("path", [*WORKFLOWS, *DOCUMENTS, ROOT / ".ci" / "run"], ids=lambda path: path.name)
def test_every_make_target_that_is_named_exists(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".md":  # in a document only what is set as code
        text = "\n".join(re.findall(r"`[^`]+`|^ {4}.*$", text, re.MULTILINE))
    named = set(MAKE.findall(text))

    assert named
    assert named - make_targets() == set()


def test_every_command_that_the_documents_name_exists() -> None:
    named = {
        tuple(words.split())
        for path in DOCUMENTS
        for words in re.findall(r"\bcli\.py ([a-z]+(?: [a-z]+)?)", path.read_text(encoding="utf-8"))
    }
    unknown = []
    for words in named:
        command = cli.commands.get(words[0])
        if command is None or (isinstance(command, click.Group) and words[1:] and words[1] not in command.commands):
            unknown.append(words)

    assert len(named) > 10
    assert unknown == []


def test_every_extra_has_a_lock_file() -> None:
    extras = PROJECT["project"]["optional-dependencies"]

    assert {path.stem for path in LOCKS} == {"base", "benchmark", "docs", *extras}


@pytest.mark.parametrize("path", LOCKS, ids=lambda path: path.name)
def test_a_lock_file_names_no_index_and_hashes_every_pin(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    pins = re.findall(r"^[A-Za-z0-9].*$", text, re.MULTILINE)

    assert re.findall(r"\S*://\S*|--(?:extra-)?index-url|--find-links|\bfile:", text) == []
    assert pins
    assert [pin for pin in pins if not re.match(r"\S+==\S+ .*\\$", pin)] == []
    assert len(re.findall(r"\\\n    --hash=sha256:[0-9a-f]{64}", text)) >= len(pins)


def test_issue_templates_ask_for_what_they_say() -> None:
    for name in ("bug.yml", "feature.yml"):
        form = parsed(ROOT / ".github" / "ISSUE_TEMPLATE" / name)
        fields = [field["id"] for field in form["body"]]

        assert form["name"]
        assert form["description"]
        assert len(set(fields)) == len(fields)
        assert all(field["attributes"]["label"] for field in form["body"])
    assert isinstance(parsed(ROOT / ".github" / "ISSUE_TEMPLATE" / "config.yml")["blank_issues_enabled"], bool)


def test_the_citation_says_what_the_project_says() -> None:
    citation = parsed(ROOT / "CITATION.cff")

    assert citation["cff-version"] == "1.2.0"
    assert citation["version"] == PROJECT["project"]["version"]
    assert citation["license"] == PROJECT["project"]["license"]["text"]
    assert citation["authors"]
    assert {"message", "title", "authors"} <= set(citation)


@pytest.mark.parametrize(
    ("message", "refused"),
    [
        ("tuning: read predictions once\n\nBecause.", None),
        ("trainables/models: add a family", None),
        ("Merge branch 'guard'", None),
        ("tuning: " + "x" * 65 + " is", "characters"),
        ("Read predictions once", "room: verb object"),
        ("tuning: read", "room: verb object"),
        ("", "room: verb object"),
    ],
)
def test_the_commit_hook_refuses_another_form(message: str, refused: str | None) -> None:
    complaint = module_at(ROOT / ".github" / "commit_message.py").complaint(message)

    assert complaint is None if refused is None else refused in complaint


@pytest.mark.parametrize("name", ["keras", "optuna", "ray", "tensorflow"])
def test_installed_packages_have_bytecode(name: str) -> None:
    """Where PYTHONDONTWRITEBYTECODE is set nothing but `make setup` writes it: 16 s an import of TensorFlow, not 6."""
    spec = importlib.util.find_spec(name)
    assert spec is not None
    assert Path(importlib.util.cache_from_source(str(spec.origin))).is_file()
