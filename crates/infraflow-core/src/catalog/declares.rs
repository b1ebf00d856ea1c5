//! Whether a unit takes any of the values that a file has which nobody is seen to name.

use std::collections::BTreeSet;

use super::{Catalog, CatalogError, Definition, Role, ground::claims, record::Record};
use crate::{
    git::{GitError, Mode},
    proof::RepoPath,
};

/// Settings of backends, which `init -backend-config` may take from such a file as well: those that are commonly left
/// out of the block (the documentation of each backend, Terraform 1.11).
const SETTINGS: [&str; 24] = [
    "access_key",
    "address",
    "bucket",
    "conn_str",
    "container_name",
    "credentials",
    "dynamodb_table",
    "encrypt",
    "hostname",
    "key",
    "kms_key_id",
    "namespace",
    "organization",
    "path",
    "prefix",
    "profile",
    "region",
    "resource_group_name",
    "role_arn",
    "schema_name",
    "secret_suffix",
    "storage_account_name",
    "subscription_id",
    "workspace_key_prefix",
];

/// The names in a file of values.
pub(super) enum Named {
    /// These.
    These(BTreeSet<String>),
    /// Nobody can tell.
    Any,
}

impl Catalog {
    /// The names that a file gives values to; none where it is not there.
    pub(super) fn names_in(&self, path: &RepoPath, dialect: u8) -> Result<Named, CatalogError> {
        let failed = |source| CatalogError::git(self.tree(), source);
        let Some(entry) = self.tree().entry(path).map_err(failed)? else {
            return Ok(Named::These(BTreeSet::new()));
        };
        let ground = self.makings().ground(self.tree(), &self.view().links);
        let file = ground.read(&entry, &*self.makings().dialects[usize::from(dialect)]).map_err(failed)?;
        if !file.facts.unparsable.is_empty() || file.target.is_none() {
            return Ok(Named::Any);
        }
        let names = file.facts.definitions.into_iter().filter_map(|definition| match definition {
            Definition::Value(name, _) => Some(name),
            _ => None,
        });
        Ok(Named::These(names.collect()))
    }

    /// Whether the configuration of a scope has a word for any of the names: what is given to a variable that is not
    /// declared is not used (<https://developer.hashicorp.com/terraform/language/values/variables>). Told by the bytes
    /// of its files, never no where it has.
    pub(super) fn takes_any(&self, record: &Record, named: &Named) -> Result<bool, CatalogError> {
        let Named::These(names) = named else { return Ok(true) };
        let failed = |source| CatalogError::git(self.tree(), source);
        let settings = names.iter().any(|name| SETTINGS.contains(&name.as_str()));
        let has = |content: &[u8]| {
            let word = |word: &str| memchr::memmem::find(content, word.as_bytes()).is_some();
            // In JSON a name may be spelled by escapes.
            names.iter().any(|name| word(name)) || settings && word("backend") || word("\\u")
        };
        let dialects = &self.makings().dialects;
        for entry in self.tree().list(&record.directory).map_err(failed)? {
            let configures = claims(dialects, &entry.path)
                .any(|(dialect, claim)| dialect == record.key.dialect && claim.role == Role::Configuration);
            if !configures || entry.mode == Mode::Directory {
                continue;
            }
            // What a link leads to is not looked for.
            if !entry.mode.is_file() {
                return Ok(true);
            }
            match self.tree().show_entry(&entry, |content| has(content)) {
                Ok(false) => {}
                Ok(true) | Err(GitError::TooLarge { .. }) => return Ok(true),
                Err(error) => return Err(failed(error)),
            }
        }
        Ok(false)
    }
}
