"""The entry point: `recto` and `python -m recto`."""
