"""The chain engine: walks over many periods and large pools, in seconds (see engine.py)."""

from modeling.engines.chain.engine import NAME, fit, takes

__all__ = ["NAME", "fit", "takes"]
