"""What a fresh clone promises: settings, targets and locks are complete and name no machine."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from supervisor.processes import MIGRATE, PROCESSES
from supervisor.settings import ROOT

PYTHON_LOCKS = (
    "requirements.txt",
    "requirements-kafka.txt",
    "requirements-aws.txt",
    "requirements-dev.txt",
    "requirements-node.txt",
)
FOREIGN_HOSTS = (
    "pypi" + ".org",
    "pythonhosted" + ".org",
    "registry.npmjs" + ".org",
    "deb.debian" + ".org",
)
MACHINE_PATHS = re.compile(r"(?<![\w.])/(?:wor[k]/|roo[t]/\.|tm[p]/(?:pd|bash_job))")
SETTING = re.compile(r"^([A-Z][A-Z0-9_]+)=", re.MULTILINE)


def _tracked() -> Iterator[Path]:
    listed = subprocess.run(
        ["/usr/bin/git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in listed.stdout.split("\0"):
        path = ROOT / name
        if name and path.is_file():
            yield path


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except UnicodeDecodeError:
        return ""


def test_no_tracked_file_names_a_registry_or_a_machine() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {line.strip()[:80]}"
        for path in _tracked()
        for line in _text(path).splitlines()
        if any(host in line for host in FOREIGN_HOSTS) or MACHINE_PATHS.search(line)
    ]
    assert found == []


@pytest.mark.parametrize("name", PYTHON_LOCKS)
def test_every_locked_python_package_carries_hashes(name: str) -> None:
    text = (ROOT / name).read_text()
    blocks = re.split(r"\n(?=[a-z0-9])", text)
    packages = [block for block in blocks if "==" in block.split("\n", 1)[0]]
    assert packages
    assert [block.split("\n", 1)[0] for block in packages if "--hash=sha256:" not in block] == []
    assert "index-url" not in text
    assert "://" not in text


def test_the_lock_of_browser_files_carries_hashes_and_no_address() -> None:
    text = (ROOT / "package-lock.json").read_text()
    assert '"resolved"' not in text
    assert text.count('"integrity": "sha512-') == text.count('"node_modules/')


def test_make_explains_every_target_a_person_would_type() -> None:
    makefile = (ROOT / "Makefile").read_text()
    phony = re.search(r"^\.PHONY: (.*?[^\\])$", makefile, re.MULTILINE | re.DOTALL)
    assert phony is not None
    targets = set(phony.group(1).replace("\\", " ").split()) - {"vendor", "vendor-dev"}
    shown = subprocess.run(
        ["/usr/bin/make", "--no-print-directory"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    explained = {line.split()[0] for line in shown.splitlines() if len(line.split()) > 1}
    assert explained == targets


def _settings_read(path: Path) -> set[str]:
    """Every upper-case name that a settings module asks the environment for."""
    return {
        node.value
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and re.fullmatch(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)*", node.value)
    }


@pytest.mark.requirement("S0-29")
@pytest.mark.parametrize(
    "path", ["webapp/config.py", "sandbox/config.py", "supervisor/settings.py"]
)
def test_the_example_names_every_setting(path: str) -> None:
    known = set(SETTING.findall((ROOT / ".env.example").read_text()))
    values = {"DEBUG", "INFO", "WARNING", "ERROR", "REFUND", "ASK"}
    values |= {"PLAIN", "PLAINTEXT", "SSL", "SASL_SSL"}
    assert _settings_read(ROOT / path) - known - values == set()


def test_every_module_in_the_table_of_processes_exists() -> None:
    words = [row.argv(bind="", port=0, socket_port=0, sandbox_port=0)[1] for row in PROCESSES]
    words.append(MIGRATE.argv()[1])
    ours = [word for word in words if word.split(".")[0] in {"jobs", "sandbox"}]
    for word in ours:
        path = ROOT / word.replace(".", "/")
        assert path.with_suffix(".py").exists() or (path / "__main__.py").exists(), word
    assert set(words) - set(ours) == {"granian", "gunicorn", "flask"}


def test_ci_runs_linters_and_all_tests_without_skips() -> None:
    text = (ROOT / ".ci" / "run").read_text()
    assert "make lint" in text
    assert 'make test ARGS="--no-skips"' in text
    assert (ROOT / ".ci" / "run").stat().st_mode & 0o111
