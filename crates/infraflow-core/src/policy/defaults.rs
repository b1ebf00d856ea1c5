//! What the crate does where a repository says nothing: every section, every key, each explained. A section is
//! parsed when it is first asked for.

use std::{ops::Range, sync::OnceLock};

use super::located::{self, Entry};

/// The file.
pub(super) const TEXT: &str = include_str!("defaults.toml");

struct Part {
    name: &'static str,
    range: Range<usize>,
    entry: OnceLock<Entry>,
}

/// The names of all sections.
pub(super) fn names() -> impl Iterator<Item = &'static str> + Clone {
    parts().iter().map(|part| part.name)
}

/// A section.
pub(super) fn section(name: &str) -> Option<&'static Entry> {
    let part = parts().iter().find(|part| part.name == name)?;
    Some(part.entry.get_or_init(|| {
        // The file is part of this crate, and a test parses it.
        #[allow(clippy::expect_used)]
        located::parse_part(TEXT, part.range.clone(), "defaults.toml")
            .expect("the crate's defaults are TOML")
            .remove(name)
            .expect("each part holds the section that its heading names")
    }))
}

/// Where each section stands: from its heading to the next of another, or the line of its key before all headings.
fn parts() -> &'static [Part] {
    static PARTS: OnceLock<Vec<Part>> = OnceLock::new();
    PARTS.get_or_init(|| {
        let mut parts: Vec<Part> = Vec::new();
        let (mut at, mut headed) = (0, false);
        for line in TEXT.split_inclusive('\n') {
            let range = at..at + line.len();
            at = range.end;
            let heading = line.trim_start_matches('[');
            let is_heading = heading.len() < line.len();
            let name = heading.split(['.', ']', ' ', '=']).next().unwrap_or_default();
            headed |= is_heading;
            match parts.last_mut() {
                Some(last) if headed && (!is_heading || last.name == name) => last.range.end = range.end,
                _ if is_heading || !line.starts_with(['#', '\n']) => {
                    parts.push(Part { name, range, entry: OnceLock::new() });
                }
                _ => {}
            }
        }
        parts
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_are_the_whole() {
        let whole = located::parse(TEXT, "defaults.toml").unwrap();
        let mut named: Vec<&str> = names().collect();
        named.sort_unstable();
        assert_eq!(named, whole.keys().collect::<Vec<_>>());
        for (name, entry) in &whole {
            assert_eq!(format!("{:?}", section(name).unwrap()), format!("{entry:?}"));
        }
    }
}
