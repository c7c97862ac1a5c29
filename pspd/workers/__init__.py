"""Untrusted files in, features out: worker processes with limits, and the pool that lends them.

Nothing is imported here, for a worker process passes through on its way to `process`.
"""
