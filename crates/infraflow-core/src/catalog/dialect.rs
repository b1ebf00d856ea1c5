use std::{error::Error, sync::Arc};

use super::{
    Claim, Definition, DialectName, Facts, HelmDialect, KustomizeDialect, Lookup, Parsed, TerraformDialect,
    TerragruntDialect, TerramateDialect, ToolChoice, Unparsable,
};
use crate::proof::RepoPath;

/// A language of infrastructure code: which files it reads, and what a single file states.
///
/// # Contract
/// 1. Everything here is pure and synchronous: the answer depends on the arguments alone, nothing is run,
///    and neither the file system nor the network is looked at.
/// 2. `claims` looks at the path only, and is fast: it is asked for each file of the tree.
/// 3. `facts` is called with files that `claims` claimed, in any order and from several threads.
/// 4. The same `name`, `version`, file name and bytes give the same facts, today and tomorrow: facts are
///    kept under these. Whatever changes what `facts` says raises `version`.
/// 5. A file that cannot be understood is never an empty answer: [`Facts::unparsable`] says why, and the
///    rest of the facts is what could still be made out. The catalog takes whatever else could be in the
///    file as changed.
///    A dialect may pass over a file without parsing it where it can see that the file states nothing: then
///    `check` finds what is wrong with it.
/// 6. `facts_and_parsed`, `facts_of_each`, `definitions`, `without_replaced` and `check` are as pure as `facts`, and of
///    the same version. `overriding` names only files that `overrides` says so of, and `without_replaced` leaves every
///    byte that it keeps in its place.
/// 7. `resolve` looks at files of the tree through its `lookup` alone, and depends on nothing else: what it
///    was shown is what its answer depends on.
/// 8. Nothing here panics or runs without bound, on any input. A dialect whose work can fail for a reason of
///    its own, since it is written in another language, answers with [`Facts::unparsable`] and tells in
///    `failure`; then no catalog is made, and none is kept.
/// 9. A [`Place`](crate::proof::Place) lies within the file that it is told of, cuts no character in two, and has the
///    line and column of its first byte; [`Lines`](crate::proof::Lines) tells them.
///
/// # A dialect of your own
/// This one reads Docker Compose, which many teams use beside Terraform. It is the file
/// `examples/own_dialect/compose.rs`; the program beside it asks what a change touches, with all dialects. The suite
/// `conformance::dialect` holds it, or yours, against the numbers above.
///
/// Files of Compose say by themselves what they read, but a file that is included may be called anything: `resolve` looks
/// at other files through its [`Lookup`], and [`included`](super::included) does that for includes. A dialect whose files
/// stand for themselves needs `facts` alone.
///
/// ```
#[cfg_attr(any(doc, doctest), doc = include_str!("../../../../examples/own_dialect/compose.rs"))]
/// ```
pub trait Dialect: Send + Sync {
    /// The dialect's name; no two dialects of a catalog share one.
    fn name(&self) -> DialectName;

    /// The version of its facts.
    fn version(&self) -> u32;

    /// Whether its tool also runs configuration of another dialect where it finds it in a directory. Only then
    /// does a reference of this dialect to a directory mean what the other has there, only then does a lock or
    /// version file of this dialect concern the other's units, and only then is what the other has in the
    /// directory of a unit part of that unit. Answers the same for itself always.
    fn runs(&self, other: &DialectName) -> bool {
        let _ = other;
        true
    }

    /// Whether a directory that it configures and that is no unit is a module or a test case. Otherwise its files
    /// there say something of units elsewhere, and the directory stands for nothing.
    fn has_modules(&self) -> bool {
        true
    }

    /// How it reads the file at this path; `None` where it does not.
    fn claims(&self, path: &RepoPath) -> Option<Claim>;

    /// The file beside this one that is read in its stead where it is there, for example `x.tofu` for `x.tf`.
    fn hidden_by(&self, path: &RepoPath) -> Option<RepoPath> {
        let _ = path;
        None
    }

    /// Whether the file at this path is laid over others of its scope, which it replaces in part.
    fn overrides(&self, path: &RepoPath) -> bool {
        let _ = path;
        false
    }

