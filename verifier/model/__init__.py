"""The data that travels between stages: frozen, plain, free of JAX, FLINT and SymPy objects."""
