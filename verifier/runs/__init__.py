"""Run files: what a run found, as JSON lines that other machines and later versions can read."""
