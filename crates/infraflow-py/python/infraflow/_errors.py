"""The exceptions: one class per stage, all of them `InfraflowError`."""

from __future__ import annotations

from typing import Any

__all__ = [
    "AddressError",
    "BumpError",
    "CatalogError",
    "DetectError",
    "DryRunError",
    "GitError",
    "InfraflowError",
    "InterfaceError",
    "PipelineError",
    "PolicyError",
    "ProcessError",
    "ProofError",
    "PublishError",
    "RedactError",
    "ReleaseError",
    "SealError",
    "SelectError",
    "StoreError",
    "TerraformError",
]


class InfraflowError(Exception):
    """Something could not be done. The message says what, to what, why, and what to do about it."""

    kind: str
    """What went wrong, as one word in snake_case: stable, for programs."""

    help: str | None
    """What to do about it, where something can be done."""

    def __init__(self, message: str, *, kind: str = "", help: str | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.help = help

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), str(self), self.kind, self.help)


def _rebuild(cls: type[InfraflowError], message: str, kind: str, help: str | None) -> InfraflowError:
    return cls(message, kind=kind, help=help)


class GitError(InfraflowError):
    """A repository does not answer, or its answer could not be trusted."""


class DetectError(InfraflowError):
    """It cannot be told what changed."""


class ProofError(InfraflowError):
    """A document, a digest, a signature or a path that cannot be accepted."""


class PolicyError(InfraflowError):
    """The configuration or the policy cannot be used."""


class SealError(InfraflowError):
    """Something cannot be sealed, or what was sealed cannot be opened: the wrong key, cut short, altered."""


class SelectError(InfraflowError):
    """Recorded test runs could not be read or written."""


class StoreError(InfraflowError):
    """A store cannot be read or written, or does not hold what it promised."""


class TerraformError(InfraflowError):
    """Terraform or OpenTofu failed, or wrote what cannot be understood."""


class RedactError(InfraflowError):
    """A log cannot be redacted."""


class DryRunError(InfraflowError):
    """A dry run cannot be made."""


class ProcessError(InfraflowError):
    """A program cannot be started, or did not end as it should."""


class PipelineError(InfraflowError):
    """A graph of steps cannot be walked."""


class AddressError(InfraflowError):
    """A source address, a version or a constraint cannot be understood, or not be asked for."""


class CatalogError(InfraflowError):
    """A revision cannot be cataloged."""


class PublishError(InfraflowError):
    """Something cannot be published, or what was published cannot be trusted or opened."""


class InterfaceError(InfraflowError):
    """The interface of a module cannot be told."""


class ReleaseError(InfraflowError):
    """A release cannot be planned, or a plan of one not be carried out."""


class BumpError(InfraflowError):
    """References cannot be brought to another version."""
