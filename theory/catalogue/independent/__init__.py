"""Records of I1 to I11."""

from theory.catalogue.independent import _finite_depth, _scaling

STATEMENTS = (*_finite_depth.STATEMENTS, *_scaling.STATEMENTS)
