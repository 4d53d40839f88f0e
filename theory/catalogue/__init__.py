"""
The theorems that this project verifies: what each says, when, its source and the functions that compute it.

`THEOREMS` holds a record a statement; `find_theorem` looks one up, `applicable` asks which of them hold for a
network, described by `Facts`. `CLAIMS` says what publications claim of the same things, and `state_of_theory`
writes it as a page. Ids with a letter at the end complete the statement before them.
"""

from theory.catalogue._blocks import BLOCKS as BLOCKS
from theory.catalogue._blocks import blocks_of as blocks_of
from theory.catalogue._catalogue import THEOREMS as THEOREMS
from theory.catalogue._catalogue import applicable as applicable
from theory.catalogue._catalogue import find_theorem as find_theorem
from theory.catalogue._facts import TRAITS as TRAITS
from theory.catalogue._facts import Facts as Facts
from theory.catalogue._facts import TokenFacts as TokenFacts
from theory.catalogue._facts import Traits as Traits
from theory.catalogue._facts import WeightFacts as WeightFacts
from theory.catalogue._state import RELATIONS as RELATIONS
from theory.catalogue._state import claim_counts as claim_counts
from theory.catalogue._state import state_of_theory as state_of_theory
from theory.catalogue._table import markdown_table as markdown_table
from theory.catalogue._theorem import Hypothesis as Hypothesis
from theory.catalogue._theorem import Resolution as Resolution
from theory.catalogue._theorem import Theorem as Theorem
from theory.catalogue.claims import CLAIMS as CLAIMS
from theory.catalogue.claims._claim import Claim as Claim
from theory.catalogue.claims._claim import Paper as Paper
