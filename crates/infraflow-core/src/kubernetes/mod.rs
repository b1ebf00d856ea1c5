//! What files of Kubernetes' tools say, read without running anything: kustomizations and Helm charts, each
//! statement with the place where it stands.
//!
//! # Kustomizations
//! [`Kustomization::parse`] reads `kustomization.yaml`, `kustomization.yml` or `Kustomization` as kustomize 5
//! does (`api/types/kustomization.go` and `api/internal/target` of its repository): every field through which
//! a build reads a file, the deprecated ones included. Letter case of names does not matter, as it does not to
//! kustomize's decoder. Configuration of generators, transformers and validators is read too: that of the
//! built-in ones for the paths that they load, that of others for anything that may be one.
//! [`RemoteBase::parse`] takes apart the address of a base in a git repository.
//!
//! # Charts
//! [`Chart::parse`] reads `Chart.yaml` and `requirements.yaml`, [`IgnoreRules`] a `.helmignore`.

mod chart;
mod function;
mod helmignore;
mod kustomization;
mod remote;

pub use chart::{Chart, Dependency};
pub use function::functions;
pub use helmignore::IgnoreRules;
pub use kustomization::{Finding, Kind, Kustomization, What};
pub use remote::RemoteBase;
