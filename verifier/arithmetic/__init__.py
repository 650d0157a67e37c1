"""Number systems: floating-point formats, balls and germs, and the one table of scalar functions over them."""
