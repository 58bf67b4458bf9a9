"""What browsers load from others: complete, of the locked versions, fetched but once."""

import gzip
import json
import os
import re
import shutil
import subprocess
import sys
from importlib.metadata import files
from pathlib import Path

import pytest

from scripts import run_tests, vendor
from supervisor.settings import ROOT


def test_every_icon_that_is_listed_is_in_the_sprite() -> None:
    sprite = (vendor.TARGET / "icons.svg").read_text()
    assert re.findall(r'<symbol id="([a-z0-9-]+)"', sprite) == vendor.icon_names()
    assert "<script" not in sprite
    assert "style=" not in sprite


def test_every_icon_that_a_page_names_is_listed() -> None:
    named = {
        name
        for path in (ROOT / "templates").rglob("*.html")
        for name in re.findall(r"""\bicon\(\s*["']([a-z0-9-]+)["']""", path.read_text())
    }
    assert named - set(vendor.icon_names()) == set()


def test_the_browsers_charts_are_of_the_version_that_the_server_draws_for() -> None:
    wanted = json.loads((ROOT / "package.json").read_text())["dependencies"]
    bundled = next(path for path in files("plotly") or [] if path.name == "plotly.min.js")
    head = Path(str(bundled.locate())).read_text()[:400]
    assert f"plotly.js v{wanted['plotly.js-basic-dist-min']}" in head


def test_compressed_twins_say_the_same() -> None:
    twins = list(vendor.TARGET.glob("*.gz"))
    assert {twin.name for twin in twins} >= {"icons.svg.gz", "plotly-basic.min.js.gz"}
    for twin in twins:
        assert gzip.decompress(twin.read_bytes()) == twin.with_suffix("").read_bytes()


def test_our_own_styles_and_scripts_have_compressed_twins_too() -> None:
    vendor.main(for_tests=True)
    sources = [path for folder in vendor.OURS for path in folder.iterdir() if path.suffix != ".gz"]
    assert {path.suffix for path in sources} == {".css", ".js"}
    for path in sources:
        assert gzip.decompress(path.with_name(f"{path.name}.gz").read_bytes()) == path.read_bytes()


def test_a_twin_follows_its_file_when_that_changes_goes_back_or_goes(tmp_path: Path) -> None:
    style = tmp_path / "a.css"
    twin = tmp_path / "a.css.gz"
    for moment, text in ((2_000, b"second"), (3_000, b"third"), (1_000, b"first")):
        style.write_bytes(text)
        os.utime(style, (moment, moment))
        vendor.compress(tmp_path)
        assert gzip.decompress(twin.read_bytes()) == text
    written = twin.stat().st_ino
    vendor.compress(tmp_path)
    assert twin.stat().st_ino == written
    style.unlink()
    vendor.compress(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_second_call_touches_nothing() -> None:
    vendor.main(for_tests=True)
    before = {path: path.stat().st_mtime_ns for path in vendor.TARGET.rglob("*")}
    vendor.main(for_tests=True)
    assert {path: path.stat().st_mtime_ns for path in vendor.TARGET.rglob("*")} == before


def test_without_a_network_one_sentence_says_what_to_do(tmp_path: Path) -> None:
    for name in ("package.json", "package-lock.json", ".npmrc", "requirements-node.txt"):
        shutil.copy(ROOT / name, tmp_path / name)
    shutil.copytree(ROOT / "scripts", tmp_path / "scripts")
    (tmp_path / "static").mkdir()
    dead = "http://127.0.0.1:9/"
    failed = subprocess.run(
        [sys.executable, "scripts/vendor.py"],
        cwd=tmp_path,
        env={
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "HOME": str(tmp_path),
            "npm_config_registry": dead,
            "npm_config_cache": str(tmp_path / "cache"),
            "npm_config_fetch_retries": "0",
            "PIP_INDEX_URL": dead,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert failed.returncode == 1
    assert "connect to the network" in failed.stderr or "install npm" in failed.stderr
    assert "Traceback" not in failed.stderr
    assert not (tmp_path / "static" / "vendor").exists()


def test_a_browser_that_is_named_is_the_one_that_is_used() -> None:
    assert run_tests.find_browser({"CHROMIUM": "/somewhere/chromium"}) == "/somewhere/chromium"


def test_without_a_browser_the_rest_runs_and_the_end_names_the_mending_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ran: list[str] = []

    def note(folder: str, _env: object, _extra: object) -> int:
        ran.append(folder)
        return 0

    monkeypatch.setattr(run_tests, "find_browser", lambda _env: None)
    monkeypatch.setattr(run_tests, "_pytest", note)
    monkeypatch.setattr(run_tests, "_kept", note)
    assert run_tests.main([]) != 0
    assert ran == ["tests", "tests/setup"]
    assert "apt-get install chromium" in capsys.readouterr().err
