use serde::{Deserialize, Serialize};

use super::{Place, StaticValue, Text};

/// What a file is to Terraform, by its name alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FileKind {
    /// Configuration: `.tf`, `.tf.json`, `.tofu`, `.tofu.json`.
    Configuration {
        /// `override.tf`, `*_override.tf` and the same with the other endings: merged over the others.
        overrides: bool,
        /// `.tofu` and `.tofu.json`: read by OpenTofu only, in place of the `.tf` of the same name.
        opentofu: bool,
        /// JSON instead of HCL.
        json: bool,
    },
    /// Values of variables: `*.tfvars`, `*.tfvars.json`.
    Variables {
        /// Read without being named: `terraform.tfvars`, `*.auto.tfvars`, and both with `.json`.
        automatic: bool,
        /// JSON instead of HCL.
        json: bool,
    },
    /// A test file: `*.tftest.hcl`, `*.tftest.json`, and `.tofutest` for OpenTofu.
    Test {
        /// JSON instead of HCL.
        json: bool,
    },
    /// Mock data of tests: `*.tfmock.hcl`, `*.tfmock.json`.
    Mock {
        /// JSON instead of HCL.
        json: bool,
    },
    /// The dependency lock file.
    Lock,
}

impl FileKind {
    /// The kind of a file with this name (the last name of its path); `None` for what neither Terraform
    /// nor OpenTofu reads by itself.
    pub fn of(name: &[u8]) -> Option<Self> {
        if name == b".terraform.lock.hcl" {
            return Some(Self::Lock);
        }
        // internal/configs/parser_config_dir.go, IsIgnoredFile
        if name.starts_with(b".") || name.ends_with(b"~") || (name.starts_with(b"#") && name.ends_with(b"#"))
        {
            return None;
        }
        let configuration = |base: &[u8], opentofu, json| {
            let overrides = base == b"override" || base.ends_with(b"_override");
            Self::Configuration { overrides, opentofu, json }
        };
        let endings: [(&[u8], bool, bool); 4] = [
            (b".tf", false, false),
            (b".tofu", true, false),
            (b".tf.json", false, true),
            (b".tofu.json", true, true),
        ];
        for (ending, opentofu, json) in endings {
            if let Some(base) = name.strip_suffix(ending) {
                return Some(configuration(base, opentofu, json));
            }
        }
        for (ending, json) in [(&b".tfvars"[..], false), (b".tfvars.json", true)] {
            if let Some(base) = name.strip_suffix(ending) {
                return Some(Self::Variables {
                    automatic: base == b"terraform" || base.ends_with(b".auto"),
                    json,
                });
            }
        }
        for (ending, json) in [
            (&b".tftest.hcl"[..], false),
            (b".tftest.json", true),
            (b".tofutest.hcl", false),
            (b".tofutest.json", true),
        ] {
            if name.ends_with(ending) {
                return Some(Self::Test { json });
            }
        }
        for (ending, json) in [(&b".tfmock.hcl"[..], false), (b".tfmock.json", true)] {
            if name.ends_with(ending) {
                return Some(Self::Mock { json });
            }
        }
        None
    }

    /// Whether the file is JSON.
    pub fn is_json(self) -> bool {
        match self {
            Self::Configuration { json, .. }
            | Self::Variables { json, .. }
            | Self::Test { json }
            | Self::Mock { json } => json,
            Self::Lock => false,
        }
    }
}

/// What one file says. Lists are in the order of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FileFacts {
    /// `module` blocks; in a test file, the `module` blocks of its `run` blocks, named after the run.
    pub calls: Vec<ModuleCall>,
    /// `variable` blocks.
    pub variables: Vec<Variable>,
    /// `output` blocks.
    pub outputs: Vec<Output>,
    /// `locals`, one by one.
    pub locals: Vec<Local>,
    /// `required_version` of `terraform` blocks.
    pub required_version: Vec<Text>,
    /// `required_providers` of `terraform` blocks.
    pub required_providers: Vec<RequiredProvider>,
    /// `backend` and `cloud` blocks.
    pub backends: Vec<Backend>,
    /// `terraform_remote_state` data sources.
    pub states: Vec<StateRead>,
    /// `provider` blocks.
    pub providers: Vec<ProviderBlock>,
    /// `resource`, `data` and `ephemeral` blocks.
    pub resources: Vec<Resource>,
    /// Files that expressions read, or name.
    pub reads: Vec<FileRead>,
    /// `moved` blocks.
    pub moved: Vec<Move>,
    /// `import` blocks.
    pub imports: Vec<ImportBlock>,
    /// `removed` blocks.
    pub removed: Vec<Removal>,
    /// Values of variables: the members of a `.tfvars` file.
    pub values: Vec<Local>,
}

