"""Checking any JAX function: its programs, their rules and their numbers against a truth that germs establish."""
