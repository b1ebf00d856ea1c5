# Stubs of the extension, held against it by `python -m mypy.stubtest infraflow`.
import os
import pathlib
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from typing import Any, Final, Literal, TypeVar, final

from typing_extensions import Self

from ._traits import ChangeDetector, CredentialProvider, Dialect

__all__ = [
    "AffectedCase",
    "AffectedModule",
    "AffectedStackUnit",
    "AffectedUnit",
    "AllowedSigners",
    "Answered",
    "BranchAge",
    "BudgetUse",
    "BumpEdit",
    "BumpPlan",
    "BumpTarget",
    "Bumped",
    "Case",
    "Catalog",
    "CatalogCache",
    "Change",
    "ChangeSet",
    "Configuration",
    "Contents",
    "ContentsOf",
    "Counts",
    "Disagreement",
    "Drift",
    "DriftReport",
    "DryRun",
    "DryRunOutcome",
    "DryRunPlan",
    "Endpoints",
    "Event",
    "FactReference",
    "Facts",
    "Flaky",
    "GitDetector",
    "GivenFiles",
    "Graph",
    "GreenRun",
    "History",
    "Identity",
    "Impact",
    "InterfaceChange",
    "LeftAlone",
    "Lines",
    "Link",
    "Lookup",
    "Mark",
    "Module",
    "ModuleCall",
    "ModuleTags",
    "Nature",
    "NotPublished",
    "Opened",
    "OpenedItem",
    "Opening",
    "OutputChange",
    "Place",
    "PlanSummary",
    "PlannedCase",
    "PlannedUnit",
    "Policy",
    "PublishPlan",
    "Published",
    "PublishedItem",
    "Quarantined",
    "Reach",
    "Reached",
    "Reason",
    "RecordedRun",
    "Redacted",
    "Redaction",
    "RedactionReport",
    "Reference",
    "Release",
    "ReleasePlan",
    "Released",
    "ReleasedCommit",
    "ReleasedTag",
    "RenamedUnit",
    "Repository",
    "ResourceChange",
    "Ruled",
    "Scaffold",
    "Scope",
    "Sealed",
    "SealingKey",
    "SecretRedactor",
    "Shard",
    "SharedKeySealer",
    "SigningKey",
    "SkippedCase",
    "SkippedReference",
    "SkippedUnit",
    "StateVersion",
    "StepGraph",
    "StepSpec",
    "Store",
    "StorePublisher",
    "Tag",
    "TerraformBumper",
    "TerraformDryRunner",
    "TestPlan",
    "Unit",
    "UnitArtefacts",
    "UnitDrift",
    "UnitDryRun",
    "UnitPublishPlan",
    "UnitPublished",
    "Unparsable",
    "Unreleased",
    "Why",
    "Width",
    "_Job",
    "__version__",
    "_shutdown",
    "check_change_detector",
    "check_dialect",
    "detect",
    "detect_async",
    "dot",
    "drift_report",
    "graph",
    "impact",
    "mermaid",
    "nature",
    "nightly",
    "observe_tags",
    "observe_tags_async",
    "open_log",
    "open_log_async",
    "openings",
    "plan_summary",
    "reach",
    "scope",
    "select",
    "standard_dialects",
    "steps",
    "tell_renames",
    "why",
]

__version__: Final[str]

_T = TypeVar("_T")
_Awaited = Coroutine[Any, Any, _T]
_Path = str | os.PathLike[str]
_list = list

# --- What every class of data has (a base in these stubs only) -----------------------------------------------

class _Data:
    @classmethod
    def from_json(cls, text: str) -> Self: ...
    def to_json(self) -> str: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

class _Document(_Data):
    schema_version: Final[int]
    @property
    def digest(self) -> str: ...

# --- Reasons -------------------------------------------------------------------------------------------------

