use std::collections::VecDeque;

use crate::proof::RepoPath;

use super::{Entry, GitError, Mode, Tree};

/// Linux gives up after as many links (path_resolution(7)).
const MOST_LINKS: usize = 40;

/// Where a path leads when every link on the way, and at its end, is followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Followed {
    /// To something that is no link.
    To(Entry),
    /// To nothing: the place is inside the tree, and empty. A submodule is never looked into.
    Nothing(RepoPath),
    /// Out of the tree: a link is absolute, or has too many `..`.
    Outside,
    /// In a circle, or through more than forty links.
    Circle,
}

impl Tree {
    /// Follows a path through the links of this tree, as the file system would after a checkout.
    ///
    /// # Errors
    /// As [`Tree::read_entry`].
    pub fn follow(&self, path: &RepoPath) -> Result<Followed, GitError> {
        let mut ahead: VecDeque<Vec<u8>> = path.names().map(<[u8]>::to_vec).collect();
        let mut here = RepoPath::root();
        let mut links = 0;
        while let Some(name) = ahead.pop_front() {
            match name.as_slice() {
                b"" | b"." => continue,
                b".." => {
                    let Some(parent) = here.parent() else { return Ok(Followed::Outside) };
                    here = parent;
                    continue;
                }
                _ => {}
            }
            let next = super::tree::child(&here, &name)?;
            match self.entry(&next)? {
                Some(entry) if entry.mode == Mode::Link => {
                    links += 1;
                    if links > MOST_LINKS {
                        return Ok(Followed::Circle);
                    }
                    let target = self.read_entry(&entry)?;
                    if target.first() == Some(&b'/') {
                        return Ok(Followed::Outside);
                    }
                    for name in target.split(|&byte| byte == b'/').rev() {
                        ahead.push_front(name.to_vec());
                    }
                }
                _ => here = next,
            }
        }
        Ok(match self.entry(&here)? {
            Some(entry) => Followed::To(entry),
            None => Followed::Nothing(here),
        })
    }
}
