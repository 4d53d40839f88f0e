"""*State of the theory*: the claims of the catalogue as a page of Markdown, a row a claim."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from theory.catalogue._catalogue import THEOREMS
from theory.catalogue.claims import CLAIMS
from theory.catalogue.claims._claim import Claim

_CHAPTERS = {
    "I": "Independent layers", "S": "Diffusion limits and wide networks", "C": "Several inputs",
    "J": "Jacobians and gradients of any network", "O": "Smooth weights", "F": "Fractional weights",
    "N": "Normalised blocks", "G": "Schedules, factors of the stream and hidden widths",
    "P": "Post-activation blocks", "T": "Tokens and attention",
}  # fmt: skip
"""First letter of an id to the heading of its claims, in the page's order."""

RELATIONS = {
    "tests": "our statement is the claim itself, held against networks",
    "proves": "observed or argued there, proved here",
    "sharpens": "a constant, a rate, a law or a finite size is ours",
    "corrects": "fails outside a hypothesis that the claim does not name",
    "new": "claimed by nobody that we know",
}
"""What a statement does with a claim, in words."""

_BASES = {
    "abstract": "abstract", "text": "its text", "result": "a result of it, as commonly cited",
    "classical": "classical",
}  # fmt: skip


def state_of_theory(verdicts: Mapping[str, str], proofs: Mapping[str, str]) -> str:
    """
    Return the claims as tables of Markdown, one a chapter.

    Parameters
    ----------
    verdicts : mapping of str to str
        Id of a theorem to what its networks say; theorems that are missing have no stored verdict.
    proofs : mapping of str to str
        Id of a theorem to the address of its proof.

    Returns
    -------
    str
        Markdown, headings of the second level, a row a claim.

    Examples
    --------
    >>> page = state_of_theory({"I1": "consistent to 1 %"}, {"I1": "independent.md#proof-i1"})
    >>> "consistent to 1 %" in page, "[proof](independent.md#proof-i1)" in page
    (True, True)
    """
    parts = [claim_counts(CLAIMS), ""]
    for letter, title in _CHAPTERS.items():
        rows = [claim for claim in CLAIMS if claim.theorem[0] == letter]
        if not rows:
            continue
        parts += [f"## {title}", "", "| claim | hypotheses | ours | networks |", "| --- | --- | --- | --- |"]
        parts += [_row(claim, verdicts, proofs) for claim in sorted(rows, key=_place)]
        parts.append("")
    return "\n".join(parts)


def claim_counts(claims: Iterable[Claim]) -> str:
    """
    Return in one sentence how many claims of how many publications end how.

    Parameters
    ----------
    claims : iterable of Claim

    Returns
    -------
    str

    Examples
    --------
    >>> claim_counts([])
    '0 claims of 0 publications.'
    """
    chosen = list(claims)
    published = [claim for claim in chosen if claim.paper is not None]
    papers = {claim.paper for claim in published}
    said = [f"{sum(c.relation == word for c in chosen)} {word}" for word in RELATIONS if word != "new"]
    new = len(chosen) - len(published)
    text = f"{len(published)} claims of {len(papers)} publications"
    if not chosen:
        return f"{text}."
    return f"{text}, of which our statements do the following: {', '.join(said)}; and {new} claims are new."


def _place(claim: Claim) -> int:
    return list(THEOREMS).index(claim.theorem)


def _row(claim: Claim, verdicts: Mapping[str, str], proofs: Mapping[str, str]) -> str:
    theorem = THEOREMS[claim.theorem]
    ours = "; ".join(hypothesis.text for hypothesis in theorem.hypotheses)
    theirs = f"*Theirs:* {claim.theirs}. " * bool(claim.theirs)
    said = f"**{claim.relation}** ({theorem.id}, {theorem.title}): {claim.ours}"
    if theorem.id in proofs:
        said += f" [proof]({proofs[theorem.id]})"
    cells = (
        f"{claim.says} {_by(claim)}".rstrip(),
        f"{theirs}*Ours:* {ours}.",
        said,
        f"{verdicts.get(theorem.id, 'no stored verdict')}; `largedepth verify {theorem.id}`",
    )
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _by(claim: Claim) -> str:
    if claim.paper is None:
        return ""
    paper = claim.paper
    source = f"{paper.authors} {paper.year}, *{paper.title}*"
    if paper.arxiv:
        source += f", [arXiv:{paper.arxiv}](https://arxiv.org/abs/{paper.arxiv})"
    return f"({source}; {_BASES[claim.basis]})"