/// A `module` block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ModuleCall {
    /// Its label.
    pub name: String,
    /// The whole header, for example `module "network"`.
    pub place: Place,
    /// `source`, where it is a constant text.
    pub source: Option<Text>,
    /// What is known of `source` where it is computed, as OpenTofu allows.
    pub computed_source: Option<StaticValue>,
    /// `version`, where it is a constant text.
    pub version: Option<Text>,
    /// `count` or `for_each`.
    pub repetition: Repetition,
    /// The other arguments, meta-arguments left out.
    pub arguments: Vec<Local>,
    /// Where the body's last byte before `}` is: new arguments can be put there. `None` in JSON.
    pub body_end: Option<usize>,
}

/// A name and what is known of its value: a local, an argument, a variable's value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Local {
    /// The name.
    pub name: String,
    /// The name and its expression.
    pub place: Place,
    /// What is known of the value.
    pub value: StaticValue,
}

/// A `variable` block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Variable {
    /// Its label.
    pub name: String,
    /// The header.
    pub place: Place,
    /// `type`, as the source spells it (in JSON, the text between the quotes). `verbatim` holds.
    pub type_text: Option<Text>,
    /// `default`, as the source spells it, and with what is known of its value. `None`: it is required.
    pub default: Option<Text>,
    /// What is known of the default.
    pub default_value: Option<StaticValue>,
    /// `nullable`, where it is a constant. Terraform's default is true.
    pub nullable: Option<bool>,
    /// `sensitive`, where it is a constant. Terraform's default is false.
    pub sensitive: Option<bool>,
    /// `ephemeral`, where it is a constant. Terraform's default is false.
    pub ephemeral: Option<bool>,
    /// `description`, where it is a constant text.
    pub description: Option<String>,
    /// `condition` of each `validation` block, as the source spells it.
    pub validations: Vec<Text>,
}

/// An `output` block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Output {
    /// Its label.
    pub name: String,
    /// The header.
    pub place: Place,
    /// `value`, as the source spells it.
    pub value: Option<Text>,
    /// `sensitive`, where it is a constant. Terraform's default is false.
    pub sensitive: Option<bool>,
    /// `ephemeral`, where it is a constant. Terraform's default is false.
    pub ephemeral: Option<bool>,
    /// `description`, where it is a constant text.
    pub description: Option<String>,
}

/// One member of `required_providers`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RequiredProvider {
    /// Its local name.
    pub name: String,
    /// The name and its value.
    pub place: Place,
    /// `source`, for example `hashicorp/aws`.
    pub source: Option<Text>,
    /// `version`, or the value itself in the form of Terraform 0.12.
    pub version: Option<Text>,
    /// `configuration_aliases`, each as the source spells it, for example `aws.peer`.
    pub configuration_aliases: Vec<String>,
}

/// A `backend` or `cloud` block of `terraform`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Backend {
    /// The backend's type; `cloud` for a `cloud` block.
    pub kind: String,
    /// The header.
    pub place: Place,
    /// Its settings; those of a `workspaces` block as one object.
    pub settings: Vec<(String, StaticValue)>,
}

/// A `terraform_remote_state` data source: another unit's outputs are consumed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct StateRead {
    /// The second label.
    pub name: String,
    /// The header.
    pub place: Place,
    /// `backend`, where it is a constant text.
    pub kind: Option<String>,
    /// What is known of `config`.
    pub settings: Vec<(String, StaticValue)>,
}

/// A `provider` block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ProviderBlock {
    /// Its label.
    pub name: String,
    /// The header.
    pub place: Place,
    /// `alias`.
    pub alias: Option<String>,
}

/// What a resource block declares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ResourceMode {
    /// `resource`.
    Managed,
    /// `data`.
    Data,
    /// `ephemeral`.
    Ephemeral,
}

/// How often a block stands for an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Repetition {
    /// Once.
    Single,
    /// By `count`.
    Count,
    /// By `for_each`.
    ForEach,
}

/// A `resource`, `data` or `ephemeral` block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Resource {
    /// Which of the three.
    pub mode: ResourceMode,
    /// The first label.
    pub resource_type: String,
    /// The second label.
    pub name: String,
    /// The header.
    pub place: Place,
    /// `count` or `for_each`.
    pub repetition: Repetition,
}

/// A file, or a set of files, that an expression reads or names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FileRead {
    /// The function, for example `templatefile`; `None` where a path is only named, in an argument of a
    /// resource or a provisioner that may read it (`"${path.module}/run.sh"`).
    pub function: Option<String>,
    /// What is known of the path. Relative ones begin at the directory in which the tool runs, as
    /// Terraform has it, that is the root module's.
    pub path: StaticValue,
    /// The expression.
    pub place: Place,
}

/// A `moved` block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Move {
    /// `from`, as the source spells it.
    pub from: String,
    /// `to`, as the source spells it.
    pub to: String,
    /// The header.
    pub place: Place,
}

/// An `import` block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ImportBlock {
    /// `to`, as the source spells it.
    pub to: String,
    /// The header.
    pub place: Place,
}

/// A `removed` block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Removal {
    /// `from`, as the source spells it.
    pub from: String,
    /// Whether the object is destroyed: `lifecycle { destroy = … }`; Terraform's default is true.
    pub destroys: Option<bool>,
    /// The header.
    pub place: Place,
}
