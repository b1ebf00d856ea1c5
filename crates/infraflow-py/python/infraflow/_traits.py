"""The traits of the core that a Python class can implement."""

from __future__ import annotations

from collections.abc import Awaitable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from ._infraflow import ChangeSet, Facts, Repository

__all__ = ["ChangeDetector", "CredentialProvider", "Dialect"]


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


class Dialect(Protocol):
    """A language of infrastructure code: which files it reads, and what a single file states.

    1. Its answers depend on what it is given alone; nothing is run, and neither the file system nor the network is
       looked at.
    2. Which files it reads is told by `claims`: patterns of paths, each with a role (`configuration`, `test`, `values`,
       `automatic_values`, `lock`, `tool_version`), or `None` for "not this one". The first that matches decides.
    3. `facts` is called with files that it claims, in any order, thousands at once, and from several threads.
    4. The same `name`, `version`, file name and bytes give the same facts, today and tomorrow: they are kept under
       these. Raise `version` when they change.
    5. A file that cannot be understood is never an empty answer: `Facts.unparsable` says why.
    6. `facts` answers for each file by itself, in the order in which they were given; `None` states nothing.
    7. With `includes = True`, files that are included are read too: those of references of the kind `include` with a
       constant path. For more, write `resolve(directory, files, lookup)`, which is called for each directory and gives
       the `Facts` that its files state only together with others, looked at through `lookup`.
    8. What it raises comes out of the call that used it; nothing is kept then.
    9. Places are told with `Lines(content).place(start, end)`, in bytes.

    `check_dialect` holds a dialect against these numbers.
    """

    @property
    def name(self) -> str: ...
    @property
    def version(self) -> int: ...
    @property
    def claims(self) -> Mapping[str, str | None]: ...
    def facts(self, files: Sequence[tuple[str, bytes]]) -> Iterable[Facts | None]: ...


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
