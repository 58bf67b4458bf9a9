"""What each house rule looks for in a parsed file: (line, what stands there) for every breach."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from tests.architecture.source import ROOT, Breaches, Source, read

LONGEST_FUNCTION = 60
LONGEST_FILE = 400
VAGUE = {"util", "utils", "helper", "helpers", "common", "base", "misc", "manager", "managers"}
NOT_ROOMS = {"kernel", "web", "api", "inbound", "realtime"}
ROOMS = {
    folder.name
    for folder in (ROOT / "webapp").iterdir()
    if (folder / "__init__.py").exists() and folder.name not in NOT_ROOMS
}
CLOCKS = {"datetime": {"now", "utcnow", "today"}, "date": {"today"}, "func": {"now"}} | {
    "time": {"time", "time_ns", "localtime", "gmtime", "ctime", "strftime"}
}
SQL_CLOCK = re.compile(
    r"(?<![\w.])(now|clock_timestamp|statement_timestamp|transaction_timestamp|timeofday)\s*\("
    r"|\bcurrent_(timestamp|date|time)\b",
    re.IGNORECASE,
)
SQL_CHANCE = re.compile(r"(?<![\w.])(random|gen_random_uuid|gen_random_bytes)\s*\(", re.IGNORECASE)
STRAIGHT = re.compile(r"[a-z]'[a-z]|s' ")
SQL_END = re.compile(r"\s*(COMMIT|ROLLBACK|BEGIN|SAVEPOINT)\b", re.IGNORECASE)
SQL_STATUS = re.compile(r"\bUPDATE\b.*\bSET\b.*\bstatus\s*=", re.IGNORECASE | re.DOTALL)
CHANCE = {"random", "uuid", "secrets", "numpy"}
UNSAFE = {"pickle", "marshal", "shelve", "dill", "yaml"}
TYPED = {"text", "execute", "scalar", "scalars", "exec_driver_sql"}
CONSTANT = re.compile(r"_?[A-Z][A-Z0-9_]*")


def committing(source: Source) -> Breaches:
    """A commit or rollback by hand."""
    for call in _calls(source):
        if isinstance(call.func, ast.Attribute) and call.func.attr in {"commit", "rollback"}:
            yield call.lineno, ast.unparse(call)
    yield from _strings(source, SQL_END)


def setting_status(source: Source) -> Breaches:
    """An assignment to a status, by attribute, setattr or UPDATE."""
    for node in source.nodes:
        if isinstance(node, (ast.Assign, ast.AnnAssign, ast.AugAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                if isinstance(target, ast.Attribute) and target.attr == "status":
                    yield node.lineno, ast.unparse(node)
    for call in _calls(source):
        named = {keyword.arg for keyword in call.keywords}
        words = [word.value for word in call.args if isinstance(word, ast.Constant)]
        if _last(call.func) == "setattr" and "status" in words:
            yield call.lineno, ast.unparse(call)
        is_update = _last(call.func) == "values" and "update(" in ast.unparse(call.func)
        if is_update and "status" in named:
            yield call.lineno, ast.unparse(call)
    yield from _strings(source, SQL_STATUS)


def reading_clocks(source: Source) -> Breaches:
    """A clock other than the kernel's (monotonic ones measure, they do not tell the time)."""
    for node in source.nodes:
        if isinstance(node, ast.Attribute) and node.attr in CLOCKS.get(_last(node.value), set()):
            yield node.lineno, ast.unparse(node)
        if isinstance(node, ast.ImportFrom) and node.module == "time":
            for name in node.names:
                if name.name in CLOCKS["time"]:
                    yield node.lineno, ast.unparse(node)
    yield from _strings(source, SQL_CLOCK)


def making_chance(source: Source) -> Breaches:
    """Chance that the kernel did not make."""
    for line, module, _ in _imports(source):
        if module.split(".")[0] in CHANCE:
            yield line, f"imports {module}"
    for node in source.nodes:
        if isinstance(node, ast.Attribute) and ast.unparse(node) == "os.urandom":
            yield node.lineno, "os.urandom"
    yield from _strings(source, SQL_CHANCE)


def building_sql(source: Source) -> Breaches:
    """SQL put together from anything but constants of the module."""
    for call in _calls(source):
        if _last(call.func) in TYPED and call.args and not _is_constant(call.args[0]):
            yield call.lineno, ast.unparse(call)


def trusting_markup(source: Source) -> Breaches:
    """Markup named: what is marked so is not escaped."""
    for line, module, names in _imports(source):
        if module == "markupsafe" and "Markup" in names:
            yield line, "imports Markup"
    for call in _calls(source):
        literal = bool(call.args) and isinstance(call.args[0], ast.Constant)
        if _last(call.func) == "Markup" and not literal:
            yield call.lineno, ast.unparse(call)


def reading_code(source: Source) -> Breaches:
    """A reader that can run what it reads."""
    for line, module, _ in _imports(source):
        if module.split(".")[0] in UNSAFE:
            yield line, f"imports {module}"
    for call in _calls(source):
        if isinstance(call.func, ast.Name) and call.func.id in {"eval", "exec"}:
            yield call.lineno, ast.unparse(call)


