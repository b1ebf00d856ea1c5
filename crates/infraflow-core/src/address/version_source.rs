use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use super::{AddressError, SourceAddress, Version};

/// Says which versions of a module there are.
///
/// # Contract
/// 1. `versions` is *observe*: it may use the network, and changes nothing.
/// 2. It answers for the very module that the address names, its subdirectory included: versions of other
///    modules of the same package are left out.
/// 3. Versions come in ascending order, each once.
/// 4. An address of a kind it does not know is [`AddressError::NotAsked`], never an empty answer.
/// 5. It ends soon after the token is cancelled, with [`AddressError::Cancelled`].
#[async_trait]
pub trait VersionSource: Send + Sync {
    /// The versions of a module.
    ///
    /// # Errors
    /// [`AddressError::NotAsked`], [`AddressError::Cancelled`], [`AddressError::Observe`] where the world does
    /// not answer.
    async fn versions(
        &self,
        address: &SourceAddress,
        cancel: &CancellationToken,
    ) -> Result<Vec<AvailableVersion>, AddressError>;
}

/// A version, and what to write to get it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct AvailableVersion {
    /// The version.
    pub version: Version,
    /// The ref, or registry version, that gets it: `network/v1.2.3`.
    pub reference: String,
}

impl AvailableVersion {
    /// A version, and what to write to get it.
    pub fn new(version: Version, reference: impl Into<String>) -> Self {
        Self { version, reference: reference.into() }
    }
}
