"""The database's history; run as the owner role by `flask db upgrade`."""
