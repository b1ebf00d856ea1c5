"""Build your own pipeline for infrastructure code."""

import atexit

from ._errors import InfraflowError, PolicyError, ProofError, SealError, StoreError
from ._infraflow import (
    Link,
    Opened,
    PlannedCase,
    Reason,
    Sealed,
    SealingKey,
    Shard,
    SharedKeySealer,
    SkippedCase,
    Store,
    TestPlan,
    __version__,
    _shutdown,
)

__all__ = [
    "InfraflowError",
    "Link",
    "Opened",
    "PlannedCase",
    "PolicyError",
    "ProofError",
    "Reason",
    "SealError",
    "Sealed",
    "SealingKey",
    "Shard",
    "SharedKeySealer",
    "SkippedCase",
    "Store",
    "StoreError",
    "TestPlan",
    "__version__",
]

# What is still running when the interpreter exits is told to end, and cleans up what it made.
atexit.register(_shutdown)
