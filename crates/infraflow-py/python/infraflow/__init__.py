"""Build your own pipeline for infrastructure code."""

import atexit

from ._errors import DetectError, GitError, InfraflowError, PolicyError, ProofError, SealError, StoreError
from ._infraflow import (
    Change,
    ChangeSet,
    GitDetector,
    GivenFiles,
    Link,
    Opened,
    PlannedCase,
    Reason,
    Repository,
    Sealed,
    SealingKey,
    Shard,
    SharedKeySealer,
    SkippedCase,
    Store,
    TestPlan,
    __version__,
    _shutdown,
    detect,
    detect_async,
)
from ._traits import ChangeDetector

__all__ = [
    "Change",
    "ChangeDetector",
    "ChangeSet",
    "DetectError",
    "GitDetector",
    "GitError",
    "GivenFiles",
    "InfraflowError",
    "Link",
    "Opened",
    "PlannedCase",
    "PolicyError",
    "ProofError",
    "Reason",
    "Repository",
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
    "detect",
    "detect_async",
]

# What is still running when the interpreter exits is told to end, and cleans up what it made.
atexit.register(_shutdown)
