//! A configuration, its sections, and what its rules say of a path.

use infraflow_core::{
    catalog::CatalogRules,
    impact::{Rules, ScopeLimits},
    policy::{Configuration, Policy},
    proof::RepoPath,
    select::SelectRules,
};

use crate::parts;

/// The first part is an `infraflow.toml`, each further one a path.
pub fn run(data: &[u8]) {
    let parts = parts(data);
    let Some((text, paths)) = parts.split_first() else { return };
    let Ok(text) = std::str::from_utf8(text) else { return };
    let Ok(configuration) = Configuration::parse(text, "fuzzed") else { return };
    let (impact, catalog) = (configuration.section::<Rules>(), configuration.section::<CatalogRules>());
    let _ = configuration.section::<ScopeLimits>();
    let _ = configuration.section::<SelectRules>();
    let _ = Policy::of(&configuration, "");
    for path in paths.iter().filter_map(|path| RepoPath::parse(path).ok()) {
        if let Ok(rules) = &impact {
            rules.judge(&path);
            rules.also(&path).count();
            rules.depending_on(&path).count();
        }
        if let Ok(rules) = &catalog {
            let _ = (rules.is_live(&path), rules.is_module(&path), rules.is_ignored(&path));
        }
    }
}
