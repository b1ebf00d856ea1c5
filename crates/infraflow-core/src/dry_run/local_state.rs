use std::{io, path::Path};

use serde::Deserialize;

use crate::{catalog::UnitId, git::Repository};

/// Where the state of a unit lies when no backend keeps it: in a file of the user's own checkout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LocalState {
    /// A backend has it.
    InBackend,
    /// It is a file of the checkout, and was copied to where the tool looks for it.
    Copied,
    /// It would be a file of the checkout, and there is none.
    Missing,
}

/// What `init` notes about the backend, in `.terraform/terraform.tfstate`.
#[derive(Deserialize)]
struct Noted {
    backend: Option<Backend>,
}

#[derive(Deserialize)]
struct Backend {
    r#type: String,
    config: Option<BackendConfig>,
}

#[derive(Deserialize)]
struct BackendConfig {
    path: Option<String>,
    workspace_dir: Option<String>,
}

/// Brings the state of a unit without a backend to its folder, so that the dry run says what is true in this
/// checkout. Where it leads out of the repository, it stays where it is.
///
/// A copy is planned against, never applied to: what is written to it is lost with the folder.
pub(super) fn bring(repository: &Repository, unit: &UnitId, folder: &Path) -> io::Result<LocalState> {
    let noted = match std::fs::read(folder.join(".terraform/terraform.tfstate")) {
        Ok(bytes) => serde_json::from_slice::<Noted>(&bytes).ok().and_then(|noted| noted.backend),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    let config = match noted {
        Some(backend) if backend.r#type != "local" => return Ok(LocalState::InBackend),
        Some(backend) => backend.config,
        None => None,
    };
    let (path, workspaces) = config.map_or((None, None), |config| (config.path, config.workspace_dir));
    let file = match unit.workspace().map(|workspace| workspace.as_str()).filter(|name| *name != "default") {
        Some(name) => {
            format!("{}/{name}/terraform.tfstate", workspaces.as_deref().unwrap_or("terraform.tfstate.d"))
        }
        None => path.unwrap_or_else(|| "terraform.tfstate".to_owned()),
    };
    if Path::new(&file).is_absolute() {
        return Ok(LocalState::InBackend);
    }
    let Some(place) = unit.path().resolve(&file).filter(|_| !repository.is_bare()) else {
        return Ok(LocalState::Missing);
    };
    let (from, to) = (place.below(repository.root()), folder.join(&file));
    if to.exists() {
        return Ok(LocalState::Copied);
    }
    // A link in its place would be followed to wherever a hostile checkout points.
    if !from.symlink_metadata().is_ok_and(|found| found.is_file()) {
        return Ok(LocalState::Missing);
    }
    if let Some(parent) = to.parent() {
        std::fs::create_dir_all(parent)?;
    }
    std::fs::copy(from, to)?;
    Ok(LocalState::Copied)
}
