"""Running programs: devices, dtypes, points and what was observed."""