@final
class Reason(_Data):
    def __new__(cls, *, rule: str, text: str, chain: Sequence[Link], links_left_out: int = 0) -> Self: ...
    @property
    def rule(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def chain(self) -> tuple[Link, ...]: ...
    @property
    def links_left_out(self) -> int: ...

@final
class Link(_Data):
    def __new__(
        cls, *, path: str, start: int, end: int, line: int, column: int, reference: str
    ) -> Self: ...
    @property
    def path(self) -> str: ...
    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...
    @property
    def line(self) -> int: ...
    @property
    def column(self) -> int: ...
    @property
    def reference(self) -> str: ...

# --- What happens ---------------------------------------------------------------------------------------------

@final
class Event(_Data):
    def __new__(cls, *, stage: str, subject: str, happening: str | dict[str, Any]) -> Self: ...
    @property
    def stage(self) -> str: ...
    @property
    def subject(self) -> str: ...
    @property
    def happening(self) -> str | dict[str, Any]: ...

_Observer = Callable[[Event], object]

# --- Repositories ----------------------------------------------------------------------------------------------

@final
class Repository:
    def __new__(cls, path: _Path = ".") -> Self: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    @property
    def root(self) -> pathlib.Path: ...
    @staticmethod
    def clone(url: str, path: _Path, *, branch: str | None = None) -> Repository: ...
    def fetch(self, remote: str = "origin") -> None: ...
    def branches(self) -> dict[str, str]: ...
    def tags(self) -> dict[str, str]: ...
    def trunk(self) -> str: ...
    def trunk_tip(self) -> str: ...
    def resolve(self, revision: str) -> str: ...
    def revision(self, revision: str) -> str: ...
    def merge_base(self, one: str, other: str, *, deepen: bool = False, remote: str = "origin") -> str: ...
    def files(self, revision: str, *, below: str = ".") -> tuple[str, ...]: ...
    def read(self, revision: str, path: str) -> bytes | None: ...

# --- Configuration and policy ---------------------------------------------------------------------------------

@final
class Configuration:
    def __new__(cls) -> Self: ...
    @staticmethod
    def parse(text: str, *, origin: str = "infraflow.toml") -> Configuration: ...
    @staticmethod
    def read(repository: Repository, revision: str) -> Configuration: ...
    @staticmethod
    def read_file(path: _Path) -> Configuration: ...

@final
class Policy:
    @staticmethod
    def read(repository: Repository, revision: str | None = None) -> Policy: ...
    @staticmethod
    def of(configuration: Configuration, *, signers: str = "") -> Policy: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    @property
    def digest(self) -> str: ...
    @property
    def promotion_order(self) -> tuple[tuple[str, ...], ...]: ...
    @property
    def signers(self) -> tuple[str, ...]: ...
    def environment_of(self, path: str) -> str | None: ...

# --- What changed ----------------------------------------------------------------------------------------------

_Comparison = Literal["merge_base", "endpoints"]
_ChangeKind = Literal["added", "modified", "deleted", "renamed", "type_changed", "mode_changed"]

@final
class ChangeSet(_Document):
    kind: Final = "change_set"
    def __new__(
        cls,
        *,
        base: str,
        head: str,
        merge_base: str,
        changes: Sequence[Change],
        warnings: Sequence[str],
    ) -> Self: ...
    @property
    def base(self) -> str: ...
    @property
    def head(self) -> str: ...
    @property
    def merge_base(self) -> str: ...
    @property
    def changes(self) -> tuple[Change, ...]: ...
    @property
    def warnings(self) -> tuple[str, ...]: ...

@final
class Change(_Data):
    def __new__(cls, *, path: str, kind: _ChangeKind, old_path: str | None = None) -> Self: ...
    @property
    def path(self) -> str: ...
    @property
    def kind(self) -> _ChangeKind: ...
    @property
    def old_path(self) -> str | None: ...

@final
class Endpoints(_Data):
    def __new__(
        cls,
        *,
        base: str,
        base_from: str,
        head: str,
        head_from: str,
        comparison: _Comparison,
        notes: Sequence[str],
    ) -> Self: ...
    @property
    def base(self) -> str: ...
    @property
    def base_from(self) -> str: ...
    @property
    def head(self) -> str: ...
    @property
    def head_from(self) -> str: ...
    @property
    def comparison(self) -> _Comparison: ...
    @property
    def notes(self) -> tuple[str, ...]: ...
    @staticmethod
    def from_environment(repository: Repository, variables: Mapping[str, str] | None = None) -> Endpoints: ...
    @staticmethod
    def from_trunk(repository: Repository) -> Endpoints: ...
    def with_working_tree(self) -> Endpoints: ...
    def with_comparison(self, comparison: _Comparison) -> Endpoints: ...
    def detect(self, repository: Repository) -> ChangeSet: ...

@final
class GitDetector:
    def __new__(cls, *, endpoints: bool = False, copies: bool = False) -> Self: ...
    def detect(self, repository: Repository, base: str, head: str) -> ChangeSet: ...

@final
class GivenFiles:
    def __new__(cls, files: Iterable[str] | bytes) -> Self: ...
    def detect(self, repository: Repository, base: str, head: str) -> ChangeSet: ...

def detect(
    repository: Repository,
    base: str | None = None,
    head: str = "HEAD",
    *,
    detector: ChangeDetector | None = None,
) -> ChangeSet: ...
def detect_async(
    repository: Repository,
    base: str | None = None,
    head: str = "HEAD",
    *,
    detector: ChangeDetector | None = None,
) -> _Awaited[ChangeSet]: ...
def check_change_detector(
    detector: ChangeDetector, repository: Repository, base: str, head: str
) -> tuple[str, ...]: ...

# --- What is there --------------------------------------------------------------------------------------------

_Node = dict[Literal["file", "module", "unit", "case", "external"], str]

@final
class Catalog:
    @staticmethod
    def build(
        repository: Repository,
        revision: str = "HEAD",
        *,
        configuration: Configuration | None = None,
        policy: Policy | None = None,
        live: Sequence[str] = ...,
        dialects: Iterable[str | Dialect] | None = None,
    ) -> Catalog: ...
    @property
    def modules(self) -> tuple[Module, ...]: ...
    @property
    def units(self) -> tuple[Unit, ...]: ...
    @property
    def cases(self) -> tuple[Case, ...]: ...
    @property
    def references(self) -> tuple[Reference, ...]: ...
    @property
    def calls(self) -> tuple[ModuleCall, ...]: ...
    @property
    def unparsable(self) -> tuple[Unparsable, ...]: ...
    @property
    def warnings(self) -> tuple[str, ...]: ...
    @property
    def revision(self) -> str: ...

@final
class CatalogCache:
    @staticmethod
    def in_folder(folder: _Path) -> CatalogCache: ...
    @staticmethod
    def of_user() -> CatalogCache: ...
    @staticmethod
    def none() -> CatalogCache: ...
    @property
    def folder(self) -> pathlib.Path | None: ...
    def ends(
        self,
        repository: Repository,
        base: str,
        head: str,
        *,
        configuration: Configuration | None = None,
        policy: Policy | None = None,
        live: Sequence[str] = ...,
        dialects: Iterable[str | Dialect] | None = None,
    ) -> tuple[Catalog, Catalog]: ...
    def catalog(
        self,
        repository: Repository,
        revision: str = "HEAD",
        *,
        configuration: Configuration | None = None,
        policy: Policy | None = None,
        live: Sequence[str] = ...,
        dialects: Iterable[str | Dialect] | None = None,
    ) -> Catalog: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

# --- Dialects -------------------------------------------------------------------------------------------------

_MarkKind = Literal["unit", "case", "likely_unit"]
_ReferenceKind = Literal[
    "contains",
    "module_call",
    "file_read",
    "file_set",
    "path_named",
    "path_given",
    "variable_file",
    "backend_file",
    "lock_file",
    "version_file",
    "symbolic_link",
    "submodule",
    "test_of",
    "include",
    "dependency",
    "watch",
    "presence",
    "trigger",
    "dismissal",
    "consideration",
]

@final
class Place(_Data):
    def __new__(cls, *, start: int, end: int, line: int, column: int) -> Self: ...
    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...
    @property
    def line(self) -> int: ...
    @property
    def column(self) -> int: ...

@final
class Lines:
    def __new__(cls, content: bytes) -> Self: ...
    def place(self, start: int, end: int) -> Place: ...

@final
class Mark(_Data):
    def __new__(cls, *, kind: _MarkKind, place: Place) -> Self: ...
    @property
    def kind(self) -> _MarkKind: ...
    @property
    def place(self) -> Place: ...

@final
class FactReference(_Data):
    def __new__(
        cls,
        *,
        kind: _ReferenceKind,
        target: Mapping[str, Any],
        place: Place,
        in_file: str | None = None,
        text: str,
        part: str | None = None,
    ) -> Self: ...
    @property
    def kind(self) -> _ReferenceKind: ...
    @property
    def target(self) -> dict[str, Any]: ...
    @property
    def place(self) -> Place: ...
    @property
    def in_file(self) -> str | None: ...
    @property
    def text(self) -> str: ...
    @property
    def part(self) -> str | None: ...
    @staticmethod
    def to_path(
        kind: _ReferenceKind, path: str, place: Place, text: str, *, unknown: bool = False
    ) -> FactReference: ...
    @staticmethod
    def to_unit(directory: str, place: Place, text: str) -> FactReference: ...
    @staticmethod
    def to_below(directory: str, place: Place, text: str) -> FactReference: ...

@final
class Facts(_Data):
    def __new__(
        cls,
        *,
        marks: Sequence[Mark] = (),
        references: Sequence[FactReference] = (),
        definitions: Sequence[Mapping[str, Any]] = (),
        unparsable: Sequence[Unparsable] = (),
    ) -> Self: ...
    @property
    def marks(self) -> tuple[Mark, ...]: ...
    @property
    def references(self) -> tuple[FactReference, ...]: ...
    @property
    def definitions(self) -> tuple[dict[str, Any], ...]: ...
    @property
    def unparsable(self) -> tuple[Unparsable, ...]: ...

@final
class Lookup:
    def read(
        self, path: str, *, kind: _ReferenceKind, file: str, place: Place | None = None, text: str = ""
    ) -> bytes | None: ...
    def is_file(
        self, path: str, *, kind: _ReferenceKind, file: str, place: Place | None = None, text: str = ""
    ) -> bool: ...
    def is_directory(
        self, path: str, *, kind: _ReferenceKind, file: str, place: Place | None = None, text: str = ""
    ) -> bool: ...
    def list(
        self, directory: str, *, kind: _ReferenceKind, file: str, place: Place | None = None, text: str = ""
    ) -> _list[tuple[str, bool]]: ...

def standard_dialects() -> tuple[str, ...]: ...
def check_dialect(dialect: Dialect, files: Mapping[str, bytes]) -> tuple[str, ...]: ...

# --- Things of a catalog --------------------------------------------------------------------------------------

@final
class Module(_Data):
    def __new__(cls, *, path: str, dialect: str) -> Self: ...
    @property
    def path(self) -> str: ...
    @property
    def dialect(self) -> str: ...

@final
class Unit(_Data):
    def __new__(cls, *, id: str, path: str, dialect: str, environment: str | None = None) -> Self: ...
    @property
    def id(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def dialect(self) -> str: ...
    @property
    def environment(self) -> str | None: ...

@final
class Case(_Data):
    def __new__(cls, *, id: str, module: str, path: str, kind: _CaseKind) -> Self: ...
    @property
    def id(self) -> str: ...
    @property
    def module(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def kind(self) -> _CaseKind: ...

@final
class Reference(_Data):
    def __new__(cls, *, from_: _Node, to: _Node, kind: str, link: Link) -> Self: ...
    @property
    def from_(self) -> _Node: ...
    @property
    def to(self) -> _Node: ...
    @property
    def kind(self) -> str: ...
    @property
    def link(self) -> Link: ...

@final
class ModuleCall(_Data):
    @property
    def in_file(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def source(self) -> str: ...
    @property
    def version(self) -> str | None: ...
    @property
    def units(self) -> tuple[str, ...]: ...
    @property
    def module(self) -> str | None: ...
    @property
    def target(self) -> str | None: ...

# --- What a change set touches --------------------------------------------------------------------------------

@final
class Impact(_Document):
    kind: Final = "impact"
    def __new__(
        cls,
        *,
        base: str,
        head: str,
        merge_base: str,
        changes: Sequence[Change],
        modules: Sequence[AffectedModule],
        units: Sequence[AffectedUnit],
        cases: Sequence[AffectedCase] = (),
        removed_modules: Sequence[AffectedModule],
        removed_units: Sequence[AffectedUnit],
        renamed_units: Sequence[RenamedUnit] = (),
        stack_units: Sequence[AffectedStackUnit] = (),
        removed_stack_units: Sequence[AffectedStackUnit] = (),
        dependents: Sequence[AffectedUnit],
        ruled: Sequence[Ruled] = (),
        unparsable: Sequence[Unparsable] = (),
        warnings: Sequence[str],
    ) -> Self: ...
    @property
    def base(self) -> str: ...
    @property
    def head(self) -> str: ...
    @property
    def merge_base(self) -> str: ...
    @property
    def changes(self) -> tuple[Change, ...]: ...
    @property
    def modules(self) -> tuple[AffectedModule, ...]: ...
    @property
    def units(self) -> tuple[AffectedUnit, ...]: ...
    @property
    def cases(self) -> tuple[AffectedCase, ...]: ...
    @property
    def removed_modules(self) -> tuple[AffectedModule, ...]: ...
    @property
    def removed_units(self) -> tuple[AffectedUnit, ...]: ...
    @property
    def renamed_units(self) -> tuple[RenamedUnit, ...]: ...
    @property
    def stack_units(self) -> tuple[AffectedStackUnit, ...]: ...
    @property
    def removed_stack_units(self) -> tuple[AffectedStackUnit, ...]: ...
    @property
    def dependents(self) -> tuple[AffectedUnit, ...]: ...
    @property
    def ruled(self) -> tuple[Ruled, ...]: ...
    @property
    def unparsable(self) -> tuple[Unparsable, ...]: ...
    @property
    def warnings(self) -> tuple[str, ...]: ...

@final
class AffectedModule(_Data):
    def __new__(cls, *, path: str, dialect: str, reasons: Sequence[Reason]) -> Self: ...
    @property
    def path(self) -> str: ...
    @property
    def dialect(self) -> str: ...
    @property
    def reasons(self) -> tuple[Reason, ...]: ...
    @property
    def chains_left_out(self) -> int | None: ...

@final
class AffectedUnit(_Data):
    def __new__(
        cls,
        *,
        id: str,
        path: str,
        dialect: str,
        environment: str | None = None,
        reasons: Sequence[Reason],
        chains_left_out: int | None = None,
    ) -> Self: ...
    @property
    def id(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def dialect(self) -> str: ...
    @property
    def environment(self) -> str | None: ...
    @property
    def reasons(self) -> tuple[Reason, ...]: ...
    @property
    def chains_left_out(self) -> int | None: ...

@final
class AffectedStackUnit(_Data):
    def __new__(cls, *, id: str, path: str, stack: str, reasons: Sequence[Reason]) -> Self: ...
    @property
    def id(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def stack(self) -> str: ...
    @property
    def reasons(self) -> tuple[Reason, ...]: ...

@final
class AffectedCase(_Data):
    def __new__(
        cls,
        *,
        id: str,
        module: str,
        path: str,
        kind: _CaseKind,
        reasons: Sequence[Reason],
        chains_left_out: int | None = None,
    ) -> Self: ...
    @property
    def id(self) -> str: ...
    @property
    def module(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def kind(self) -> _CaseKind: ...
    @property
    def reasons(self) -> tuple[Reason, ...]: ...
    @property
    def chains_left_out(self) -> int | None: ...

@final
class Unparsable(_Data):
    def __new__(cls, *, path: str, line: int | None = None, why: str) -> Self: ...
    @property
    def path(self) -> str: ...
    @property
    def line(self) -> int | None: ...
    @property
    def why(self) -> str: ...

_RuleAction = Literal["ignore", "ignore_always", "everything", "part_of", "warn"]
_ReachedWhen = Literal["bumped", "merged", "released"]

@final
class Ruled(_Data):
    def __new__(
        cls,
        *,
        path: str,
        action: _RuleAction,
        rule: str,
        reason: str,
        of_all: bool,
    ) -> Self: ...
    @property
    def path(self) -> str: ...
    @property
    def action(self) -> _RuleAction: ...
    @property
    def rule(self) -> str: ...
    @property
    def reason(self) -> str: ...
    @property
    def of_all(self) -> bool: ...

@final
class RenamedUnit(_Data):
    def __new__(
        cls,
        *,
        from_: str,
        to: str,
        state: Literal["kept", "elsewhere", "unknown"],
        reasons: Sequence[Reason],
    ) -> Self: ...
    @property
    def from_(self) -> str: ...
    @property
    def to(self) -> str: ...
    @property
    def state(self) -> Literal["kept", "elsewhere", "unknown"]: ...
    @property
    def reasons(self) -> tuple[Reason, ...]: ...

@final
class Why(_Document):
    kind: Final = "why"
    def __new__(
        cls,
        *,
        asked: str,
        affected: bool,
        things: Sequence[Answered],
        reasons: Sequence[Reason],
    ) -> Self: ...
    @property
    def asked(self) -> str: ...
    @property
    def affected(self) -> bool: ...
    @property
    def things(self) -> tuple[Answered, ...]: ...
    @property
    def reasons(self) -> tuple[Reason, ...]: ...

@final
class Answered(_Data):
    def __new__(
        cls,
        *,
        what: str,
        name: str,
        reasons: Sequence[Reason],
        chains_left_out: int | None = None,
    ) -> Self: ...
    @property
    def what(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def reasons(self) -> tuple[Reason, ...]: ...
    @property
    def chains_left_out(self) -> int | None: ...

@final
class Scope(_Document):
    kind: Final = "scope"
    def __new__(
        cls,
        *,
        base: str,
        head: str,
        merge_base: str,
        files: int,
        modules: int,
        units: int,
        removed: int,
        cases: int,
        environments: Sequence[str],
        depth: int,
        deepest: str | None = None,
        widest: Width | None = None,
        branch: BranchAge | None = None,
        warnings: Sequence[Reason],
    ) -> Self: ...
    @property
    def base(self) -> str: ...
    @property
    def head(self) -> str: ...
    @property
    def merge_base(self) -> str: ...
    @property
    def files(self) -> int: ...
    @property
    def modules(self) -> int: ...
    @property
    def units(self) -> int: ...
    @property
    def removed(self) -> int: ...
    @property
    def cases(self) -> int: ...
    @property
    def environments(self) -> tuple[str, ...]: ...
    @property
    def depth(self) -> int: ...
    @property
    def deepest(self) -> str | None: ...
    @property
    def widest(self) -> Width | None: ...
    @property
    def branch(self) -> BranchAge | None: ...
    @property
    def warnings(self) -> tuple[Reason, ...]: ...

@final
class Width(_Data):
    def __new__(
        cls,
        *,
        module: str,
        things: int,
    ) -> Self: ...
    @property
    def module(self) -> str: ...
    @property
    def things(self) -> int: ...

@final
class BranchAge(_Data):
    def __new__(
        cls,
        *,
        ahead: int,
        behind: int,
        days: int,
    ) -> Self: ...
    @property
    def ahead(self) -> int: ...
    @property
    def behind(self) -> int: ...
    @property
    def days(self) -> int: ...
    @staticmethod
    def of(changes: ChangeSet, repository: Repository) -> BranchAge | None: ...

@final
class Graph(_Data):
    def __new__(
        cls,
        *,
        nodes: Sequence[Mapping[str, str]],
        edges: Sequence[Mapping[str, int | str]],
        left_out: int,
    ) -> Self: ...
    @property
    def nodes(self) -> tuple[dict[str, str], ...]: ...
    @property
    def edges(self) -> tuple[dict[str, int | str], ...]: ...
    @property
    def left_out(self) -> int: ...

@final
class Reach(_Document):
    kind: Final = "reach"
    def __new__(
        cls,
        *,
        merge_base: str,
        head: str,
        live: str | None = None,
        reached: Sequence[Reached],
        warnings: Sequence[str],
    ) -> Self: ...
    @property
    def merge_base(self) -> str: ...
    @property
    def head(self) -> str: ...
    @property
    def live(self) -> str | None: ...
    @property
    def reached(self) -> tuple[Reached, ...]: ...
    @property
    def warnings(self) -> tuple[str, ...]: ...

@final
class Reached(_Data):
    def __new__(
        cls,
        *,
        unit: str,
        environment: str | None = None,
        module: str,
        pinned: str | None = None,
        newest: str | None = None,
        is_newest: bool | None = None,
        when: _ReachedWhen = "bumped",
        reasons: Sequence[Reason],
    ) -> Self: ...
    @property
    def unit(self) -> str: ...
    @property
    def environment(self) -> str | None: ...
    @property
    def module(self) -> str: ...
    @property
    def pinned(self) -> str | None: ...
    @property
    def newest(self) -> str | None: ...
    @property
    def is_newest(self) -> bool | None: ...
    @property
    def when(self) -> _ReachedWhen: ...
    @property
    def reasons(self) -> tuple[Reason, ...]: ...

def impact(
    changes: ChangeSet,
    base: Catalog,
    head: Catalog,
    *,
    configuration: Configuration | None = None,
    reasons: Literal["shortest", "each_change", "all"] = "shortest",
) -> Impact: ...
def tell_renames(impact: Impact, repository: Repository) -> Impact: ...
def why(asked: str, impact: Impact, head: Catalog, *, configuration: Configuration | None = None) -> Why: ...
def scope(
    impact: Impact, *, branch: BranchAge | None = None, configuration: Configuration | None = None
) -> Scope: ...
def graph(impact: Impact, *, most: int = 200) -> Graph: ...
def mermaid(graph: Graph) -> str: ...
def dot(graph: Graph) -> str: ...
def reach(
    impact: Impact,
    live: Catalog,
    modules: Sequence[str],
    *,
    configuration: Configuration | None = None,
    tags: Sequence[str] = ...,
) -> Reach: ...

# --- The nature of a change, and what follows from it ---------------------------------------------------------

_Nature = Literal["docs_only", "tooling", "module", "live", "both", "global"]

@final
class Nature(_Document):
    kind: Final = "nature"
    def __new__(cls, *, nature: _Nature, reasons: Sequence[Reason]) -> Self: ...
    @property
    def nature(self) -> _Nature: ...
    @property
    def reasons(self) -> tuple[Reason, ...]: ...

@final
class StepGraph(_Document):
    kind: Final = "step_graph"
    def __new__(
        cls,
        *,
        nature: _Nature,
        reasons: Sequence[Reason],
        steps: Sequence[StepSpec],
    ) -> Self: ...
    @property
    def nature(self) -> _Nature: ...
    @property
    def reasons(self) -> tuple[Reason, ...]: ...
    @property
    def steps(self) -> tuple[StepSpec, ...]: ...

@final
class StepSpec(_Data):
    def __new__(
        cls,
        *,
        id: str,
        stage: str,
        subject: str,
        phase: Literal["change_request", "trunk"],
        effect: Literal["plan", "observe", "execute"],
        needs: Sequence[str],
        reasons: Sequence[Reason],
    ) -> Self: ...
    @property
    def id(self) -> str: ...
    @property
    def stage(self) -> str: ...
    @property
    def subject(self) -> str: ...
    @property
    def phase(self) -> Literal["change_request", "trunk"]: ...
    @property
    def effect(self) -> Literal["plan", "observe", "execute"]: ...
    @property
    def needs(self) -> tuple[str, ...]: ...
    @property
    def reasons(self) -> tuple[Reason, ...]: ...

def nature(impact: Impact, *, configuration: Configuration | None = None) -> Nature: ...
def steps(nature: Nature, impact: Impact, tests: TestPlan) -> StepGraph: ...

# --- Which test cases run ------------------------------------------------------------------------------------

_CaseKind = Literal["example", "test_file"]

@final
class TestPlan(_Document):
    kind: Final = "test_plan"
    def __new__(
        cls,
        *,
        cases: Sequence[PlannedCase],
        skipped: Sequence[SkippedCase],
        shards: Sequence[Shard],
        contents_of: ContentsOf | None = None,
        budget: BudgetUse | None = None,
        warnings: Sequence[str] = ...,
    ) -> Self: ...
    @property
    def cases(self) -> tuple[PlannedCase, ...]: ...
    @property
    def skipped(self) -> tuple[SkippedCase, ...]: ...
    @property
    def shards(self) -> tuple[Shard, ...]: ...
    @property
    def contents_of(self) -> ContentsOf | None: ...
    @property
    def budget(self) -> BudgetUse | None: ...
    @property
    def warnings(self) -> tuple[str, ...]: ...

@final
class PlannedCase(_Data):
    def __new__(
        cls,
        *,
        id: str,
        module: str,
        path: str,
        kind: _CaseKind,
        reasons: Sequence[Reason],
        content: str | None = None,
        quarantine: Quarantined | None = None,
    ) -> Self: ...
    @property
    def id(self) -> str: ...
    @property
    def module(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def kind(self) -> _CaseKind: ...
    @property
    def reasons(self) -> tuple[Reason, ...]: ...
    @property
    def content(self) -> str | None: ...
    @property
    def quarantine(self) -> Quarantined | None: ...

@final
class SkippedCase(_Data):
    def __new__(cls, *, id: str, reasons: Sequence[Reason], proof: GreenRun | None = None) -> Self: ...
    @property
    def id(self) -> str: ...
    @property
    def reasons(self) -> tuple[Reason, ...]: ...
    @property
    def proof(self) -> GreenRun | None: ...

@final
class Shard(_Data):
    def __new__(cls, *, cases: Sequence[str], estimate_seconds: int) -> Self: ...
    @property
    def cases(self) -> tuple[str, ...]: ...
    @property
    def estimate_seconds(self) -> int: ...

@final
class ContentsOf(_Data):
    def __new__(cls, *, revision: str, tool: str) -> Self: ...
    @property
    def revision(self) -> str: ...
    @property
    def tool(self) -> str: ...

@final
class BudgetUse(_Data):
    def __new__(cls, *, minutes: int, left_out: int, planned_seconds: int, left_out_seconds: int) -> Self: ...
    @property
    def minutes(self) -> int: ...
    @property
    def left_out(self) -> int: ...
    @property
    def planned_seconds(self) -> int: ...
    @property
    def left_out_seconds(self) -> int: ...

@final
class GreenRun(_Data):
    def __new__(cls, *, run: str, content: str, at: str) -> Self: ...
    @property
    def run(self) -> str: ...
    @property
    def content(self) -> str: ...
    @property
    def at(self) -> str: ...

@final
class Quarantined(_Data):
    def __new__(cls, *, until: str, reason: str, who: str) -> Self: ...
    @property
    def until(self) -> str: ...
    @property
    def reason(self) -> str: ...
    @property
    def who(self) -> str: ...

_RunOutcome = Literal["passed", "failed", "timed_out", "error"]

@final
class RecordedRun(_Data):
    def __new__(
        cls,
        *,
        case: str,
        run: str,
        outcome: _RunOutcome,
        seconds: int,
        at: str,
        content: str | None = None,
    ) -> Self: ...
    @property
    def case(self) -> str: ...
    @property
    def run(self) -> str: ...
    @property
    def outcome(self) -> _RunOutcome: ...
    @property
    def seconds(self) -> int: ...
    @property
    def at(self) -> str: ...
    @property
    def content(self) -> str | None: ...

@final
class Flaky(_Data):
    def __new__(cls, *, case: str, content: str, passed: str, failed: str) -> Self: ...
    @property
    def case(self) -> str: ...
    @property
    def content(self) -> str: ...
    @property
    def passed(self) -> str: ...
    @property
    def failed(self) -> str: ...

@final
class History:
    def __new__(cls, runs: Sequence[RecordedRun] = ...) -> Self: ...
    @classmethod
    def read_file(cls, path: _Path, *, since: str | None = None) -> History: ...
    @classmethod
    def read_store(cls, store: Store, *, since: str | None = None) -> History: ...
    def append_file(self, path: _Path) -> None: ...
    def seconds_of(self, case: str) -> int | None: ...
    @property
    def runs(self) -> tuple[RecordedRun, ...]: ...
    @property
    def flaky(self) -> tuple[Flaky, ...]: ...
    @property
    def warnings(self) -> tuple[str, ...]: ...
    def __eq__(self, other: object, /) -> bool: ...
    __hash__: None  # type: ignore[assignment]

@final
class Contents:
    @staticmethod
    def of(
        repository: Repository,
        revision: str,
        catalog: Catalog,
        *,
        tool: str,
        configuration: Configuration | None = None,
    ) -> Contents: ...
    def digest_of(self, case: str) -> str | None: ...
    def unknown(self, case: str) -> Reason | None: ...

def select(
    impact: Impact,
    catalog: Catalog,
    *,
    shards: int = 1,
    seconds: Mapping[str, int] = ...,
    history: History | None = None,
    contents: Contents | None = None,
    skip_green: bool = False,
    budget_minutes: int | None = None,
    configuration: Configuration | None = None,
    at: str | None = None,
) -> TestPlan: ...
def nightly(
    catalog: Catalog,
    *,
    shards: int = 1,
    seconds: Mapping[str, int] = ...,
    history: History | None = None,
    contents: Contents | None = None,
    configuration: Configuration | None = None,
    at: str | None = None,
) -> TestPlan: ...

# --- Versions and tags ----------------------------------------------------------------------------------------

@final
class ModuleTags:
    def __new__(cls, configuration: Configuration | None = None) -> Self: ...
    def plan(
        self,
        repository: Repository,
        catalog: Catalog,
        *,
        tagger: Identity,
        head: str = "HEAD",
        tags: Sequence[Tag] | None = None,
        remote: str = "origin",
        trunk: str | None = None,
        only: Sequence[str] = ...,
        versions: Mapping[str, str] = ...,
    ) -> ReleasePlan: ...
    def execute(
        self, plan: ReleasePlan, repository: Repository, *, observer: _Observer | None = None
    ) -> Released: ...
    def execute_async(
        self, plan: ReleasePlan, repository: Repository, *, observer: _Observer | None = None
    ) -> _Awaited[Released]: ...

def observe_tags(repository: Repository, remote: str = "origin") -> tuple[Tag, ...]: ...
def observe_tags_async(repository: Repository, remote: str = "origin") -> _Awaited[tuple[Tag, ...]]: ...

_Bump = Literal["patch", "minor", "major", "initial"]

@final
class Identity(_Data):
    def __new__(cls, *, name: str, email: str, when: str) -> Self: ...
    @property
    def name(self) -> str: ...
    @property
    def email(self) -> str: ...
    @property
    def when(self) -> str: ...

@final
class Tag(_Data):
    def __new__(cls, *, name: str, target: str, object: str, annotated: bool) -> Self: ...
    @property
    def name(self) -> str: ...
    @property
    def target(self) -> str: ...
    @property
    def object(self) -> str: ...
    @property
    def annotated(self) -> bool: ...

@final
class ReleasePlan(_Document):
    kind: Final = "release_plan"
    def __new__(
        cls,
        *,
        head: str,
        trunk: str | None = None,
        remote: str,
        tagger: Identity,
        releases: Sequence[Release],
        unchanged: Sequence[Unreleased],
        refused: Sequence[Unreleased],
    ) -> Self: ...
    @property
    def head(self) -> str: ...
    @property
    def trunk(self) -> str | None: ...
    @property
    def remote(self) -> str: ...
    @property
    def tagger(self) -> Identity: ...
    @property
    def releases(self) -> tuple[Release, ...]: ...
    @property
    def unchanged(self) -> tuple[Unreleased, ...]: ...
    @property
    def refused(self) -> tuple[Unreleased, ...]: ...

@final
class Release(_Data):
    def __new__(
        cls,
        *,
        module: str,
        previous: str | None = None,
        next: str,
        tag: str,
        commit: str,
        elsewhere: Sequence[str] = (),
        bump: _Bump,
        reasons: Sequence[Reason],
        notes: str,
        interface: Sequence[InterfaceChange],
        commits: Sequence[ReleasedCommit],
    ) -> Self: ...
    @property
    def module(self) -> str: ...
    @property
    def previous(self) -> str | None: ...
    @property
    def next(self) -> str: ...
    @property
    def tag(self) -> str: ...
    @property
    def commit(self) -> str: ...
    @property
    def elsewhere(self) -> tuple[str, ...]: ...
    @property
    def bump(self) -> _Bump: ...
    @property
    def reasons(self) -> tuple[Reason, ...]: ...
    @property
    def notes(self) -> str: ...
    @property
    def interface(self) -> tuple[InterfaceChange, ...]: ...
    @property
    def commits(self) -> tuple[ReleasedCommit, ...]: ...

@final
class Unreleased(_Data):
    def __new__(cls, *, module: str, reasons: Sequence[Reason]) -> Self: ...
    @property
    def module(self) -> str: ...
    @property
    def reasons(self) -> tuple[Reason, ...]: ...

@final
class ReleasedCommit(_Data):
    def __new__(cls, *, id: str, subject: str, bump: _Bump | None = None) -> Self: ...
    @property
    def id(self) -> str: ...
    @property
    def subject(self) -> str: ...
    @property
    def bump(self) -> _Bump | None: ...

@final
class InterfaceChange(_Data):
    def __new__(
        cls,
        *,
        severity: Literal["breaking", "risk", "addition", "compatible"],
        rule: str,
        subject: str,
        text: str,
        value_dependent: bool,
        link: Link,
    ) -> Self: ...
    @property
    def severity(self) -> Literal["breaking", "risk", "addition", "compatible"]: ...
    @property
    def rule(self) -> str: ...
    @property
    def subject(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def value_dependent(self) -> bool: ...
    @property
    def link(self) -> Link: ...

@final
class Released(_Document):
    kind: Final = "released"
    def __new__(cls, *, tags: Sequence[ReleasedTag], without_events: Sequence[str]) -> Self: ...
    @property
    def tags(self) -> tuple[ReleasedTag, ...]: ...
    @property
    def without_events(self) -> tuple[str, ...]: ...

@final
class ReleasedTag(_Data):
    def __new__(
        cls,
        *,
        tag: str,
        object: str,
        commit: str,
        state: Literal["created", "already_there"],
    ) -> Self: ...
    @property
    def tag(self) -> str: ...
    @property
    def object(self) -> str: ...
    @property
    def commit(self) -> str: ...
    @property
    def state(self) -> Literal["created", "already_there"]: ...

# --- References of the live configuration ---------------------------------------------------------------------

@final
class BumpTarget:
    def __new__(cls, source: str, to: str, *, only_from: str | None = None) -> Self: ...
    @staticmethod
    def released(package: str, plan: ReleasePlan) -> list[BumpTarget]: ...

@final
class Scaffold:
    def __new__(
        cls,
        unit: str,
        module: str,
        modules: Repository,
        revision: str = "HEAD",
        *,
        values: Mapping[str, str] = ...,
        settings: str = "",
    ) -> Self: ...

@final
class TerraformBumper:
    def __new__(cls) -> Self: ...
    def plan(
        self,
        repository: Repository,
        live: Catalog,
        targets: Sequence[BumpTarget] = ...,
        *,
        revision: str = "HEAD",
        environment: str | None = None,
        carried_from: str | None = None,
        scaffolds: Sequence[Scaffold] = ...,
    ) -> BumpPlan: ...
    def execute(
        self,
        plan: BumpPlan,
        repository: Repository,
        *,
        base: str,
        branch: str,
        message: str,
        author: Identity,
        push: str | None = None,
        observer: _Observer | None = None,
    ) -> Bumped: ...
    def execute_async(
        self,
        plan: BumpPlan,
        repository: Repository,
        *,
        base: str,
        branch: str,
        message: str,
        author: Identity,
        push: str | None = None,
        observer: _Observer | None = None,
    ) -> _Awaited[Bumped]: ...

@final
class BumpPlan(_Document):
    kind: Final = "bump_plan"
    def __new__(cls, *, edits: Sequence[BumpEdit], skipped: Sequence[SkippedReference]) -> Self: ...
    @property
    def edits(self) -> tuple[BumpEdit, ...]: ...
    @property
    def skipped(self) -> tuple[SkippedReference, ...]: ...

@final
class BumpEdit(_Data):
    def __new__(
        cls,
        *,
        path: str,
        blob: str | None = None,
        start: int,
        end: int,
        before: str,
        after: str,
        module: str,
        unit: str | None = None,
        environment: str | None = None,
        from_: str | None = None,
        to: str,
    ) -> Self: ...
    @property
    def path(self) -> str: ...
    @property
    def blob(self) -> str | None: ...
    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...
    @property
    def before(self) -> str: ...
    @property
    def after(self) -> str: ...
    @property
    def module(self) -> str: ...
    @property
    def unit(self) -> str | None: ...
    @property
    def environment(self) -> str | None: ...
    @property
    def from_(self) -> str | None: ...
    @property
    def to(self) -> str: ...

@final
class SkippedReference(_Data):
    def __new__(cls, *, path: str, reasons: Sequence[Reason]) -> Self: ...
    @property
    def path(self) -> str: ...
    @property
    def reasons(self) -> tuple[Reason, ...]: ...

@final
class Bumped(_Data):
    def __new__(cls, *, base: str, commit: str, branch: str) -> Self: ...
    @property
    def base(self) -> str: ...
    @property
    def commit(self) -> str: ...
    @property
    def branch(self) -> str: ...

# --- What a plan does -----------------------------------------------------------------------------------------

@final
class PlanSummary(_Document):
    kind: Final = "plan_summary"
    def __new__(
        cls,
        *,
        format_version: str,
        tool_version: str,
        counts: Counts,
        drift: Sequence[Drift],
        deferred: Sequence[ResourceChange],
        errored: bool,
        changes: Sequence[ResourceChange],
        outputs: Sequence[OutputChange],
    ) -> Self: ...
    @property
    def format_version(self) -> str: ...
    @property
    def tool_version(self) -> str: ...
    @property
    def counts(self) -> Counts: ...
    @property
    def drift(self) -> tuple[Drift, ...]: ...
    @property
    def deferred(self) -> tuple[ResourceChange, ...]: ...
    @property
    def errored(self) -> bool: ...
    @property
    def changes(self) -> tuple[ResourceChange, ...]: ...
    @property
    def outputs(self) -> tuple[OutputChange, ...]: ...

@final
class Counts(_Data):
    def __new__(
        cls,
        *,
        create: int,
        update: int,
        delete: int,
        replace: int,
        read: int,
        import_: int,
        forget: int,
        move: int,
    ) -> Self: ...
    @property
    def create(self) -> int: ...
    @property
    def update(self) -> int: ...
    @property
    def delete(self) -> int: ...
    @property
    def replace(self) -> int: ...
    @property
    def read(self) -> int: ...
    @property
    def import_(self) -> int: ...
    @property
    def forget(self) -> int: ...
    @property
    def move(self) -> int: ...

@final
class ResourceChange(_Data):
    def __new__(
        cls,
        *,
        address: str,
        previous_address: str | None = None,
        type: str,
        mode: str,
        actions: Sequence[str],
        reason: str | None = None,
        attributes: Sequence[str],
        forced_by: Sequence[str],
        import_: bool,
    ) -> Self: ...
    @property
    def address(self) -> str: ...
    @property
    def previous_address(self) -> str | None: ...
    @property
    def type(self) -> str: ...
    @property
    def mode(self) -> str: ...
    @property
    def actions(self) -> tuple[str, ...]: ...
    @property
    def reason(self) -> str | None: ...
    @property
    def attributes(self) -> tuple[str, ...]: ...
    @property
    def forced_by(self) -> tuple[str, ...]: ...
    @property
    def import_(self) -> bool: ...

@final
class Drift(_Data):
    def __new__(cls, *, address: str, path: str, actions: Sequence[str]) -> Self: ...
    @property
    def address(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def actions(self) -> tuple[str, ...]: ...

@final
class OutputChange(_Data):
    def __new__(cls, *, name: str, actions: Sequence[str], sensitive: bool) -> Self: ...
    @property
    def name(self) -> str: ...
    @property
    def actions(self) -> tuple[str, ...]: ...
    @property
    def sensitive(self) -> bool: ...

@final
class StateVersion(_Data):
    def __new__(cls, *, lineage: str, serial: int) -> Self: ...
    @property
    def lineage(self) -> str: ...
    @property
    def serial(self) -> int: ...

def plan_summary(plan: bytes) -> PlanSummary: ...

# --- What applying would do -----------------------------------------------------------------------------------

_Outcome = Literal["no_changes", "changes", "error", "skipped"]

@final
class TerraformDryRunner:
    def __new__(
        cls, *, program: _Path | None = None, parallel: int | None = None, time_limit: float | None = None
    ) -> Self: ...
    @property
    def tool(self) -> str: ...
    def plan(
        self,
        repository: Repository,
        revision: str,
        catalog: Catalog,
        *,
        policy: Policy | None = None,
        impact: Impact | None = None,
        units: Sequence[str] | None = None,
    ) -> DryRunPlan: ...
    def observe(
        self,
        repository: Repository,
        plan: DryRunPlan,
        *,
        store: Store | None = None,
        credentials: CredentialProvider | None = None,
        configuration: Configuration | None = None,
        observer: _Observer | None = None,
    ) -> DryRunOutcome: ...
    def observe_async(
        self,
        repository: Repository,
        plan: DryRunPlan,
        *,
        store: Store | None = None,
        credentials: CredentialProvider | None = None,
        configuration: Configuration | None = None,
        observer: _Observer | None = None,
    ) -> _Awaited[DryRunOutcome]: ...

@final
class DryRunOutcome:
    @property
    def dry_run(self) -> DryRun: ...
    @property
    def folder(self) -> pathlib.Path: ...
    @property
    def artefacts(self) -> list[UnitArtefacts]: ...
    def close(self) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(self, _type: object, _value: object, _traceback: object) -> None: ...

@final
class UnitArtefacts:
    @property
    def unit(self) -> str: ...
    @property
    def log(self) -> pathlib.Path: ...
    @property
    def plan_file(self) -> pathlib.Path | None: ...
    @property
    def plan_json(self) -> pathlib.Path | None: ...

@final
class DryRunPlan(_Document):
    kind: Final = "dry_run_plan"
    def __new__(
        cls,
        *,
        revision: str,
        units: Sequence[PlannedUnit],
        skipped: Sequence[SkippedUnit],
    ) -> Self: ...
    @property
    def revision(self) -> str: ...
    @property
    def units(self) -> tuple[PlannedUnit, ...]: ...
    @property
    def skipped(self) -> tuple[SkippedUnit, ...]: ...

@final
class PlannedUnit(_Data):
    def __new__(
        cls,
        *,
        id: str,
        path: str,
        dialect: str,
        environment: str | None = None,
        reads: Sequence[str] = (),
        others: Sequence[str] = (),
        reasons: Sequence[Reason],
    ) -> Self: ...
    @property
    def id(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def dialect(self) -> str: ...
    @property
    def environment(self) -> str | None: ...
    @property
    def reads(self) -> tuple[str, ...]: ...
    @property
    def others(self) -> tuple[str, ...]: ...
    @property
    def reasons(self) -> tuple[Reason, ...]: ...

@final
class SkippedUnit(_Data):
    def __new__(cls, *, id: str, reasons: Sequence[Reason]) -> Self: ...
    @property
    def id(self) -> str: ...
    @property
    def reasons(self) -> tuple[Reason, ...]: ...

@final
class DryRun(_Document):
    kind: Final = "dry_run"
    def __new__(cls, *, units: Sequence[UnitDryRun]) -> Self: ...
    @property
    def units(self) -> tuple[UnitDryRun, ...]: ...

@final
class UnitDryRun(_Data):
    def __new__(
        cls,
        *,
        id: str,
        path: str,
        environment: str | None = None,
        outcome: _Outcome,
        counts: Counts,
        drift: Sequence[Drift],
        mocked: bool,
        digest: str,
        fingerprint: str | None = None,
        commit: str,
        tool: str,
        seconds: float,
        sealed_log: str | None = None,
        plan_file: str | None = None,
        state: StateVersion | None = None,
        plan: PlanSummary | None = None,
        reasons: Sequence[Reason],
    ) -> Self: ...
    @property
    def id(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def environment(self) -> str | None: ...
    @property
    def outcome(self) -> _Outcome: ...
    @property
    def counts(self) -> Counts: ...
    @property
    def drift(self) -> tuple[Drift, ...]: ...
    @property
    def mocked(self) -> bool: ...
    @property
    def digest(self) -> str: ...
    @property
    def fingerprint(self) -> str | None: ...
    @property
    def commit(self) -> str: ...
    @property
    def tool(self) -> str: ...
    @property
    def seconds(self) -> float: ...
    @property
    def sealed_log(self) -> str | None: ...
    @property
    def plan_file(self) -> str | None: ...
    @property
    def state(self) -> StateVersion | None: ...
    @property
    def plan(self) -> PlanSummary | None: ...
    @property
    def reasons(self) -> tuple[Reason, ...]: ...

@final
class DriftReport(_Document):
    kind: Final = "drift_report"
    def __new__(cls, *, revision: str, units: Sequence[UnitDrift]) -> Self: ...
    @property
    def revision(self) -> str: ...
    @property
    def units(self) -> tuple[UnitDrift, ...]: ...

@final
class UnitDrift(_Data):
    def __new__(
        cls,
        *,
        id: str,
        path: str,
        environment: str | None = None,
        outcome: _Outcome,
        disagreements: Sequence[Disagreement],
        reasons: Sequence[Reason],
    ) -> Self: ...
    @property
    def id(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def environment(self) -> str | None: ...
    @property
    def outcome(self) -> _Outcome: ...
    @property
    def disagreements(self) -> tuple[Disagreement, ...]: ...
    @property
    def reasons(self) -> tuple[Reason, ...]: ...

@final
class Disagreement(_Data):
    def __new__(cls, *, address: str, path: str, actions: Sequence[str], seen_in: str) -> Self: ...
    @property
    def address(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def actions(self) -> tuple[str, ...]: ...
    @property
    def seen_in(self) -> str: ...

def drift_report(plan: DryRunPlan, dry_run: DryRun) -> DriftReport: ...

# --- Secrets out of logs --------------------------------------------------------------------------------------

@final
class SecretRedactor:
    def __new__(cls, secrets: Mapping[str, str]) -> Self: ...
    def redact(self, log: bytes) -> tuple[bytes, RedactionReport]: ...
    def start(self) -> Redaction: ...

@final
class Redaction:
    def push(self, chunk: bytes) -> bytes: ...
    def finish(self) -> tuple[bytes, RedactionReport]: ...

@final
class RedactionReport(_Data):
    def __new__(cls, *, redacted: Sequence[Redacted], left_alone: Sequence[LeftAlone]) -> Self: ...
    @property
    def redacted(self) -> tuple[Redacted, ...]: ...
    @property
    def left_alone(self) -> tuple[LeftAlone, ...]: ...

@final
class Redacted(_Data):
    def __new__(cls, *, name: str, count: int) -> Self: ...
    @property
    def name(self) -> str: ...
    @property
    def count(self) -> int: ...

@final
class LeftAlone(_Data):
    def __new__(cls, *, name: str, why: Literal["empty", "too_short", "trivial"]) -> Self: ...
    @property
    def name(self) -> str: ...
    @property
    def why(self) -> Literal["empty", "too_short", "trivial"]: ...

# --- Sealed logs ----------------------------------------------------------------------------------------------

@final
class SealingKey:
    @property
    def id(self) -> str: ...
    @staticmethod
    def generate() -> SealingKey: ...
    @staticmethod
    def parse(text: str) -> SealingKey: ...
    @staticmethod
    def read(path: _Path) -> SealingKey: ...
    def write(self, path: _Path) -> None: ...
    def to_base64(self) -> str: ...

@final
class SharedKeySealer:
    def __new__(cls, key: SealingKey, *, also_opens: Sequence[SealingKey] = ...) -> Self: ...
    def seal(self, plain: bytes) -> bytes: ...
    def open(self, sealed: bytes) -> bytes: ...
    def seal_file(self, source: _Path, destination: _Path) -> Sealed: ...
    def open_file(self, source: _Path, destination: _Path) -> Opened: ...

@final
class Sealed(_Data):
    def __new__(cls, *, key: str, digest: str, length: int) -> Self: ...
    @property
    def key(self) -> str: ...
    @property
    def digest(self) -> str: ...
    @property
    def length(self) -> int: ...

@final
class Opened(_Data):
    def __new__(cls, *, key: str, digest: str, length: int) -> Self: ...
    @property
    def key(self) -> str: ...
    @property
    def digest(self) -> str: ...
    @property
    def length(self) -> int: ...

# --- Keys and signatures --------------------------------------------------------------------------------------

@final
class SigningKey:
    @staticmethod
    def generate(comment: str = "") -> SigningKey: ...
    @staticmethod
    def read(path: _Path) -> SigningKey: ...
    @property
    def verifying_key(self) -> str: ...

@final
class AllowedSigners:
    def __new__(cls, text: str) -> Self: ...
    @property
    def principals(self) -> tuple[str, ...]: ...

# --- Publish, and open ----------------------------------------------------------------------------------------

@final
class StorePublisher:
    def __new__(
        cls,
        store: Store,
        *,
        repository: str,
        run: str,
        key: SigningKey,
        sealers: Mapping[str, SharedKeySealer] = ...,
        others: SharedKeySealer | None = None,
    ) -> Self: ...
    def plan(self, dry_run: DryRun) -> PublishPlan: ...
    def execute(
        self, plan: PublishPlan, outcome: DryRunOutcome, *, observer: _Observer | None = None
    ) -> Published: ...
    def execute_async(
        self, plan: PublishPlan, outcome: DryRunOutcome, *, observer: _Observer | None = None
    ) -> _Awaited[Published]: ...

_Item = Literal["log", "plan_file", "plan_json", "summary_text", "summary_markdown"]

@final
class PublishPlan(_Document):
    kind: Final = "publish_plan"
    def __new__(
        cls,
        *,
        repository: str,
        run: str,
        dry_run: str,
        units: Sequence[UnitPublishPlan],
        skipped: Sequence[NotPublished],
    ) -> Self: ...
    @property
    def repository(self) -> str: ...
    @property
    def run(self) -> str: ...
    @property
    def dry_run(self) -> str: ...
    @property
    def units(self) -> tuple[UnitPublishPlan, ...]: ...
    @property
    def skipped(self) -> tuple[NotPublished, ...]: ...

@final
class UnitPublishPlan(_Data):
    def __new__(
        cls,
        *,
        unit: str,
        environment: str | None = None,
        plan: str,
        commit: str,
        manifest: str,
        sealed: Sequence[_Item],
        clear: Sequence[_Item],
    ) -> Self: ...
    @property
    def unit(self) -> str: ...
    @property
    def environment(self) -> str | None: ...
    @property
    def plan(self) -> str: ...
    @property
    def commit(self) -> str: ...
    @property
    def manifest(self) -> str: ...
    @property
    def sealed(self) -> tuple[_Item, ...]: ...
    @property
    def clear(self) -> tuple[_Item, ...]: ...

@final
class NotPublished(_Data):
    def __new__(cls, *, unit: str, reasons: Sequence[Reason]) -> Self: ...
    @property
    def unit(self) -> str: ...
    @property
    def reasons(self) -> tuple[Reason, ...]: ...

@final
class Published(_Document):
    kind: Final = "published"
    def __new__(
        cls,
        *,
        dry_run: str,
        units: Sequence[UnitPublished],
        text: str,
        markdown: str,
        redaction: RedactionReport,
    ) -> Self: ...
    @property
    def dry_run(self) -> str: ...
    @property
    def units(self) -> tuple[UnitPublished, ...]: ...
    @property
    def text(self) -> str: ...
    @property
    def markdown(self) -> str: ...
    @property
    def redaction(self) -> RedactionReport: ...

@final
class UnitPublished(_Data):
    def __new__(
        cls,
        *,
        unit: str,
        plan: str,
        manifest: str,
        items: dict[_Item, PublishedItem],
    ) -> Self: ...
    @property
    def unit(self) -> str: ...
    @property
    def plan(self) -> str: ...
    @property
    def manifest(self) -> str: ...
    @property
    def items(self) -> dict[_Item, PublishedItem]: ...

@final
class PublishedItem(_Data):
    def __new__(cls, *, object: str, digest: str, length: int, key: str | None = None) -> Self: ...
    @property
    def object(self) -> str: ...
    @property
    def digest(self) -> str: ...
    @property
    def length(self) -> int: ...
    @property
    def key(self) -> str | None: ...

@final
class Opening(_Data):
    def __new__(cls, *, at: str, by: str, item: _Item, sealed: str) -> Self: ...
    @property
    def at(self) -> str: ...
    @property
    def by(self) -> str: ...
    @property
    def item(self) -> _Item: ...
    @property
    def sealed(self) -> str: ...

def open_log(
    store: Store,
    manifest: str,
    destination: _Path,
    *,
    signers: AllowedSigners,
    sealer: SharedKeySealer,
    by: str,
    item: _Item = "log",
) -> OpenedItem: ...
def open_log_async(
    store: Store,
    manifest: str,
    destination: _Path,
    *,
    signers: AllowedSigners,
    sealer: SharedKeySealer,
    by: str,
    item: _Item = "log",
) -> _Awaited[OpenedItem]: ...
def openings(store: Store, manifest: str) -> tuple[Opening, ...]: ...

@final
class OpenedItem:
    @property
    def unit(self) -> str: ...
    @property
    def signers(self) -> list[str]: ...
    @property
    def digest(self) -> str: ...
    @property
    def length(self) -> int: ...

# --- Where things are kept -------------------------------------------------------------------------------------

@final
class Store:
    @staticmethod
    def folder(path: _Path, *, durable: bool = False) -> Store: ...
    @staticmethod
    def memory() -> Store: ...
    def get(self, key: str) -> bytes | None: ...
    def get_async(self, key: str) -> _Awaited[bytes | None]: ...
    def put(self, key: str, value: bytes) -> None: ...
    def put_async(self, key: str, value: bytes) -> _Awaited[None]: ...
    def create(self, key: str, value: bytes) -> bytes | None: ...
    def create_async(self, key: str, value: bytes) -> _Awaited[bytes | None]: ...
    def list(self, prefix: str) -> tuple[str, ...]: ...
    def list_async(self, prefix: str) -> _Awaited[tuple[str, ...]]: ...

# --- Private: what the bridge to the event loop uses ----------------------------------------------------------

@final
class _Job:
    @property
    def cleans_up(self) -> bool: ...
    def start(self, settle: Callable[[Any, BaseException | None], object]) -> None: ...
    def cancel(self) -> None: ...

def _shutdown() -> None: ...
