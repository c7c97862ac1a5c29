"""Edits whose truth is known, tried on the daemon: what `pspc selftest` and the benchmark run.

    pictures ──sampling──▶ Sample ──edits──▶ Edited (bytes, and where the original sits)
                              └────────trial────────▶ Outcome ──figures──▶ Figures
    Figures, misses ──table | document | page──▶ text, JSON, HTML

The one part of the client that imports numpy and Pillow, and none but `pspc selftest` imports it.
"""
