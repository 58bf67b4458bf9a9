"""The doors that people open with a browser."""
