"""What every page shares: guards, headers, errors, filters and forms."""
