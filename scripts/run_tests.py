"""Runs all tests: tests/ on two processes, then those of whole copies beside the journeys."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parent.parent
#: These start and kill whole copies, and wait for them most of the time, as the journeys do.
WHOLE_COPIES = "tests/setup"
JOURNEYS = "e2e"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def main(extra: list[str]) -> int:
    """Run both parts with `extra` given to pytest; 0 only when everything ran and passed."""
    env = dict(os.environ)
    browser = find_browser(env)
    if browser:
        env["CHROMIUM"] = browser
    outcomes = [_pytest("tests", env, extra)]
    with ThreadPoolExecutor() as beside:
        copies = beside.submit(_kept, WHOLE_COPIES, env, extra)
        outcomes.append(_journeys(browser, env, extra))
        outcomes.append(copies.result())
    return next((code for code in outcomes if code), 0)


def _journeys(browser: str | None, env: Mapping[str, str], extra: list[str]) -> int:
    """The exit code of the journeys; without a browser they failed."""
    if browser is not None:
        return _pytest(JOURNEYS, env, extra)
    print(
        "The journeys in e2e/ did not run: there is no browser. Mend it with "
        "`apt-get install chromium`, or set CHROMIUM to one.",
        file=sys.stderr,
    )
    return 1


def _pytest(folder: str, env: Mapping[str, str], extra: list[str]) -> int:
    """The exit code of one pytest run; a folder without tests is a failure, not a success."""
    words = [folder]
    if folder == "tests":
        words += [f"--ignore={WHOLE_COPIES}", "-n", "2"]
        # Whole files, so that what a file prepares is prepared once; in their own order.
        words += ["--dist", "loadfile", "--no-loadscope-reorder"]
    return _run(["-q", *words, *extra], env)


def _kept(folder: str, env: Mapping[str, str], extra: list[str]) -> int:
    """Run one folder beside another, and print what it said when it is over."""
    with tempfile.TemporaryFile("w+") as said:
        code = _run(["-q", folder, *extra], env, said)
        said.seek(0)
        sys.stdout.write(said.read())
        sys.stdout.flush()
    return code


def _run(words: list[str], env: Mapping[str, str], told: IO[str] | None = None) -> int:
    command = [sys.executable, "-m", "pytest", *words]
    done = subprocess.run(command, cwd=ROOT, env=dict(env), check=False, stdout=told, stderr=told)
    return done.returncode


def find_browser(env: Mapping[str, str]) -> str | None:
    """The browser's program; "" for Playwright's own; None when there is none to be had."""
    if env.get("CHROMIUM"):
        return env["CHROMIUM"]
    found = _on_path()
    if found:
        return found
    apt = shutil.which("apt-get")
    if os.geteuid() == 0 and apt:
        print("Installing chromium …", flush=True)
        quiet = {**env, "DEBIAN_FRONTEND": "noninteractive"}
        for words in (["update", "-qq"], ["install", "-y", "-qq", "chromium"]):
            subprocess.run([apt, *words], env=quiet, check=False, stdout=subprocess.DEVNULL)
        found = _on_path()
        if found:
            return found
    print("Fetching Playwright's own browser …", flush=True)
    fetched = subprocess.run(
        [sys.executable, "-m", "playwright", "install", "chromium"], check=False
    )
    return "" if fetched.returncode == 0 else None


def _on_path() -> str | None:
    return next((place for name in BROWSERS if (place := shutil.which(name))), None)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
