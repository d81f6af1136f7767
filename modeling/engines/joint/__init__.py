"""The joint engine: everything in one dense factor. `engine.py` is its door."""
