"""The wire and its server; `wire` is a leaf that the thin client shares."""
