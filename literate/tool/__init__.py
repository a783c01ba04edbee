"""What tangle.py can do: write, run, where, watch, verify, stitch, lint, and retell."""