def long_functions(source: Source) -> Breaches:
    """A function longer than a screen."""
    for function in source.functions:
        length = (function.end_lineno or function.lineno) - function.lineno + 1
        if length > LONGEST_FUNCTION:
            yield function.lineno, f"{function.name} has {length} lines"


def long_file(source: Source) -> Breaches:
    """A file that should be two."""
    length = len(source.text.splitlines())
    if length > LONGEST_FILE:
        yield length, f"{length} lines"


def vague_name(source: Source) -> Breaches:
    """A file named after nothing."""
    if PurePosixPath(source.name).stem in VAGUE:
        yield 1, source.name


def silent_module(source: Source) -> Breaches:
    """A module that does not open with one sentence."""
    told = ast.get_docstring(source.tree) or ""
    first = told.split("\n\n")[0]
    if "\n" in first or not first.endswith("."):
        yield 1, first or "no docstring"


def passing_by_the_plate(source: Source) -> Breaches:
    """A name taken out of another room that is not on its door plate."""
    own = source.name.split("/")[1] if source.name.startswith("webapp/") else ""
    for line, module, names in _imports(source):
        parts = module.split(".")
        if parts[0] != "webapp" or len(parts) < 2 or parts[1] not in ROOMS - {own}:
            continue
        hidden = names - plate(parts[1])
        if len(parts) > 2 or hidden or not names:
            yield line, f"takes {', '.join(sorted(hidden)) or '*'} from {module}"
    for node in source.nodes:
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            room = node.value.id
            if room in _rooms_in(source) - {own} and node.attr not in plate(room):
                yield node.lineno, ast.unparse(node)


def relating(source: Source) -> Breaches:
    """A relationship that may load what nobody asked for."""
    for call in _calls(source):
        lazy = {word.arg: ast.unparse(word.value) for word in call.keywords}.get("lazy")
        if _last(call.func) in {"relationship", "backref"} and lazy != "'raise'":
            yield call.lineno, ast.unparse(call)


def starting_threads(source: Source) -> Breaches:
    """A thread that a room starts by itself."""
    for call in _calls(source):
        if _last(call.func) in {"Thread", "Timer", "ThreadPoolExecutor", "ProcessPoolExecutor"}:
            yield call.lineno, ast.unparse(call)


def plate(room: str) -> set[str]:
    """Return the names on a room's door plate, empty where it has none."""
    for node in read(f"webapp/{room}/__init__.py").tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return set(ast.literal_eval(node.value))
    return set()


def _rooms_in(source: Source) -> set[str]:
    return {
        name
        for _, module, names in _imports(source)
        if module == "webapp"
        for name in names & ROOMS
    }


def _calls(source: Source) -> Iterator[ast.Call]:
    return (node for node in source.nodes if isinstance(node, ast.Call))


def _imports(source: Source) -> Iterator[tuple[int, str, set[str]]]:
    for node in source.nodes:
        if isinstance(node, ast.ImportFrom) and not node.level:
            yield node.lineno, node.module or "", {name.name for name in node.names}
        if isinstance(node, ast.Import):
            for name in node.names:
                yield node.lineno, name.name, set()


def _strings(source: Source, wanted: re.Pattern[str]) -> Breaches:
    for node in source.nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            found = wanted.search(node.value) if wanted is not SQL_END else wanted.match(node.value)
            if found:
                line = node.lineno + node.value.count("\n", 0, found.start())
                yield line, node.value[found.start() : found.end() + 60].split("\n")[0]


def straight_apostrophes(source: Source) -> Breaches:
    """Sentences, which people read, whose apostrophe is the typewriter's."""
    for node in source.nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = node.value.strip()
            is_sentence = text[:1].isupper() and text.endswith((".", "?")) and " " in text
            if is_sentence and STRAIGHT.search(text):
                yield node.lineno, text


def _last(node: ast.AST) -> str:
    """Return the last word of `a.b.c`, or nothing."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _is_constant(node: ast.AST) -> bool:
    """Whether no value known only at run time is put into a piece of SQL."""
    if isinstance(node, ast.JoinedStr):
        values = [part.value for part in node.values if isinstance(part, ast.FormattedValue)]
        return all(CONSTANT.fullmatch(_last(value)) for value in values) or all(
            _is_sum_of_constants(value) for value in values
        )
    if isinstance(node, ast.BinOp):
        return _is_constant(node.left) and _is_constant(node.right)
    if isinstance(node, ast.Call):
        return _last(node.func) not in {"format", "join", "replace", "format_map"}
    return True


def _is_sum_of_constants(node: ast.AST) -> bool:
    """Whether an expression is built of constants and numbers alone, such as `EXAMPLES + 1`."""
    if isinstance(node, ast.BinOp):
        return _is_sum_of_constants(node.left) and _is_sum_of_constants(node.right)
    return isinstance(node, ast.Constant) or bool(CONSTANT.fullmatch(_last(node)))
