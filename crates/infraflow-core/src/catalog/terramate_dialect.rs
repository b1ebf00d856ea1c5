use std::sync::Arc;

use super::{
    Claim, Dialect, DialectName, FactReference, Facts, Lookup, Mark, MarkKind, Parsed, ReferenceKind, Target,
    Unparsable,
    terraform_dialect::unparsable,
    terramate_stack::{self, ParsedFile},
};
use crate::{
    proof::RepoPath,
    terraform::{facts::Place, terramate::TerramateFile},
};

/// Terramate 0.17: `.tm` and `.tm.hcl` files. A directory with a `stack` block is a unit.
///
/// # What a stack depends on
/// - Every file below its directory, but for those of a stack further down: Terramate's own rule.
/// - What `watch` names, its functions evaluated (`tm_file`, `tm_fileset`, `tm_split`, …), and the files that
///   these functions read. A list that cannot be evaluated is taken conservatively, and told.
/// - Files that its own files `import`, and what these import: they are merged into the stack's directory,
///   so they count as if they stood there. Globs count by content and by name.
/// - Triggers: what `terramate trigger` leaves below `.tmtriggers` for it, while it is there. One of the kind
///   `ignore-change` that comes or changes takes the stack out of the answer, which says so.
/// - The stacks whose outputs it consumes (`input` with `from_stack_id`): for dependents.
///
/// Ordering alone (`after`, `before`, `wants`, `wanted_by`), `tags` and the project's configuration have no
/// effect. The Terraform files of the directory are the Terraform dialect's, module calls included.
///
/// # Globals and generated code
/// Files of parent directories reach a stack through the code that `generate_hcl` and `generate_file` make of
/// them, and through `terramate.config.run.env`, and in no other way. Where generated code is committed, as
/// Terramate's documentation asks for, the generated file is part of the change and stands below the stack:
/// nothing of the parents counts. A block whose file is not there counts, unless `stack_filter`, `inherit` or
/// a `condition` that can be evaluated says that it does not concern the stack; so do the globals that it
/// names, over others too, of which the nearest definition counts, and the files that its functions read. Of a
/// file above, only these parts count: what leaves them as they were, a comment or another global, does not.
///
/// The same holds for the file of a `sharing_backend` by which the stack shares outputs. Modules that a missing `generate_hcl` block calls by a local source are called by the stack.
///
/// # What is no stack
/// A directory with files of Terramate and without a `stack` block is neither a unit nor a module.
///
/// Names that begin with a dot are not read, nor is anything below a directory with `.tmskip`.
///
/// # Limits
/// - What of generated code depends on the list of all stacks, on the stack above, or on Terramate's version is
///   not seen, nor are components and bundles.
/// - `from_stack_id` is looked for among the stacks that the stack runs after, then in the directories around
///   it, up to 256 of them.
/// - `change_detection.terragrunt` has no effect: a Terragrunt unit is the Terragrunt dialect's.
#[derive(Clone, Copy, Debug, Default)]
pub struct TerramateDialect;

impl Dialect for TerramateDialect {
    fn name(&self) -> DialectName {
        DialectName::terramate()
    }

    fn version(&self) -> u32 {
        6
    }

    fn has_modules(&self) -> bool {
        false
    }

    fn inherits(&self) -> bool {
        true
    }

    fn claims(&self, path: &RepoPath) -> Option<Claim> {
        let name = path.file_name();
        let terramate = name.ends_with(b".tm") || name.ends_with(b".tm.hcl");
        (terramate && !path.names().any(|name| name.starts_with(b"."))).then(Claim::configuration)
    }

    fn facts(&self, path: &RepoPath, content: &[u8]) -> Facts {
        self.facts_and_parsed(path, content).0
    }

    fn facts_and_parsed(&self, path: &RepoPath, content: &[u8]) -> (Facts, Option<Parsed>) {
        let mut facts = Facts::default();
        let file = TerramateFile::stated(path, content).unwrap_or_else(|error| {
            facts.unparsable.push(unparsable(path, &error));
            TerramateFile::salvage(path, content)
        });
        (facts, Some(Arc::new(ParsedFile { file })))
    }

    fn check(&self, path: &RepoPath, content: &[u8]) -> Option<Unparsable> {
        TerramateFile::parse(path, content).err().map(|error| unparsable(path, &error))
    }

    fn resolve(&self, directory: &RepoPath, files: &[RepoPath], lookup: &mut dyn Lookup) -> Facts {
        let mut facts = Facts::default();
        let Some((file, block)) = terramate_stack::own_block(files, lookup) else { return facts };
        if is_skipped(directory, &file, block.place, lookup) {
            return facts;
        }
        facts.marks.push(Mark::new(MarkKind::Unit, block.place));
        let text = format!("the stack {directory}");
        let below = Target::Below(directory.clone());
        facts.references.push(
            FactReference::new(ReferenceKind::Contains, below, block.place, text).in_file(file.clone()),
        );
        terramate_stack::resolve(directory, files, (&file, &block), lookup, &mut facts);
        facts
    }
}

/// Whether a `.tmskip` in the directory or above it tells Terramate to look no further. In the root it hides
/// what is below, not the root itself.
fn is_skipped(directory: &RepoPath, file: &RepoPath, place: Place, lookup: &mut dyn Lookup) -> bool {
    let because = super::Because::new(ReferenceKind::Presence, file.clone(), place, "the stack");
    let mut at = Some(directory.clone()).filter(|directory| !directory.is_root());
    while let Some(above) = at {
        if lookup.is_file(&above.join(".tmskip"), &because) {
            return true;
        }
        at = above.parent();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_names_and_other_endings_are_not_read() {
        let claims = |text| TerramateDialect.claims(&RepoPath::parse(text).unwrap()).is_some();
        for read in ["stack.tm", "a/b/stack.tm.hcl", "a/_x.tm"] {
            assert!(claims(read), "{read}");
        }
        for other in ["a/.x.tm.hcl", ".tmtriggers/a/changed-1.tm.hcl", "a/.git/x.tm", "a/b.hcl", "a/b.tmgen"]
        {
            assert!(!claims(other), "{other}");
        }
    }

    #[test]
    fn a_broken_file_is_told_with_its_line() {
        let path = RepoPath::parse("a/stack.tm").unwrap();
        let facts = TerramateDialect.facts(&path, b"stack {\n}\nglobals {\n  a = [\n}\n");
        assert_eq!(facts.unparsable[0].line, Some(5));
    }
}
