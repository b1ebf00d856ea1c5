use tokio_util::sync::CancellationToken;

use super::ReleaseError;

/// Runs what waits for git on a thread where waiting harms nobody. Once it began it is not given up, since
/// a push may be under way.
pub(super) async fn blocking<T: Send + 'static>(
    cancel: &CancellationToken,
    work: impl FnOnce() -> Result<T, ReleaseError> + Send + 'static,
) -> Result<T, ReleaseError> {
    if cancel.is_cancelled() {
        return Err(ReleaseError::Cancelled);
    }
    tokio::task::spawn_blocking(work).await.map_err(|source| ReleaseError::Lost { source })?
}
