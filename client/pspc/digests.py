"""The digest of a file's bytes by which daemon and client know a picture: `image` of a hit."""

from __future__ import annotations

import functools
import hashlib

new_digest = functools.partial(hashlib.blake2b, digest_size=32)
"""BLAKE2b of 32 bytes (RFC 7693), as `pspd.features.extract.image_id_of` takes it."""
