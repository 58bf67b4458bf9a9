"""Plug-ins that every test run has, whatever part of the tests it runs."""

pytest_plugins = ["tests.plugins.no_skips"]
