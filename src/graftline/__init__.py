"""Graftline: the open platform for TCR-T cell-therapy trials, vein to vein."""

__version__ = "0.1.0"
__all__ = ["__version__"]
