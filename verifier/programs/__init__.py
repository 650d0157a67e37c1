"""JAX programs: those that compute derivatives, and the listings of a source."""
