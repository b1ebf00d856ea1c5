use std::{
    fs::File,
    os::fd::OwnedFd,
    path::{Path, PathBuf},
    time::Duration,
};

use rustix::fs::{FlockOperation, flock};
use tokio_util::sync::CancellationToken;

use super::Product;
use crate::process::Environment;

/// The provider plugin cache that an environment sets, held for one `init`: two of them that fill the same
/// cache at once break each other (the tools say so in their documentation of `plugin_cache_dir`).
///
/// The lock is an advisory one on a file in the cache, so it holds between processes too, and dies with its owner.
pub(super) struct PluginCache(#[allow(dead_code)] OwnedFd);

impl PluginCache {
    /// The name of the file that is locked.
    const LOCK: &'static str = ".infraflow.lock";

    /// Waits for the cache, where there is one that can be written. `None` where there is none, or waiting
    /// was cancelled.
    pub(super) async fn hold(
        environment: &Environment,
        product: Product,
        cancel: &CancellationToken,
    ) -> Option<Self> {
        let folder = folder(environment, product)?;
        let file = File::options().create(true).append(true).open(folder.join(Self::LOCK)).ok()?;
        let file = OwnedFd::from(file);
        loop {
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => return Some(Self(file)),
                Err(rustix::io::Errno::WOULDBLOCK) => {}
                // A file system without locks: init must do without.
                Err(_) => return None,
            }
            tokio::select! {
                () = cancel.cancelled() => return None,
                () = tokio::time::sleep(Duration::from_millis(20)) => {}
            }
        }
    }
}

/// `TF_PLUGIN_CACHE_DIR`, or `plugin_cache_dir` of the CLI configuration.
fn folder(environment: &Environment, product: Product) -> Option<PathBuf> {
    if let Some(folder) = environment.get("TF_PLUGIN_CACHE_DIR").filter(|folder| !folder.is_empty()) {
        return Some(folder.into());
    }
    let home = environment.get("HOME").map(PathBuf::from);
    let configuration = ["TF_CLI_CONFIG_FILE", "TERRAFORM_CONFIG"]
        .iter()
        .find_map(|name| environment.get(name).filter(|file| !file.is_empty()).map(PathBuf::from))
        .or_else(|| {
            let names: &[&str] = match product {
                Product::Terraform => &[".terraformrc"],
                Product::OpenTofu => &[".tofurc", ".terraformrc"],
            };
            names
                .iter()
                .map(|name| Some(home.as_ref()?.join(name)))
                .find_map(|file| file.filter(|f| f.is_file()))
        })?;
    let text = std::fs::read_to_string(&configuration).ok()?;
    let body: hcl::Body = hcl::from_str(&text).ok()?;
    let folder = body.attributes().find(|attribute| attribute.key() == "plugin_cache_dir")?;
    let hcl::Expression::String(folder) = folder.expr() else { return None };
    let folder = match (folder.strip_prefix("$HOME").or_else(|| folder.strip_prefix('~')), home) {
        (Some(rest), Some(home)) => home.join(rest.trim_start_matches('/')),
        _ => PathBuf::from(folder),
    };
    Some(folder).filter(|folder: &PathBuf| Path::is_absolute(folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cache_is_found_in_the_environment_and_in_the_cli_configuration() {
        let home = tempfile::tempdir().unwrap();
        let environment = Environment::empty().with("HOME", home.path());
        assert_eq!(folder(&environment, Product::Terraform), None);
        std::fs::write(home.path().join(".terraformrc"), "plugin_cache_dir = \"$HOME/.cache/p\"\n").unwrap();
        assert_eq!(folder(&environment, Product::OpenTofu), Some(home.path().join(".cache/p")));
        let named = environment.with("TF_PLUGIN_CACHE_DIR", "/cache");
        assert_eq!(folder(&named, Product::Terraform), Some("/cache".into()));
    }

    #[tokio::test]
    async fn one_init_at_a_time_fills_a_cache() {
        let cache = tempfile::tempdir().unwrap();
        let environment = Environment::empty().with("TF_PLUGIN_CACHE_DIR", cache.path());
        let cancel = CancellationToken::new();
        let first = PluginCache::hold(&environment, Product::Terraform, &cancel).await;
        assert!(first.is_some());
        let waiting = PluginCache::hold(&environment, Product::Terraform, &cancel);
        assert!(tokio::time::timeout(Duration::from_millis(100), waiting).await.is_err());
        drop(first);
        assert!(PluginCache::hold(&environment, Product::Terraform, &cancel).await.is_some());
    }
}
