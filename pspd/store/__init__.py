"""The LMDB-backed truth; nothing outside this package imports lmdb."""
