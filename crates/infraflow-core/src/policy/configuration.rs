use std::{borrow::Cow, fmt, path::Path, sync::Arc};

use super::{
    PolicyError, Section, defaults,
    located::{self, Table},
    text_file::text_of,
};
use crate::{git::Tree, proof::RepoPath};

/// The configuration: the crate's documented defaults, and a repository's `infraflow.toml` laid over them.
///
/// A table is merged with its default member by member; a list, a text, a number replaces it. Each folder
/// reads its own part with [`Configuration::section`].
#[derive(Clone, Default)]
pub struct Configuration {
    /// What is laid over the defaults.
    over: Arc<Table>,
    origin: Option<Arc<str>>,
}

impl Configuration {
    /// The name of the file, in a repository's root.
    pub const FILE: &'static str = "infraflow.toml";

    /// The defaults alone.
    pub fn defaults() -> Self {
        Self::default()
    }

    /// The text of the defaults file, for people who want to know what they can write.
    pub fn defaults_text() -> &'static str {
        defaults::TEXT
    }

    /// The configuration that a text describes; `origin` is the file's name, for messages.
    ///
    /// # Errors
    /// [`PolicyError::NotToml`], or [`PolicyError::UnknownKey`] for a section that nobody reads.
    pub fn parse(text: &str, origin: impl fmt::Display) -> Result<Self, PolicyError> {
        let origin: Arc<str> = origin.to_string().into();
        let over = located::parse(text, &origin)?;
        if let Some((name, entry)) =
            over.iter().find(|(name, _)| defaults::names().all(|known| known != *name))
        {
            return Err(PolicyError::UnknownKey {
                place: entry.key.to_string(),
                key: name.clone(),
                help: located::nearest(name, defaults::names()),
            });
        }
        Ok(Self { over: Arc::new(over), origin: Some(origin) })
    }

    /// The configuration of a tree: its `infraflow.toml`, or the defaults where it has none. Of a change
    /// request, read it from trunk: a change does not make the rules it is judged by.
    ///
    /// # Errors
    /// [`PolicyError::NotAFile`] where something else than a file of text stands there; [`PolicyError::Git`];
    /// and as [`Configuration::parse`].
    pub fn read(tree: &Tree) -> Result<Self, PolicyError> {
        match text_of(tree, &RepoPath::root().join(Self::FILE))? {
            Some(text) => Self::parse(&text, Self::FILE),
            None => Ok(Self::defaults()),
        }
    }

    /// The configuration in a file that somebody named, outside any repository.
    ///
    /// # Errors
    /// [`PolicyError::File`] where it cannot be read, and as [`Configuration::parse`].
    pub fn read_file(path: &Path) -> Result<Self, PolicyError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| PolicyError::File { path: path.to_owned(), source })?;
        Self::parse(&text, path.display())
    }

    /// One folder's part.
    ///
    /// # Errors
    /// [`PolicyError::UnknownKey`] or [`PolicyError::BadValue`], with file, line and column.
    pub fn section<T: Section>(&self) -> Result<T, PolicyError> {
        let default = defaults::section(T::NAME).ok_or_else(|| PolicyError::BadValue {
            place: "defaults.toml".to_owned(),
            why: format!("it has no section \"{}\"", T::NAME),
            help: "a section's name and defaults stand in src/policy/defaults.toml".to_owned(),
        })?;
        let mut entry = Cow::Borrowed(default);
        if let Some(over) = self.over.get(T::NAME) {
            located::lay_over(entry.to_mut(), over.clone());
        }
        T::deserialize(&entry.value).map_err(|fault| fault.into_error(&entry.key))
    }
}

impl fmt::Debug for Configuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let over: Vec<_> = self.over.keys().collect();
        f.debug_struct("Configuration").field("origin", &self.origin).field("over", &over).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::ApprovalRules;

    fn message(text: &str) -> String {
        match Configuration::parse(text, Configuration::FILE).and_then(|c| c.section::<ApprovalRules>()) {
            Ok(section) => panic!("{section:?}"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn what_a_file_leaves_out_keeps_its_default() {
        let section: ApprovalRules =
            Configuration::parse("[approval]\nhours = 8\n", Configuration::FILE).unwrap().section().unwrap();
        assert_eq!(
            (section.hours.get(), section.signers.to_string().as_str(), section.allow_author),
            (8, "allowed_signers", false)
        );
    }

    #[test]
    fn an_unknown_key_names_the_nearest_one_and_its_place() {
        let text = message("[approval]\nhours = 8\nsinger = \"x\"\n");
        assert!(text.contains("infraflow.toml:3:1") && text.contains("did you mean \"signers\"?"), "{text}");
        let text = message("\n[aproval]\nhours = 8\n");
        assert!(text.contains("infraflow.toml:2:2") && text.contains("did you mean \"approval\"?"), "{text}");
        let text = message("approval.frobnicate = 1");
        assert!(text.contains("the keys known here are signers, hours, allow_author, approvals"), "{text}");
    }

    #[test]
    fn a_value_of_the_wrong_shape_names_its_place() {
        let text = message("[approval]\nhours = \"many\"\n");
        assert!(text.contains("infraflow.toml:2:9") && text.contains("nonzero u32"), "{text}");
        let text = message("approval = 3");
        assert!(text.contains("infraflow.toml:1:12"), "{text}");
    }

    #[test]
    fn what_is_no_toml_names_its_place() {
        let text = message("[approval]\nhours = \n");
        assert!(text.contains("infraflow.toml:2:"), "{text}");
    }

    #[test]
    fn a_byte_order_mark_and_windows_line_ends_are_read() {
        let text = "\u{feff}[approval]\r\nhours = 8\r\n";
        assert_eq!(
            Configuration::parse(text, Configuration::FILE)
                .unwrap()
                .section::<ApprovalRules>()
                .unwrap()
                .hours
                .get(),
            8
        );
    }
}
