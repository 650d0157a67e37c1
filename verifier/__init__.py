"""Verify derivatives with proof: certified truth, no tolerances.

Importing this package is cheap: neither JAX, SymPy nor FLINT is loaded until something is verified.
"""

__version__ = "0.1.0"
