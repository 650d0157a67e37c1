"""Formulas: read safely, differentiated by SymPy and the chain rule, evaluated in any number system, run, shown."""
