"""Docstrings in one form: CONTRIBUTING.md, "Words". What ruff's D rules cannot see is held here."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
MOST_WORDS = 20  # in a first sentence
OPENERS = {"Of", "That", "What", "As", "Where", "It", "How", "Which", "Whose", "This"}
ARRAYS = re.compile(r"\b(ndarray|NDArray|Images|Labels|Tensor)\b")
Function = ast.FunctionDef | ast.AsyncFunctionDef


def modules() -> list[str]:
    tracked = subprocess.run(["git", "ls-files", "*.py"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [
        name for name in tracked.split() if not name.startswith(("tests/", ".github/")) and (ROOT / name).stat().st_size
    ]


def documented(tree: ast.Module) -> Iterator[tuple[ast.Module | ast.ClassDef | Function, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | Function) and (text := ast.get_docstring(node)):
            yield node, text


def arguments(function: Function) -> list[ast.arg]:
    every = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
    return [each for each in every if each.arg not in ("self", "cls")]


def own_statements(function: Function) -> Iterator[ast.AST]:
    """Walk a function's body without the functions inside it."""
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, Function | ast.Lambda | ast.ClassDef):
            waiting += ast.iter_child_nodes(node)


def missing_sections(function: Function, text: str) -> list[str]:
    """Return the Google sections that the function's signature and body ask for and its docstring lacks."""
    annotations = [each.annotation for each in arguments(function)]
    arrays = any(ARRAYS.search(ast.unparse(each)) for each in annotations if each)
    returned = ast.unparse(function.returns) if function.returns else "None"
    raises = any(isinstance(node, ast.Raise) and node.exc is not None for node in own_statements(function))
    needed = {"Args": len(annotations) >= 2 or arrays, "Returns": bool(ARRAYS.search(returned)), "Raises": raises}
    return [name for name, need in needed.items() if need and not re.search(rf"^{name}:$", text, re.MULTILINE)]


def is_public(tree: ast.Module, function: Function) -> bool:
    inside = {
        id(each) for node in ast.walk(tree) if isinstance(node, Function) for each in ast.walk(node) if each is not node
    }
    private = any(
        isinstance(node, ast.ClassDef) and node.name.startswith("_") and function in node.body
        for node in ast.walk(tree)
    )
    command = any("command" in ast.unparse(each) or "group(" in ast.unparse(each) for each in function.decorator_list)
    return not (function.name.startswith("_") or private or command or id(function) in inside)


def faults(name: str) -> list[str]:
    tree = ast.parse((ROOT / name).read_text())
    found = []
    for node, text in documented(tree):
        line = 1 if isinstance(node, ast.Module) else node.lineno
        first = re.split(r"(?<=[.:?!])\s", text.split("\n\n")[0], maxsplit=1)[0]
        words = first.split()
        if len(words) > MOST_WORDS:
            found.append(f"{name}:{line}: first sentence has {len(words)} words")
        if words[0].rstrip(",:") in OPENERS:
            found.append(f"{name}:{line}: begins with {words[0]}")
        if isinstance(node, Function) and is_public(tree, node):
            found += [
                f"{name}:{line}: {node.name} has no section {section}" for section in missing_sections(node, text)
            ]
    return found


@pytest.mark.parametrize("name", modules())
def test_docstrings_have_one_form(name: str) -> None:
    assert faults(name) == []
