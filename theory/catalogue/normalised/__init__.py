"""Records of N1 to N12."""

from theory.catalogue.normalised import _gradients, _placements, _walks

STATEMENTS = (*_walks.STATEMENTS, *_gradients.STATEMENTS, *_placements.STATEMENTS)
