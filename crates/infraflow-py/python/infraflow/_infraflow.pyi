from typing import Final

__all__ = ["InfraflowError", "__version__"]

__version__: Final[str]

class InfraflowError(Exception):
    """Something could not be done. The message says what, to what, why, and what to do about it."""
