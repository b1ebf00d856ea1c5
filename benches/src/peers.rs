//! The programs that are measured beside this one, built from their modules.

use std::{
    fmt,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{Failure, process::Words};

/// A program that answers which directories a change touches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// Terramate.
    Terramate,
    /// Terragrunt.
    Terragrunt,
}

impl Peer {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Terramate, Self::Terragrunt];

    /// What it is called.
    pub fn name(self) -> &'static str {
        match self {
            Self::Terramate => "terramate",
            Self::Terragrunt => "terragrunt",
        }
    }

    /// The variable that names a program which is built already.
    pub fn variable(self) -> &'static str {
        match self {
            Self::Terramate => "INFRAFLOW_TERRAMATE",
            Self::Terragrunt => "INFRAFLOW_TERRAGRUNT",
        }
    }

    /// Its Go module, the version, and the package of its program.
    fn module(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Terramate => ("github.com/terramate-io/terramate", "v0.17.2", "./cmd/terramate"),
            Self::Terragrunt => ("github.com/gruntwork-io/terragrunt", "v1.1.3", "."),
        }
    }

    /// The version that is built.
    pub fn version(self) -> &'static str {
        self.module().1
    }

    /// The command that prints which directories `feature` touches, one a line.
    pub fn question(self, program: &Path, repository: &Path) -> Words {
        let command = Words::new(program, repository);
        match self {
            Self::Terramate => command.with(["list", "--changed", "--git-change-base", "main"]),
            Self::Terragrunt => {
                command.with(["--no-color", "--log-level", "error", "find", "--filter", "[main...feature]"])
            }
        }
    }

    /// The program: the one that its variable names, the one that was built before, or one built now.
    ///
    /// # Errors
    /// Where it can neither be found nor built; the message says why.
    pub fn program(self, cache: &Path, build: Build) -> Result<PathBuf, Failure> {
        if let Some(program) = std::env::var_os(self.variable()) {
            let program = PathBuf::from(program);
            if program.is_file() {
                return Ok(program);
            }
            return Err(format!("{} names {}, which is no file", self.variable(), program.display()).into());
        }
        let program = cache.join(format!("{}-{}", self.name(), self.version()));
        if program.is_file() {
            return Ok(program);
        }
        if build == Build::Never {
            return Err(
                format!("it is not in {}, and {} is not set", cache.display(), self.variable()).into()
            );
        }
        self.build(&program)?;
        Ok(program)
    }

    /// `go install` refuses modules that replace others; a copy of the source is built in its place.
    fn build(self, program: &Path) -> Result<(), Failure> {
        let (module, version, package) = self.module();
        let folder = tempfile::tempdir()?;
        let mut download = Command::new("go");
        download
            .args(["mod", "download", "-json", &format!("{module}@{version}")])
            .current_dir(folder.path());
        let told: serde_json::Value = serde_json::from_slice(&checked(&mut download)?)?;
        let source = told["Dir"].as_str().ok_or_else(|| format!("go did not say where {module} is"))?;
        let copy = folder.path().join("source");
        checked(Command::new("cp").arg("-r").arg(source).arg(&copy))?;
        checked(Command::new("chmod").args(["-R", "u+w"]).arg(&copy))?;
        if let Some(cache) = program.parent() {
            std::fs::create_dir_all(cache)?;
        }
        checked(Command::new("go").args(["build", "-o"]).arg(program).arg(package).current_dir(&copy))?;
        Ok(())
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name(), self.version())
    }
}

/// Whether a peer that is not there is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Build {
    /// It takes minutes, and downloads its modules.
    WhereMissing,
    /// It is reported as missing.
    Never,
}

fn checked(command: &mut Command) -> Result<Vec<u8>, Failure> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|error| format!("cannot run {program}: {error}"))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let complaint = String::from_utf8_lossy(&output.stderr);
    let last = complaint.trim().lines().last().unwrap_or_default().to_owned();
    Err(format!("{program} ends with {}: {last}", output.status).into())
}
