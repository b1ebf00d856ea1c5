use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use rayon::prelude::*;

use super::{
    SelectRules,
    closure::{Closure, Part, unproven},
    content::{Files, Told},
};
use crate::{
    catalog::{CaseId, Catalog, CatalogError},
    git::{Revision, Tree},
    impact::Rules,
    proof::{Digest, Digester, Reason, RepoPath},
    terraform::ToolVersion,
};

/// What each test case of a revision is made of, as a digest: equal digests mean that a run of the one proves the
/// other.
///
/// The digest of a case is a Merkle digest over everything that it reaches by the catalog's references. Into it go,
/// for each directory with configuration, all files that stand directly in it (but for other cases' test files and
/// what `ignore` of `[select]` names); for each file that is read, named, listed, given as values, or pinned by (lock
/// and version files), that file; for a path of which a part is known only to a plan, everything below the directory
/// that the known part names; for each link also what it leads to. A file enters by its mode, its git object id and
/// its path from the repository's root: a module that is moved is tested again. So do the version of the tool and the
/// id of the case.
///
/// Where any of this cannot be told, the case has no digest, and a reason instead: a call of a module outside the
/// repository by a ref that can be moved, a file that could not be understood, a path that only a plan knows, a
/// submodule, a link that leads out of the repository, a rule of `depends_also`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contents {
    revision: Revision,
    tool: ToolVersion,
    cases: BTreeMap<CaseId, Content>,
    parts: Arc<Vec<Part>>,
    reached: BTreeMap<CaseId, Vec<usize>>,
}

/// The content of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Content {
    /// It has this digest.
    Known(Digest),
    /// It cannot be told, for this reason.
    Unknown(Reason),
}

impl Contents {
    /// The contents of all cases of a catalog, which is that of this tree. `impact` are the rules by which changes
    /// are assessed. Takes all cores (rayon's); each file and directory is looked at once, however many cases it is
    /// part of.
    ///
    /// # Errors
    /// [`CatalogError`] where the catalog's tree can no longer be read.
    pub fn of(
        tree: &Tree,
        catalog: &Catalog,
        tool: &ToolVersion,
        rules: &SelectRules,
        impact: &Rules,
    ) -> Result<Self, CatalogError> {
        let closure = Closure::of(catalog, rules.immutable, impact)?;
        Ok(Self::over(tree, &closure, tool, rules, closure.cases().cloned().collect()))
    }

    /// As [`Contents::of`], of these cases alone.
    ///
    /// # Errors
    /// As [`Contents::of`].
    pub fn of_cases(
        tree: &Tree,
        catalog: &Catalog,
        tool: &ToolVersion,
        rules: &SelectRules,
        impact: &Rules,
        cases: impl IntoIterator<Item = CaseId>,
    ) -> Result<Self, CatalogError> {
        let closure = Closure::of(catalog, rules.immutable, impact)?;
        Ok(Self::over(tree, &closure, tool, rules, cases.into_iter().collect()))
    }

    /// Contents that were told before, for example in a test plan.
    pub(super) fn told(revision: Revision, tool: ToolVersion, cases: BTreeMap<CaseId, Content>) -> Self {
        Self { revision, tool, cases, parts: Arc::default(), reached: BTreeMap::new() }
    }

    fn over(
        tree: &Tree,
        closure: &Closure,
        tool: &ToolVersion,
        rules: &SelectRules,
        cases: BTreeSet<CaseId>,
    ) -> Self {
        let cases: Vec<CaseId> = cases.into_iter().collect();
        let reached: Vec<Option<Vec<usize>>> = cases.par_iter().map(|case| closure.reach(case)).collect();
        let needed: BTreeSet<usize> = reached.iter().flatten().flatten().copied().collect();
        let files = Files { tree, closure, rules };
        let needed: Vec<usize> = needed.into_iter().collect();
        let digests = needed.par_iter().map(|&part| match closure.obstacles.get(&part) {
            Some(reason) => Err(reason.clone()),
            None => files.told(&closure.parts[part]),
        });
        let digests: Vec<Told> = digests.collect();
        let mut told: Vec<Option<&Told>> = vec![None; closure.parts.len()];
        for (&part, digest) in needed.iter().zip(&digests) {
            told[part] = Some(digest);
        }
        let contents = cases.par_iter().zip(&reached).map(|(case, reached)| match reached {
            Some(reached) => {
                content(case, tool, reached.iter().map(|&part| (&closure.parts[part], told[part])))
            }
            None => Content::Unknown(unproven(format!("{case} is no test case of this revision"), [])),
        });
        let contents: Vec<Content> = contents.collect();
        let reached = cases.iter().cloned().zip(reached).filter_map(|(case, reached)| Some((case, reached?)));
        Self {
            revision: *tree.revision(),
            tool: tool.clone(),
            reached: reached.collect(),
            parts: Arc::new(closure.parts.clone()),
            cases: cases.into_iter().zip(contents).collect(),
        }
    }

    /// Whose files these are the contents of.
    pub fn revision(&self) -> &Revision {
        &self.revision
    }

    /// The tool, whose version is part of every content.
    pub fn tool(&self) -> &ToolVersion {
        &self.tool
    }

    /// The content of a case; `None` where nobody asked for it.
    pub fn of_case(&self, case: &CaseId) -> Option<&Content> {
        self.cases.get(case)
    }

    /// The digest of a case's content, where it is known.
    pub fn digest_of(&self, case: &CaseId) -> Option<&Digest> {
        match self.cases.get(case)? {
            Content::Known(digest) => Some(digest),
            Content::Unknown(_) => None,
        }
    }

    /// All cases, sorted by id.
    pub fn cases(&self) -> impl Iterator<Item = (&CaseId, &Content)> {
        self.cases.iter()
    }

    /// Whether a file is part of a case's content.
    pub fn contains(&self, case: &CaseId, file: &RepoPath) -> bool {
        self.reached.get(case).into_iter().flatten().any(|&part| match &self.parts[part] {
            Part::Directory(directory) => file.parent().as_ref() == Some(directory),
            Part::Path(path) => file.is_within(path),
            Part::Names(_) => false,
        })
    }
}

fn content<'a>(
    case: &CaseId,
    tool: &ToolVersion,
    parts: impl Iterator<Item = (&'a Part, Option<&'a Told>)>,
) -> Content {
    let mut digester = Digester::new();
    let mut add = |bytes: &[u8]| {
        digester.update((bytes.len() as u64).to_be_bytes());
        digester.update(bytes);
    };
    add(b"infraflow test content 1");
    add(tool.to_string().as_bytes());
    add(case.path().as_bytes());
    for (part, told) in parts {
        let (tag, path) = match part {
            Part::Directory(path) => (b"directory".as_slice(), path),
            Part::Path(path) => (b"path".as_slice(), path),
            Part::Names(path) => (b"names".as_slice(), path),
        };
        match told {
            Some(Ok(digest)) => {
                add(tag);
                add(path.as_bytes());
                add(digest);
            }
            Some(Err(reason)) => return Content::Unknown(reason.clone()),
            // Everything that was reached was looked at.
            None => return Content::Unknown(unproven(format!("{path} was not looked at"), [])),
        }
    }
    Content::Known(digester.finish())
}
