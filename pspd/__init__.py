"""PSP's daemon; this file holds the version only, for the thin client passes through it."""

__version__ = "0.1.0"
