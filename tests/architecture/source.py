"""The product's own Python files, read and parsed once, and findings in them by file and line."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PORTAL = ("webapp", "jobs", "demo")
PRODUCT = (*PORTAL, "sandbox", "supervisor", "migrations", "scripts", "wsgi.py", "conftest.py")
EVERYTHING = (*PRODUCT, "tests", "e2e", "bench", "clients")

#: What a rule gives for each breach: the line, and what stands there.
Breaches = Iterator[tuple[int, str]]


@dataclass(frozen=True)
class Source:
    """One Python file; `name` is its path from the checkout's root."""

    name: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        """The parsed file."""
        return ast.parse(self.text)

    @cached_property
    def nodes(self) -> list[ast.AST]:
        """Every node of the file, its docstrings left out."""
        silent = {id(node) for node in self._docstrings()}
        return [node for node in ast.walk(self.tree) if id(node) not in silent]

    @cached_property
    def functions(self) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
        """Every function and method."""
        kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
        return [node for node in self.nodes if isinstance(node, kinds)]

    def around(self, line: int) -> str:
        """Return the name of the innermost function at `line`, or nothing."""
        names = [
            (function.lineno, function.name)
            for function in self.functions
            if function.lineno <= line <= (function.end_lineno or line)
        ]
        return max(names)[1] if names else ""

    def _docstrings(self) -> Iterator[ast.Constant]:
        kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
        for node in ast.walk(self.tree):
            if isinstance(node, kinds) and node.body and isinstance(node.body[0], ast.Expr):
                told = node.body[0].value
                if isinstance(told, ast.Constant) and isinstance(told.value, str):
                    yield told


@dataclass(frozen=True, slots=True)
class Finding:
    """One breach of a rule, where it stands and what it is."""

    name: str
    line: int
    function: str
    what: str

    def __str__(self) -> str:
        return f"{self.name}:{self.line}: {self.what}"

    @property
    def places(self) -> set[str]:
        """The ways in which an exception may name this place."""
        return {self.name, f"{self.name}:{self.function}"}


def read(name: str) -> Source:
    """Return one file by its path from the root."""
    return Source(name, (ROOT / name).read_text())


@cache
def sources(*roots: str) -> tuple[Source, ...]:
    """Return every Python file below the given folders, or the files named so."""
    if len(roots) == 1:
        place = ROOT / roots[0]
        paths = [place] if place.is_file() else sorted(place.rglob("*.py"))
        return tuple(read(str(path.relative_to(ROOT))) for path in paths)
    return tuple(source for root in roots for source in sources(root))


def findings(source: Source, find: Callable[[Source], Breaches]) -> list[Finding]:
    """Return what a rule finds in one file."""
    return [
        Finding(source.name, line, source.around(line), what.strip()[:90])
        for line, what in find(source)
    ]
