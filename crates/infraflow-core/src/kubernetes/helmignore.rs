/// A `.helmignore`: which files below a chart are no part of it (`pkg/ignore/rules.go` of Helm).
///
/// A pattern without a slash is held against names, one with a slash against the path from the chart's
/// directory; an ignored directory takes with it what is below. Files of `templates/` whose names begin with a
/// dot are always ignored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IgnoreRules {
    globs: Vec<String>,
}

impl IgnoreRules {
    /// Reads the rules of a file. Where one of them takes back another (`!`), or is none that Helm accepts,
    /// none of the file is used: what is not ignored for certain counts.
    pub fn parse(content: Option<&[u8]>) -> Self {
        let mut globs = Vec::new();
        let text = content.map(String::from_utf8_lossy).unwrap_or_default();
        for rule in text.trim_start_matches('\u{feff}').lines().map(str::trim).take(MOST) {
            if rule.is_empty() || rule.starts_with('#') {
                continue;
            }
            if rule.starts_with('!') || rule.contains("**") {
                globs.clear();
                break;
            }
            let (pattern, directories) = match rule.strip_suffix('/') {
                Some(pattern) => (pattern, true),
                None => (rule, false),
            };
            let anchored = match pattern.strip_prefix('/') {
                Some(pattern) => pattern.to_owned(),
                None if pattern.contains('/') => pattern.to_owned(),
                None => format!("**/{pattern}"),
            };
            globs.push(format!("{anchored}/**"));
            if !directories {
                globs.push(anchored);
            }
        }
        globs.push("templates/.?*".to_owned());
        globs.push("templates/.?*/**".to_owned());
        Self { globs }
    }

    /// The files that are ignored, as globs over the path from the chart's directory in the manner of
    /// `fileset`: `**` stands for any number of names.
    pub fn globs(&self) -> &[String] {
        &self.globs
    }
}

/// The most rules that are used.
const MOST: usize = 1_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_become_globs_and_what_is_unclear_ignores_nothing() {
        let rules = IgnoreRules::parse(Some(b"\xef\xbb\xbf# x\n\n*.bak\n.git/\n/top\na/*.md\n"));
        assert_eq!(
            rules.globs(),
            [
                "**/*.bak/**",
                "**/*.bak",
                "**/.git/**",
                "top/**",
                "top",
                "a/*.md/**",
                "a/*.md",
                "templates/.?*",
                "templates/.?*/**"
            ]
        );
        for unclear in ["*.bak\n!a.bak\n", "a/**\n"] {
            assert_eq!(IgnoreRules::parse(Some(unclear.as_bytes())), IgnoreRules::parse(None), "{unclear}");
        }
    }
}
