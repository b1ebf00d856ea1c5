//! The demonstration's world: two repositories with bare remotes, three environments that are deployed as
//! live trunk says, the keys of four people, and a folder that stands for a cloud.

use std::{
    fs,
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    process::Command,
};

use async_trait::async_trait;
use infraflow_core::{
    policy::{CredentialProvider, EnvironmentName, PolicyError, Purpose},
    process::{Environment, Preset},
    proof::{SigningKey, Timestamp},
    seal::SealingKey,
};
use infraflow_examples::Failure;

/// The environments, in the order of promotion.
pub const ENVIRONMENTS: [&str; 3] = ["dev", "stage", "prod"];
/// The units that each of them has at the beginning.
const UNITS: [&str; 3] = ["network", "cluster", "database"];
/// Who signs: the author of the change, two people who approve, and the pipeline itself.
pub const PEOPLE: [&str; 4] = ["ada", "bob", "carol", "pipeline"];

/// Somebody whose key nobody allowed.
pub const STRANGER: &str = "mallory";
/// The name of the key for fingerprints.
const FINGERPRINTS: &str = "fingerprints";

macro_rules! module_files {
    ($($path:literal),* $(,)?) => {
        &[$(($path, include_str!(concat!("repositories/infrastructure-modules/", $path)))),*]
    };
}

/// The modules repository, file by file.
const MODULES: &[(&str, &str)] = module_files![
    "README.md",
    "modules/bastion/examples/basic/main.tf",
    "modules/bastion/main.tf",
    "modules/bastion/outputs.tf",
    "modules/bastion/variables.tf",
    "modules/bastion/versions.tf",
    "modules/cluster/examples/basic/main.tf",
    "modules/cluster/main.tf",
    "modules/cluster/outputs.tf",
    "modules/cluster/variables.tf",
    "modules/cluster/versions.tf",
    "modules/database/examples/basic/main.tf",
    "modules/database/main.tf",
    "modules/database/outputs.tf",
    "modules/database/variables.tf",
    "modules/database/versions.tf",
    "modules/network/examples/basic/expect.toml",
    "modules/network/examples/basic/main.tf",
    "modules/network/main.tf",
    "modules/network/outputs.tf",
    "modules/network/variables.tf",
    "modules/network/versions.tf",
    "modules/storage/examples/basic/main.tf",
    "modules/storage/main.tf",
    "modules/storage/outputs.tf",
    "modules/storage/variables.tf",
    "modules/storage/versions.tf",
];

const POLICY: &str = r#"# Who may approve what. The pipeline reads this from trunk, never from the change that is judged.

[environments.dev]
units = ["dev/**"]
order = 1
approvals = 1

[environments.stage]
units = ["stage/**"]
order = 2
approvals = 1

[environments.prod]
units = ["prod/**"]
order = 3
approvals = 1
approvals_on_replace = 2

[approval]
signers = "allowed_signers"
hours = 24
"#;

/// Where everything of one demonstration is.
#[derive(Clone, Debug)]
pub struct Demonstration {
    folder: PathBuf,
    keys: PathBuf,
    date: Timestamp,
}

impl Demonstration {
    /// A demonstration below `folder`, with its keys in `keys`. Its commits are dated `date`, or as an earlier
    /// process dated them.
    pub fn open(folder: &Path, keys: &Path, date: Timestamp) -> Result<Self, Failure> {
        let dated = folder.join("date");
        let date = match fs::read_to_string(&dated) {
            Ok(text) => Timestamp::parse(text.trim())?,
            Err(_) => {
                fs::write(&dated, date.to_string())?;
                date
            }
        };
        let world = Self { folder: folder.to_owned(), keys: keys.to_owned(), date };
        world.make_keys()?;
        Ok(world)
    }

