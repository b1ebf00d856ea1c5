//! The symbolic links and submodules of a tree, and where a path leads through them.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    git::{Entry, GitError, Mode, Tree},
    proof::RepoPath,
};

/// More links on one way than any system follows (Linux: 40).
const MOST_LINKS: usize = 40;

/// The most links to one file that are told.
const MOST_LEADING: usize = 10_000;

/// A link whose target is longer than any path that a system follows (Linux: 4,096 bytes) leads nowhere.
const LONGEST_TARGET: u64 = 4096;

/// Links and submodules.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Links {
    pub(super) links: BTreeMap<RepoPath, Vec<u8>>,
    pub(super) submodules: BTreeSet<RepoPath>,
}

/// Where a path leads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Way {
    /// The path behind all links; `None` where it leaves the repository, or goes in circles.
    pub(super) end: Option<RepoPath>,
    /// The links on the way, in order.
    pub(super) links: Vec<RepoPath>,
    /// The submodule it enters, behind which nothing can be seen.
    pub(super) submodule: Option<RepoPath>,
}

impl Links {
    /// Whether every path leads where it says.
    pub(super) fn is_empty(&self) -> bool {
        self.links.is_empty() && self.submodules.is_empty()
    }

    /// Takes up what stands at a path, or that nothing does.
    pub(super) fn set(
        &mut self,
        tree: &Tree,
        path: &RepoPath,
        entry: Option<&Entry>,
    ) -> Result<(), GitError> {
        self.links.remove(path);
        self.submodules.remove(path);
        match entry {
            Some(entry) if entry.mode == Mode::Link => {
                let leads = tree.size(entry)? <= LONGEST_TARGET;
                let target = if leads { tree.read_entry(entry)? } else { b"/".to_vec() };
                self.links.insert(path.clone(), target);
            }
            Some(entry) if entry.mode == Mode::Submodule => {
                self.submodules.insert(path.clone());
            }
            _ => {}
        }
        Ok(())
    }

    /// The links that lead to a file, over others too.
    pub(super) fn leading_to(&self, path: &RepoPath) -> Vec<RepoPath> {
        let mut found: Vec<RepoPath> = Vec::new();
        let mut work = vec![path.clone()];
        while let Some(at) = work.pop().filter(|_| !self.links.is_empty() && found.len() < MOST_LEADING) {
            for (link, target) in &self.links {
                // To follow every link would take long where there are many.
                let name = target.rsplit(|&b| b == b'/').next().unwrap_or_default();
                if name != at.file_name() || found.contains(link) {
                    continue;
                }
                let way = self.follow(&RepoPath::root(), link.as_bytes());
                if way.end.as_ref() == Some(&at) || way.links.iter().skip(1).any(|other| *other == at) {
                    found.push(link.clone());
                    work.push(link.clone());
                }
            }
        }
        found
    }

    /// Follows `relative` from a directory, through links as the system would: `..` after a link goes up
    /// from where the link points to.
    pub(super) fn follow(&self, directory: &RepoPath, relative: &[u8]) -> Way {
        if self.links.is_empty() && self.submodules.is_empty() {
            return Way { end: directory.resolve(relative), ..Way::default() };
        }
        let mut way = Way::default();
        if relative.first() == Some(&b'/') || relative.contains(&0) {
            return way;
        }
        let mut names: Vec<Vec<u8>> = pieces(relative);
        names.extend(pieces(directory.as_bytes()));
        // A stack of the names still to go; what was gone lies in `at`.
        let mut at = RepoPath::root();
        while let Some(name) = names.pop() {
            if name == b".." {
                match at.parent() {
                    Some(parent) => at = parent,
                    None => return way,
                }
                continue;
            }
            at = at.join(&name);
            if let Some(target) = self.links.get(&at) {
                if way.links.len() == MOST_LINKS || target.first() == Some(&b'/') {
                    way.links.push(at);
                    return way;
                }
                names.extend(pieces(target));
                let parent = at.parent().unwrap_or_else(RepoPath::root);
                way.links.push(std::mem::replace(&mut at, parent));
            } else if self.submodules.contains(&at) {
                way.submodule = Some(at.clone());
            }
        }
        way.end = Some(at);
        way
    }
}

/// The names of a path, the last one first, without those that say nothing.
fn pieces(path: &[u8]) -> Vec<Vec<u8>> {
    let names = path.split(|&b| b == b'/').filter(|name| !name.is_empty() && *name != b".");
    names.map(<[u8]>::to_vec).rev().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links(links: &[(&str, &str)], submodules: &[&str]) -> Links {
        let path = |text: &&str| RepoPath::parse(text).unwrap();
        Links {
            links: links.iter().map(|(at, to)| (path(at), to.as_bytes().to_vec())).collect(),
            submodules: submodules.iter().map(path).collect(),
        }
    }

    fn end(links: &Links, from: &str, relative: &str) -> Option<String> {
        let way = links.follow(&RepoPath::parse(from).unwrap(), relative.as_bytes());
        way.end.map(|end| end.to_string())
    }

    #[test]
    fn a_way_goes_through_links_as_the_system_goes() {
        let links = links(
            &[
                ("a/link", "../b/c"),
                ("a/up", ".."),
                ("loop", "loop"),
                ("x", "y"),
                ("y", "x"),
                ("out", "/etc"),
                ("far", "../.."),
            ],
            &["vendor/sub"],
        );
        assert_eq!(end(&links, "a", "link/d").as_deref(), Some("b/c/d"));
        // From where the link points to, not from where it stands.
        assert_eq!(end(&links, "a", "link/../d").as_deref(), Some("b/d"));
        assert_eq!(end(&links, "a", "up/up"), Some("up".into()));
        for lost in ["loop", "x", "out/passwd", "far", "../x"] {
            assert_eq!(end(&links, ".", lost), None, "{lost}");
        }
        let way = links.follow(&RepoPath::root(), b"vendor/sub/modules/x");
        assert_eq!(way.submodule.unwrap().to_string(), "vendor/sub");
        assert_eq!(links.follow(&RepoPath::parse("a").unwrap(), b"link").links.len(), 1);
    }
}
