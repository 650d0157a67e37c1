"""Coverage: what of the source, and which programs, dtypes and devices, a run has verified; gaps by name."""
