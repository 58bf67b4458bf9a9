"""Runs all tests: finds or fetches a browser, then tests/ on two processes, whole copies on one."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
#: These start and kill whole copies, or share one: each has the machine to itself.
WHOLE_COPIES = "tests/setup"
JOURNEYS = "e2e"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def main(extra: list[str]) -> int:
    """Run both parts with `extra` given to pytest; 0 only when everything ran and passed."""
    env = dict(os.environ)
    browser = find_browser(env)
    if browser:
        env["CHROMIUM"] = browser
    outcomes = [_pytest(folder, env, extra) for folder in ("tests", WHOLE_COPIES)]
    if browser is not None:
        outcomes.append(_pytest(JOURNEYS, env, extra))
    else:
        print(
            "The journeys in e2e/ did not run: there is no browser. Mend it with "
            "`apt-get install chromium`, or set CHROMIUM to one.",
            file=sys.stderr,
        )
        outcomes.append(1)
    return next((code for code in outcomes if code), 0)


def _pytest(folder: str, env: Mapping[str, str], extra: list[str]) -> int:
    """The exit code of one pytest run; a folder without tests is a failure, not a success."""
    words = [folder]
    if folder == "tests":
        words += [f"--ignore={WHOLE_COPIES}", "-n", "2", "--dist", "loadgroup"]
    return _run(["-q", *words, *extra], env)


def _run(words: list[str], env: Mapping[str, str]) -> int:
    command = [sys.executable, "-m", "pytest", *words]
    return subprocess.run(command, cwd=ROOT, env=dict(env), check=False).returncode


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
