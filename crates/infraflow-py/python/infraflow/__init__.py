"""Build your own pipeline for infrastructure code."""

from ._infraflow import InfraflowError, __version__

__all__ = ["InfraflowError", "__version__"]
