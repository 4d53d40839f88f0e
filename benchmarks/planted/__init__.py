"""Bugs of the kinds that maintainers make, planted one at a time: each must fail the tests that it names."""
