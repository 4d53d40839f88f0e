"""`Bug`: one wrong edit of one file, and the tests that must notice it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Bug:
    """A planted bug.

    Parameters
    ----------
    file : str
        The file, from the root of the repository.
    old, new : str
        A text that the file has exactly once, and what stands in its place.
    tests : tuple of str
        Test files or test ids that must fail with it.
    seen : str
        What a user would have seen.
    """

    file: str
    old: str
    new: str
    tests: tuple[str, ...]
    seen: str
