"""The traits of the core that a Python class can implement."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from ._infraflow import ChangeSet, Repository

__all__ = ["ChangeDetector", "CredentialProvider"]


class ChangeDetector(Protocol):
    """Tells what changed between two revisions.

    1. It writes nothing, runs no code of the repository, and uses no network.
    2. The same repository, base and head give the same answer.
    3. Files are compared with those of the merge base, or the change set's `merge_base` says with what.
    4. Changes are sorted by path, and each path stands once. A renamed file is one change, with both paths.
    5. No change is left out because it could not be understood. Where an answer cannot be trusted, raise;
       where it is only unusual, warn in the change set.
    6. `base` is a commit; `head` may be the working tree (`…+WORKTREE`).

    `detect` is called in a thread of the extension; a coroutine runs on the loop of whoever awaits
    `detect_async`. What it raises comes out of the call that used it.
    """

    def detect(self, repository: Repository, base: str, head: str) -> ChangeSet | Awaitable[ChangeSet]: ...


class CredentialProvider(Protocol):
    """Hands out credentials, as the environment in which a tool runs.

    1. It is asked when a step starts, never ahead of it. It observes: it may use the network.
    2. What it returns is everything that the tool's process sees: put `PATH` and `HOME` in, and not a copy of
       your own environment.
    3. Sealing keys, signing keys and the CI system's own token service are never in it.
    4. What is handed out for one environment and purpose is good for no other, where you can see to that.
    5. The message of what it raises holds no secret.

    `credentials` is called in a thread of the extension; a coroutine runs on the loop of whoever awaits.
    """

    def credentials(
        self, environment: str, purpose: Literal["test", "plan", "apply"]
    ) -> Mapping[str, str] | Awaitable[Mapping[str, str]]: ...
