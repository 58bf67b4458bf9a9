"""Starts, watches and stops everything Paydeck runs: its stores, its web, its workers."""
