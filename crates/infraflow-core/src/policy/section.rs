use serde::de::DeserializeOwned;

/// A folder's part of the configuration: a plain struct, read from the table (or list) of that name in
/// `infraflow.toml` over the crate's `defaults.toml`.
///
/// # Contract
/// 1. `NAME` stands as a top-level key in `src/policy/defaults.toml`, with every default and what it means;
///    a top-level key that stands nowhere in it is an error.
/// 2. The struct says `#[serde(deny_unknown_fields)]`: a misspelt key is an error and never ignored.
/// 3. Numbers carry their unit in the name (`hours`, `seconds`).
/// 4. Its fields are public or have a builder, so that a program can do without a file altogether.
///
/// ```
/// use infraflow_core::policy::{Configuration, Section};
/// #[derive(serde::Deserialize)]
/// #[serde(deny_unknown_fields)]
/// struct Approval {
///     signers: String,
///     hours: u32,
///     allow_author: bool,
///     approvals: u32,
///     approvals_on_gate: u32,
/// }
/// impl Section for Approval {
///     const NAME: &'static str = "approval";
/// }
/// let configuration = Configuration::parse("approval.hours = 8", "infraflow.toml")?;
/// assert_eq!(configuration.section::<Approval>()?.hours, 8);
/// assert_eq!(Configuration::defaults().section::<Approval>()?.hours, 24);
/// # Ok::<(), infraflow_core::policy::PolicyError>(())
/// ```
pub trait Section: DeserializeOwned {
    /// The top-level key, in snake_case.
    const NAME: &'static str;
}
