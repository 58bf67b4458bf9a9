"""The command `paydeck`: hear events at home, make them happen, send them again, watch the log."""
