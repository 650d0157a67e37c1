"""`python -m verifier` is the command `verifier`."""

from verifier.cli import main

if __name__ == "__main__":  # a spawned worker imports this module, too
    main(prog_name="verifier")
