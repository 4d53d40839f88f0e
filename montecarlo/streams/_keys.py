"""Who owns which numbers: the key of a run and the roles of the streams inside a replica.

The numbers of a replica are a function of (seed, stream digest, replica, layer, role, position). The *stream
digest* is a hash of those fields of a specification that fix the shape and the law of the weights; depth,
scaling, activation and bias are left out on purpose. Two specifications that differ only in these share their
weights layer by layer (common random numbers): the difference of their outputs has far less noise than
either, and a network of depth 2L begins with the network of depth L. Take another seed where independence is
wanted.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

STREAM_FORMAT = 1
"""Raised whenever the same seed would give other numbers."""

LAYER_LIMIT = 1 << 28
"""Layers a role can address: the counter's second word holds ``layer | role << 28``."""

ROLE_V = 0
ROLE_W = 1
ROLE_BIAS = 2
ROLE_EMBEDDING = 3
ROLE_INPUT = 4
ROLE_READOUT = 5
# The Gaussian engine draws images of matrices instead of matrices; it shares the input x alone with the
# dense engine.
ROLE_IMAGE_W = 6
ROLE_IMAGE_V = 7
ROLE_TRANSPOSE_V = 8
ROLE_TRANSPOSE_W = 9
ROLE_IMAGE_BIAS = 10
ROLE_IMAGE_START = 11
# The radial engine draws Gram entries: normals from one role, uniforms and binomials from the other.
ROLE_RADIAL_NORMALS = 12
ROLE_RADIAL_WORDS = 13
ROLE_IMAGE_READOUT = 14
# Transformers have a key of their own, and roles under it.
TOKENS_START = 0
TOKENS_PATCH = 1
TOKENS_TANGENT = 2
TOKENS_RELATIVE = 3
TOKENS_QUERY = 4
TOKENS_KEY = 5
TOKENS_KEY_CHI = 6
TOKENS_VALUE = 7
TOKENS_VALUE_CHI = 8
TOKENS_OUTPUT = 9
TOKENS_UP = 10
TOKENS_GATE = 11
TOKENS_DOWN = 12


def derive_key(seed: int, fields: Mapping[str, object]) -> tuple[int, int]:
    """Return the Philox key (two 32-bit words) of a seed and the fields that shape the stream.

    Parameters
    ----------
    seed : int
        Any non-negative integer.
    fields : mapping
        JSON-serialisable; hashed in canonical form (sorted keys, no blanks).

    Examples
    --------
    >>> derive_key(7, {"width": 40}) == derive_key(7, {"width": 40})
    True
    >>> derive_key(7, {"width": 40}) == derive_key(8, {"width": 40})
    False
    """
    record = {"format": STREAM_FORMAT, "seed": seed, "fields": dict(fields)}
    text = json.dumps(record, sort_keys=True, separators=(",", ":"))
    digest = hashlib.sha256(text.encode()).digest()
    return int.from_bytes(digest[0:4], "little"), int.from_bytes(digest[4:8], "little")
