"""Measurements; each prints ratios against a limit or a peer of the same run."""
