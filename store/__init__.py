"""The floor: files of the home, the warehouse, editions, run history, and the errors every room raises."""
