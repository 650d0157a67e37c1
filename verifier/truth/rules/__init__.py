"""Tables of primitive rules: what each primitive does, in any number system."""
