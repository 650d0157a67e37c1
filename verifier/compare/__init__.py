"""What changed between two runs: read from their run files alone."""
