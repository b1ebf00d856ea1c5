//! What is proved at the end: no secret was posted in clear, and trunk is true.

use std::{fs, path::Path, sync::Arc};

use infraflow_core::{
    dry_run::{DriftReport, DryRunContext, TerraformDryRunner, check_drift},
    git::{CloneOptions, Repository},
    policy::Policy,
    proof::{AllowedSigners, Principal, SystemClock},
    publish::{ItemName, OpenRequest, open_log},
    seal::SharedKeySealer,
    store::Key,
    terraform::Tool,
};
use infraflow_examples::Failure;

use crate::{
    modules::catalog,
    road::{Road, at},
};

/// The database's password stands in the opened logs, and in nothing that was posted in clear.
pub async fn nothing_in_clear(road: &Road<'_>, logs: &[(&str, Key)]) -> Result<(), Failure> {
    road.headline("", "the secret stands in the opened logs, and in nothing that was posted in clear");
    let signers = AllowedSigners::parse(&fs::read_to_string(road.world.allowed_signers())?)?;
    let private = tempfile::tempdir()?;
    for (environment, manifest) in logs {
        let secret = road.world.password(environment);
        let request = OpenRequest {
            store: &road.store,
            manifest,
            item: ItemName::Log,
            signers: &signers,
            sealer: Arc::new(SharedKeySealer::new(road.world.sealing_key(environment)?)),
            by: Principal("ada@example.com".into()),
        };
        let opened = private.path().join(environment);
        open_log(&request, &opened, &SystemClock).await?;
        if !contains(&fs::read(&opened)?, secret.as_bytes()) {
            return Err(format!("the log of {environment} is not whole: its secret is missing").into());
        }
        if let Some(file) = first_with(&road.world.store(), secret.as_bytes())? {
            return Err(format!("a secret of {environment} stands in clear in {}", file.display()).into());
        }
    }
    road.say(format!("     {} logs opened; not a trace of a secret in the store", logs.len()));
    Ok(())
}

/// The first file below a folder that contains some bytes.
fn first_with(folder: &Path, bytes: &[u8]) -> Result<Option<std::path::PathBuf>, Failure> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            if let Some(found) = first_with(&path, bytes)? {
                return Ok(Some(found));
            }
        } else if contains(&fs::read(&path)?, bytes) {
            return Ok(Some(path));
        }
    }
    Ok(None)
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

/// Step 10. A fresh clone of trunk dry-runs to no changes; what somebody applies past the pipeline is named.
pub async fn trunk_is_true(road: &Road<'_>, tool: &Tool) -> Result<(), Failure> {
    road.headline("10", "a fresh clone of live trunk dry-runs to no changes everywhere");
    let report = drift(road, tool).await?;
    if !report.is_clean() {
        return Err(format!("trunk is not true: {:?}", report.units).into());
    }
    road.say(format!("     {} units agree with trunk", report.units.len()));

    road.headline("", "somebody applies something by hand, and the check of trunk names it");
    let by_hand = || road.world.apply_by_hand(tool.program());
    by_hand()?;
    let report = drift(road, tool).await?;
    for unit in report.disagreeing() {
        for found in &unit.disagreements {
            road.say(format!("     {}: {} {}", unit.id, found.address, found.path));
        }
    }
    let named: Vec<String> = report.disagreeing().map(|unit| unit.id.to_string()).collect();
    if named != ["prod/network"] {
        return Err(format!("the check of trunk should name prod/network, and names {named:?}").into());
    }
    Ok(())
}

async fn drift(road: &Road<'_>, tool: &Tool) -> Result<DriftReport, Failure> {
    let fresh = tempfile::tempdir()?;
    let remote = road.world.remote("infrastructure-live");
    let repository =
        Repository::clone_from(&remote.to_string_lossy(), fresh.path().join("live"), &CloneOptions::new())?;
    let trunk = at(repository.trunk_tip()?);
    let tree = repository.tree(&trunk)?;
    let (hmac, secrets) = (road.store.hmac().await?, road.world.secrets());
    let context = DryRunContext {
        repository: &repository,
        credentials: &secrets,
        hmac: &hmac,
        cancel: &road.cancel,
        observer: road.console,
    };
    let runner = TerraformDryRunner::new(tool.clone());
    let (report, _) = check_drift(&runner, &trunk, &catalog(&tree)?, &Policy::read(&tree)?, &context).await?;
    Ok(report)
}
