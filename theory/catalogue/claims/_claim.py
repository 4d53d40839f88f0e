"""`Paper` and `Claim`: who claims what, how we know, and what our statement does with it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

Basis = Literal["abstract", "text", "result", "classical", "none"]
Relation = Literal["tests", "proves", "sharpens", "corrects", "new"]


@dataclass(frozen=True)
class Paper:
    """A publication.

    Attributes
    ----------
    authors : str
        Family names, as in a citation in brackets.
    year : int
        Of the journal or conference, of the preprint where there is neither.
    title : str
        Its title.
    arxiv : str, default ""
        Identifier without "arXiv:"; empty where it has none or we do not know it.
    """

    authors: str
    year: int
    title: str
    arxiv: str = ""

    @property
    def citation(self) -> str:
        """Authors, year and arXiv identifier."""
        return f"{self.authors} {self.year}" + f", arXiv:{self.arxiv}" * bool(self.arxiv)


@dataclass(frozen=True, kw_only=True)
class Claim:
    """What a paper says of the matter of a theorem, and what the theorem does with it.

    Attributes
    ----------
    theorem : str
        Id of the theorem.
    paper : Paper or None
        None where no publication that we know says anything of the kind.
    says : str
        The paper's claim in our words, never a quotation; for a claim of our own, what is new.
    basis : {"abstract", "text", "result", "classical", "none"}
        How we know: the abstract says so, and was read beside this row; so does the paper's text; as a result
        of it is commonly cited, from memory, neither read for this row; from textbooks; nothing to know.
    theirs : str
        The hypotheses of the paper, as far as the basis tells them.
    relation : {"tests", "proves", "sharpens", "corrects", "new"}
        "tests": ours is the paper's statement, held against networks. "proves": the paper observes or argues,
        ours has a proof. "sharpens": ours has a constant, a rate, a law or a finite size that theirs has not.
        "corrects": the claim, read without a hypothesis that it does not name, fails; `ours` says which and
        by how much. "new": nobody that we know claims it.
    ours : str
        What our statement adds, with the numbers.
    """

    theorem: str
    paper: Paper | None
    says: str
    basis: Basis
    theirs: str
    relation: Relation
    ours: str

    def record(self) -> dict[str, Any]:
        """Return the claim as plain values for JSON."""
        plain = {name: getattr(self, name) for name in self.__dataclass_fields__}
        plain["paper"] = None if self.paper is None else asdict(self.paper)
        return plain
