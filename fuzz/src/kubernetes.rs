//! What a kustomization and a chart state together with the files they name.

use infraflow_core::catalog::{HelmDialect, KustomizeDialect};

use crate::{memory::Memory, parts};

const NAMES: [&str; 10] = [
    "live/kustomization.yaml",
    "base/kustomization.yaml",
    "base/deployment.yaml",
    "part/Kustomization",
    "live/patch.yaml",
    "live/chart/Chart.yaml",
    "live/chart/values.yaml",
    "live/chart/templates/all.yaml",
    "live/chart/.helmignore",
    "live/chart/charts/sub/Chart.yaml",
];

/// The parts of the input are the files of a small tree.
pub fn run(data: &[u8]) {
    Memory::of(&KustomizeDialect, &NAMES, &parts(data)).resolve_all();
    Memory::of(&HelmDialect, &NAMES, &parts(data)).resolve_all();
}
