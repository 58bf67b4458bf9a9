"""A browser in a few words, for the list of one's own sessions."""

from __future__ import annotations

from flask import request

from webapp.accounts import Device

BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
)
SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)


def describe(user_agent: str) -> str:
    """Return words such as `Firefox on Linux` for a browser's own name of itself."""
    browser = next((word for mark, word in BROWSERS if mark in user_agent), None)
    system = next((word for mark, word in SYSTEMS if mark in user_agent), None)
    if browser and system:
        return f"{browser} on {system}"
    return browser or system or "An unknown browser"


def this_device() -> Device:
    """Return from where the present request comes."""
    return Device(words=describe(request.user_agent.string), address=request.remote_addr or "")
