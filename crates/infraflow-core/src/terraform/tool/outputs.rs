use serde::Deserialize;

use crate::terraform::plan::Foreign;

/// The value of an output. `Debug` hides it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct OutputValue {
    /// Whether it is declared sensitive.
    #[serde(default)]
    pub sensitive: bool,
    /// Its type, as Terraform writes it in JSON.
    #[serde(default)]
    pub r#type: Foreign,
    /// Its value.
    pub value: Foreign,
}
