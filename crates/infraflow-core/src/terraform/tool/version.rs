use std::fmt;

use schemars::JsonSchema;
use semver::Version;
use serde::{Deserialize, Serialize};

use crate::terraform::TerraformError;

/// Which program it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Product {
    /// HashiCorp's Terraform.
    Terraform,
    /// OpenTofu.
    OpenTofu,
}

impl Product {
    /// The name of its program: `terraform` or `tofu`.
    pub fn program(self) -> &'static str {
        match self {
            Self::Terraform => "terraform",
            Self::OpenTofu => "tofu",
        }
    }
}

/// A tool and its version, written `terraform 1.11.4` or `tofu 1.12.6`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct ToolVersion {
    /// Which program.
    pub product: Product,
    /// Its version.
    pub version: Version,
}

impl ToolVersion {
    /// Reads what [`fmt::Display`] writes.
    ///
    /// # Errors
    /// [`TerraformError::ToolVersion`] for anything else.
    pub fn parse(text: &str) -> Result<Self, TerraformError> {
        let bad = || TerraformError::ToolVersion { text: text.to_owned() };
        let (program, version) = text.split_once(' ').ok_or_else(bad)?;
        let product = match program {
            "terraform" => Product::Terraform,
            "tofu" => Product::OpenTofu,
            _ => return Err(bad()),
        };
        Ok(Self { product, version: Version::parse(version).map_err(|_| bad())? })
    }
}

impl fmt::Display for ToolVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.product.program(), self.version)
    }
}

impl fmt::Debug for ToolVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<ToolVersion> for String {
    fn from(tool: ToolVersion) -> Self {
        tool.to_string()
    }
}

impl TryFrom<String> for ToolVersion {
    type Error = TerraformError;
    fn try_from(text: String) -> Result<Self, TerraformError> {
        Self::parse(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tool_reads_back_from_its_text_and_nothing_else_does() {
        for text in ["terraform 1.11.4", "tofu 1.12.6", "terraform 1.15.0-beta1"] {
            assert_eq!(ToolVersion::parse(text).unwrap().to_string(), text);
        }
        for text in ["", "terraform", "terraform 1.11", "kubectl 1.35.0", "tofu  1.12.6"] {
            assert!(matches!(ToolVersion::parse(text), Err(TerraformError::ToolVersion { .. })), "{text}");
        }
    }
}