    /// Whether a demonstration began in a folder.
    pub fn is_in(folder: &Path) -> bool {
        folder.join("date").is_file()
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    pub fn date(&self) -> Timestamp {
        self.date
    }

    pub fn remote(&self, repository: &str) -> PathBuf {
        self.folder.join("remotes").join(format!("{repository}.git"))
    }

    pub fn clone_of(&self, repository: &str) -> PathBuf {
        self.folder.join("clones").join(repository)
    }

    /// The folder that stands for a cloud account.
    pub fn cloud(&self) -> PathBuf {
        self.folder.join("cloud")
    }

    pub fn store(&self) -> PathBuf {
        self.folder.join("store")
    }

    pub fn state(&self) -> PathBuf {
        self.folder.join("state")
    }

    pub fn signing_key(&self, person: &str) -> Result<SigningKey, Failure> {
        Ok(SigningKey::read(&self.keys.join(person))?)
    }

    pub fn sealing_key_file(&self, environment: &str) -> PathBuf {
        self.keys.join(format!("{environment}.sealing-key"))
    }

    pub fn sealing_key(&self, environment: &str) -> Result<SealingKey, Failure> {
        Ok(SealingKey::read(&self.sealing_key_file(environment))?)
    }

    /// The database's password, which a team would keep in its secret store: the run's environment has it,
    /// and hands it to the tools that need it.
    pub fn password(&self, environment: &str) -> String {
        format!("correct-horse-{environment}-battery")
    }

    pub fn allowed_signers(&self) -> PathBuf {
        self.clone_of("infrastructure-live").join("allowed_signers")
    }

    /// Makes the keys, unless an earlier run made them.
    fn make_keys(&self) -> Result<(), Failure> {
        fs::create_dir_all(&self.keys)?;
        fs::set_permissions(&self.keys, fs::Permissions::from_mode(0o700))?;
        for person in PEOPLE.into_iter().chain([STRANGER]) {
            let file = self.keys.join(person);
            if !file.exists() {
                write_private(&file, &SigningKey::generate(person)?.to_openssh()?)?;
            }
        }
        for name in ENVIRONMENTS.into_iter().chain([FINGERPRINTS]) {
            let file = self.sealing_key_file(name);
            if !file.exists() {
                SealingKey::generate()?.write(&file)?;
            }
        }
        Ok(())
    }

    /// The key under which sensitive values enter fingerprints: kept with the others, so that two runs with
    /// the same keys have equal ones.
    pub fn fingerprint_key(&self) -> Result<Vec<u8>, Failure> {
        Ok(self.sealing_key(FINGERPRINTS)?.to_base64().as_bytes().to_vec())
    }

    /// Makes both repositories with their remotes. Whatever an interrupted run left of them is made anew.
    pub fn make_repositories(&self) -> Result<(), Failure> {
        for made in ["remotes", "clones", "state", "cloud"] {
            let folder = self.folder.join(made);
            if folder.exists() {
                fs::remove_dir_all(&folder)?;
            }
            fs::create_dir_all(&folder)?;
        }
        self.make_repository("infrastructure-modules", &|clone| {
            MODULES.iter().try_for_each(|(path, text)| write(&clone.join(path), text))
        })?;
        for module in ["network", "cluster", "database", "storage"] {
            let tag = format!("{module}/v1.0.0");
            self.git(&self.clone_of("infrastructure-modules"), &["tag", "-a", "-m", &tag, &tag])?;
        }
        self.git(&self.clone_of("infrastructure-modules"), &["push", "-q", "origin", "--tags"])?;
        self.make_repository("infrastructure-live", &|clone| self.write_live(clone))
    }

    fn make_repository(
        &self,
        name: &str,
        fill: &dyn Fn(&Path) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let (remote, clone) = (self.remote(name), self.clone_of(name));
        self.git(&self.folder, &["init", "-q", "--bare", "-b", "main", text_of(&remote)?])?;
        self.git(&self.folder, &["init", "-q", "-b", "main", text_of(&clone)?])?;
        fill(&clone)?;
        self.git(&clone, &["add", "-A"])?;
        self.git(&clone, &["commit", "-q", "-m", "feat: begin"])?;
        self.git(&clone, &["remote", "add", "origin", text_of(&remote)?])?;
        self.git(&clone, &["push", "-q", "-u", "origin", "main"])?;
        self.git(&clone, &["remote", "set-head", "origin", "main"])
    }

    fn write_live(&self, clone: &Path) -> Result<(), Failure> {
        write(&clone.join("infraflow.toml"), POLICY)?;
        let mut signers = String::new();
        for person in PEOPLE {
            let namespace = if person == "pipeline" { "infraflow-manifest" } else { "infraflow-approval" };
            let key = self.signing_key(person)?.verifying_key();
            signers.push_str(&format!("{person}@example.com namespaces=\"{namespace}\" {key}\n"));
        }
        write(&clone.join("allowed_signers"), &signers)?;
        for environment in ENVIRONMENTS {
            for unit in UNITS {
                write(&clone.join(environment).join(unit).join("main.tf"), &self.unit(environment, unit)?)?;
            }
        }
        Ok(())
    }

    /// The backend of a unit, as HCL.
    pub fn backend(&self, environment: &str, unit: &str) -> Result<String, Failure> {
        let state = self.state().join(environment).join(format!("{unit}.tfstate"));
        Ok(format!("terraform {{\n  backend \"local\" {{\n    path = \"{}\"\n  }}\n}}\n", text_of(&state)?))
    }

    /// A unit's configuration: a backend, and one call of a released module.
    fn unit(&self, environment: &str, module: &str) -> Result<String, Failure> {
        let backend = self.backend(environment, module)?;
        let modules = self.remote("infrastructure-modules");
        let modules = text_of(&modules)?;
        let (variable, argument) = match module {
            "database" => (
                "\nvariable \"password\" {\n  type      = string\n  sensitive = true\n}\n",
                "  password = var.password\n",
            ),
            _ => ("", ""),
        };
        Ok(format!(
            r#"{backend}{variable}
module "{module}" {{
  # Released by tags of its own; see the modules repository.
  source = "git::file://{modules}//modules/{module}?ref={module}/v1.0.0"

  name = "{environment}"
{argument}}}
"#
        ))
    }

    /// Who hands out what the tools need to know: here, the passwords.
    pub fn secrets(&self) -> Secrets {
        Secrets(self.clone())
    }

    /// Deploys every unit as trunk has it, so that trunk and reality agree when the run begins.
    pub fn deploy_everything(&self, terraform: &Path) -> Result<(), Failure> {
        let live = self.clone_of("infrastructure-live");
        std::thread::scope(|scope| {
            let workers: Vec<_> = ENVIRONMENTS
                .map(|environment| {
                    let live = &live;
                    scope.spawn(move || {
                        UNITS.iter().try_for_each(|unit| {
                            self.deploy(terraform, &live.join(environment).join(unit), environment)
                        })
                    })
                })
                .into_iter()
                .collect();
            workers
                .into_iter()
                .try_for_each(|worker| worker.join().map_err(|_| Failure::from("a worker panicked"))?)
        })
    }

    fn deploy(&self, terraform: &Path, unit: &Path, environment: &str) -> Result<(), Failure> {
        let data = tempfile::tempdir()?;
        self.terraform(terraform, unit, environment, data.path(), &["init", "-input=false", "-no-color"])?;
        let apply = ["apply", "-input=false", "-no-color", "-auto-approve", "-lock-timeout=60s"];
        self.terraform(terraform, unit, environment, data.path(), &apply)
    }

    /// Somebody in a hurry: another name for the network, applied from a checkout of their own.
    pub fn apply_by_hand(&self, terraform: &Path) -> Result<(), Failure> {
        let elsewhere = tempfile::tempdir()?;
        let live = self.clone_of("infrastructure-live");
        self.git(&live, &["pull", "-q"])?;
        let text = fs::read_to_string(live.join("prod/network/main.tf"))?;
        let cidr = "  name = \"prod\"\n  cidr = \"10.99.0.0/16\"\n";
        write(&elsewhere.path().join("main.tf"), &text.replace("  name = \"prod\"\n", cidr))?;
        self.deploy(terraform, elsewhere.path(), "prod")
    }

    fn terraform(
        &self,
        terraform: &Path,
        folder: &Path,
        environment: &str,
        data: &Path,
        arguments: &[&str],
    ) -> Result<(), Failure> {
        let mut command = Command::new(terraform);
        command.args(arguments).current_dir(folder).env("TF_DATA_DIR", data);
        command.env("TF_VAR_password", self.password(environment));
        run(command)
    }

    /// Runs git with the demonstration's author and date, and nobody's configuration.
    pub fn git(&self, folder: &Path, arguments: &[&str]) -> Result<(), Failure> {
        let date = self.date.to_string();
        let mut command = Command::new("git");
        command.args(arguments).current_dir(folder);
        command.envs([("GIT_CONFIG_GLOBAL", "/dev/null"), ("GIT_CONFIG_SYSTEM", "/dev/null")]);
        command.envs([("GIT_AUTHOR_NAME", "Ada"), ("GIT_AUTHOR_EMAIL", "ada@example.com")]);
        command.envs([("GIT_COMMITTER_NAME", "Ada"), ("GIT_COMMITTER_EMAIL", "ada@example.com")]);
        command.envs([("GIT_AUTHOR_DATE", &date), ("GIT_COMMITTER_DATE", &date)]);
        run(command)
    }
}

/// Hands out each environment's password, and beyond that only what nearly every tool needs.
#[derive(Clone, Debug)]
pub struct Secrets(Demonstration);

#[async_trait]
impl CredentialProvider for Secrets {
    async fn credentials(
        &self,
        environment: &EnvironmentName,
        _: Purpose,
    ) -> Result<Environment, PolicyError> {
        let base = Environment::preset(&[Preset::Base, Preset::Proxies, Preset::CliConfig, Preset::Git]);
        Ok(base.with("TF_VAR_password", self.0.password(environment.as_str())))
    }
}

fn run(mut command: Command) -> Result<(), Failure> {
    let output = command.output().map_err(|error| format!("cannot start {command:?}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let program = command.get_program().to_string_lossy().into_owned();
    let arguments: Vec<_> = command.get_args().map(|argument| argument.to_string_lossy()).collect();
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("cannot prepare the demonstration: {program} {} failed:\n{said}", arguments.join(" ")).into())
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, text).map_err(|error| format!("cannot write {}: {error}", path.display()).into())
}

fn write_private(path: &Path, text: &str) -> Result<(), Failure> {
    use std::io::Write as _;
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    Ok(file.write_all(text.as_bytes())?)
}

/// A path as text for a configuration file, where it has to be UTF-8 without quotes.
fn text_of(path: &Path) -> Result<&str, Failure> {
    path.to_str().filter(|text| !text.contains(['"', '\\', '$', '%', '\n', '?', '#'])).ok_or_else(|| {
        format!(
            "cannot use the folder {}: Terraform cannot take its name\n  help: pass another with --dir",
            path.display()
        )
        .into()
    })
}