    /// Which of a scope's files, by their places, replace parts of others whichever tool runs; of those alone that
    /// [`Dialect::overrides`] says so of.
    fn overriding(&self, files: &[&RepoPath]) -> Vec<usize> {
        let _ = files;
        Vec::new()
    }

    /// The text of a file without what others replace in it, everything else in its place; `None` where nothing is
    /// replaced, or that is not certain.
    fn without_replaced(
        &self,
        path: &RepoPath,
        content: &[u8],
        by: &[(&RepoPath, &[u8])],
    ) -> Option<Vec<u8>> {
        let _ = (path, content, by);
        None
    }

    /// The same dialect as one tool has it, where its tools read differently.
    fn for_tool(&self, tool: ToolChoice) -> Option<Arc<dyn Dialect>> {
        let _ = tool;
        None
    }

    /// Whether two contents of a file beside configuration mean the same to this dialect: of a file that pins
    /// many tools, another version of another one.
    fn means_the_same(&self, path: &RepoPath, before: &[u8], after: &[u8]) -> bool {
        let _ = path;
        before == after
    }

    /// What the file states.
    fn facts(&self, path: &RepoPath, content: &[u8]) -> Facts;

    /// What the file states, as `facts` has it, and what its parser made of it: [`Lookup::parsed`] gives that
    /// to `resolve` where it asks for a file of its own scope, so that nothing is parsed twice. A dialect
    /// without a `resolve` leaves it out.
    fn facts_and_parsed(&self, path: &RepoPath, content: &[u8]) -> (Facts, Option<Parsed>) {
        (self.facts(path, content), None)
    }

    /// What each of several files states, in their order: the same as [`Dialect::facts`] of each. A dialect that
    /// pays for each call, since it is written in another language, answers all at once.
    fn facts_of_each(&self, files: &[(RepoPath, Arc<[u8]>)]) -> Vec<Facts> {
        files.iter().map(|(path, content)| self.facts(path, content)).collect()
    }

    /// How many files at most it wants to be asked about at once, by [`Dialect::facts_of_each`]; with less than two,
    /// each file is asked about by itself.
    fn batch(&self) -> usize {
        1
    }

    /// Why its answers cannot be used, once something of its own has failed.
    fn failure(&self) -> Option<Arc<dyn Error + Send + Sync>> {
        None
    }

    /// Names that the file gives to values and that nobody needs unless a reference of the scope names one:
    /// added to the definitions of `facts`, which need not repeat them. It is asked of all configuration
    /// files of a scope at once, and for the names that are wanted; more do no harm.
    fn definitions(&self, path: &RepoPath, content: &[u8], wanted: &dyn Fn(&str) -> bool) -> Vec<Definition> {
        let _ = (path, content, wanted);
        Vec::new()
    }

    /// Whether the configuration file at this path can state [units that it generates](Facts::generated).
    fn generates(&self, path: &RepoPath) -> bool {
        let _ = path;
        false
    }

    /// Whether all of the file can be understood; why not, where it cannot. It is asked of files that
    /// changed, and of all files of what is affected, and takes as long as it takes to parse the whole.
    fn check(&self, path: &RepoPath, content: &[u8]) -> Option<Unparsable> {
        self.facts(path, content).unparsable.into_iter().next()
    }

    /// Whether configuration files of a directory concern the scopes below it, by [`Lookup::inherited`].
    fn inherits(&self) -> bool {
        false
    }

    /// What the configuration files of one scope state only together with other files of the tree: what they
    /// include, find in parent folders, or take from globals. Called once for each scope, with the files of
    /// it that `claims` claimed as [`Role::Configuration`](super::Role::Configuration), sorted; from several
    /// threads. Its facts are added to those of the files. A dialect whose files stand for themselves leaves
    /// it out.
    fn resolve(&self, directory: &RepoPath, files: &[RepoPath], lookup: &mut dyn Lookup) -> Facts {
        let _ = (directory, files, lookup);
        Facts::default()
    }
}

/// All dialects of this crate.
pub fn standard_dialects() -> Vec<Arc<dyn Dialect>> {
    vec![
        Arc::new(TerraformDialect),
        Arc::new(TerragruntDialect),
        Arc::new(TerramateDialect),
        Arc::new(KustomizeDialect),
        Arc::new(HelmDialect),
    ]
}
