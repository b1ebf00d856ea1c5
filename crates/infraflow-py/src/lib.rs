//! The Python extension: `infraflow._infraflow`, re-exported by the typed package `infraflow`.
//!
//! One file per topic. What they share: [`data`] makes frozen classes of the core's data, [`value`] carries
//! values over, [`error`] turns the core's errors into one hierarchy of exceptions, and [`job`] runs calls
//! detached from the interpreter, blocking or awaited.

/// A catalog is made of millions of small pieces, on several threads at once; an interpreter's heap has no room for
/// them in a row. It serves this extension alone: Python's own objects stay where they are.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

mod bump;
mod catalog;
mod cataloging;
mod conformance;
mod credentials;
mod data;
mod detect;
mod dialect;
mod dry_run;
mod error;
mod impact;
mod job;
mod lookup;
mod nature;
mod observe;
mod policy;
mod proof;
mod publish;
mod redact;
mod release;
mod repository;
mod seal;
mod select;
mod sign;
mod store;
mod terraform;
mod value;

use pyo3::prelude::*;

/// The private half of the package `infraflow`.
#[pymodule]
mod _infraflow {
    #[pymodule_export]
    use crate::{
        bump::{BumpEdit, BumpPlan, BumpTarget, Bumped, Scaffold, SkippedReference, TerraformBumper},
        catalog::{Case, Catalog, CatalogCache, Module, ModuleCall, Reference, Unit},
        conformance::{check_change_detector, check_dialect},
        detect::{Change, ChangeSet, Endpoints, GitDetector, GivenFiles, detect, detect_async},
        dialect::{FactReference, Facts, Lines, Mark, Place, standard_dialects},
        dry_run::{
            Disagreement, DriftReport, DryRun, DryRunOutcome, DryRunPlan, PlannedUnit, SkippedUnit,
            TerraformDryRunner, UnitArtefacts, UnitDrift, UnitDryRun, drift_report,
        },
        impact::{
            AffectedCase, AffectedModule, AffectedStackUnit, AffectedUnit, Answered, BranchAge, Graph,
            Impact, Reach, Reached, RenamedUnit, Ruled, Scope, Unparsable, Why, Width, dot, graph, impact,
            mermaid, reach, scope, tell_renames, why,
        },
        job::{_shutdown, Started},
        lookup::Lookup,
        nature::{Nature, StepGraph, StepSpec, nature, steps},
        observe::Event,
        policy::{Configuration, Policy},
        proof::{Link, Reason},
        publish::{
            NotPublished, OpenedItem, Opening, PublishPlan, Published, PublishedItem, StorePublisher,
            UnitPublishPlan, UnitPublished, open_log, open_log_async, openings,
        },
        redact::{LeftAlone, Redacted, Redaction, RedactionReport, SecretRedactor},
        release::{
            Identity, InterfaceChange, ModuleTags, Release, ReleasePlan, Released, ReleasedCommit,
            ReleasedTag, Tag, Unreleased, observe_tags, observe_tags_async,
        },
        repository::Repository,
        seal::{Opened, Sealed, SealingKey, SharedKeySealer},
        select::{
            BudgetUse, Contents, ContentsOf, Flaky, GreenRun, History, PlannedCase, Quarantined, RecordedRun,
            Shard, SkippedCase, TestPlan, nightly, select,
        },
        sign::{AllowedSigners, SigningKey},
        store::Store,
        terraform::{Counts, Drift, OutputChange, PlanSummary, ResourceChange, StateVersion, plan_summary},
    };

    /// The version of the package, and of the core inside it.
    #[pymodule_export]
    #[allow(non_upper_case_globals)]
    const __version__: &str = env!("CARGO_PKG_VERSION");
}
