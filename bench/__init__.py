"""How fast it is, as ratios against a limit measured in the same run."""
