use std::{
    ffi::OsStr,
    fmt,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

use super::{Driver, Product, ToolVersion};
use crate::{
    process::{Command, Environment, Preset},
    terraform::TerraformError,
};

/// A terraform or tofu that was found and asked for its version.
#[derive(Clone, PartialEq, Eq)]
pub struct Tool {
    program: PathBuf,
    version: ToolVersion,
}

impl Tool {
    /// The variable of the environment that names the program to use, by its path or by a name on the PATH.
    pub const VARIABLE: &'static str = "INFRAFLOW_TERRAFORM";

    /// The program that [`Tool::VARIABLE`] names or, where it is not set, `terraform`, or else `tofu`, on the
    /// PATH of this process. Blocks for as long as the program takes to say its version.
    ///
    /// # Errors
    /// [`TerraformError::NotFound`], or as [`Tool::at`].
    pub fn find() -> Result<Self, TerraformError> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        match std::env::var_os(Self::VARIABLE).filter(|named| !named.is_empty()) {
            Some(named) => Self::find_named(&named, &path),
            None => Self::find_on(&path),
        }
    }

    /// `terraform`, or else `tofu`, on a PATH.
    ///
    /// # Errors
    /// As [`Tool::find`].
    pub fn find_on(path: &OsStr) -> Result<Self, TerraformError> {
        let program = ["terraform", "tofu"].iter().find_map(|name| on_path(path, name));
        let not_found = || TerraformError::NotFound { searched: path.to_string_lossy().into_owned() };
        Self::at(program.ok_or_else(not_found)?)
    }

    fn find_named(named: &OsStr, path: &OsStr) -> Result<Self, TerraformError> {
        if Path::new(named).components().count() > 1 {
            return Self::at(named);
        }
        let searched = || TerraformError::NamedNotFound {
            variable: Self::VARIABLE,
            named: named.to_string_lossy().into_owned(),
            searched: path.to_string_lossy().into_owned(),
        };
        Self::at(on_path(path, named).ok_or_else(searched)?)
    }

    /// The program at a path.
    ///
    /// # Errors
    /// [`TerraformError::Process`] where it cannot be started, [`TerraformError::NotATool`] where it does not
    /// say that it is terraform or tofu.
    pub fn at(program: impl Into<PathBuf>) -> Result<Self, TerraformError> {
        let program = program.into();
        let finished = Command::new(&program)
            .arg("version")
            .environment(Environment::preset(&[Preset::Base]).with("CHECKPOINT_DISABLE", "1"))
            .time_limit(Duration::from_secs(30))
            .run_blocking()?;
        let text = String::from_utf8_lossy(&finished.stdout);
        let version = text.lines().find_map(|line| {
            let (product, version) = line.split_once(" v")?;
            let product = match product {
                "Terraform" => Product::Terraform,
                "OpenTofu" => Product::OpenTofu,
                _ => return None,
            };
            let version = semver::Version::parse(version.split_whitespace().next()?).ok()?;
            Some(ToolVersion { product, version })
        });
        match version {
            Some(version) if finished.success() => Ok(Self { program, version }),
            _ => Err(TerraformError::NotATool { program, verdict: finished.verdict() }),
        }
    }

    /// The program.
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// Which program it is, and its version.
    pub fn version(&self) -> &ToolVersion {
        &self.version
    }

    /// The tool at work in the folder of a root module.
    pub fn driver(&self, folder: impl Into<PathBuf>) -> Driver {
        Driver::new(self.clone(), folder.into())
    }
}

fn on_path(path: &OsStr, name: impl AsRef<Path>) -> Option<PathBuf> {
    std::env::split_paths(path).map(|folder| folder.join(name.as_ref())).find(|file| {
        file.metadata().is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
    })
}

impl fmt::Debug for Tool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tool({} at {})", self.version, self.program.display())
    }
}
