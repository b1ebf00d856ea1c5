//! Files that stand beside configuration: values of variables, lock files, version files. Whom they concern
//! is told by where they stand, so nothing of it is kept.

use super::{
    Catalog, CatalogError, Concern, DialectName, MarkKind, ReferenceKind, Role, classify::Sort,
    declares::Named, glob::Glob, ground::claims, view::RecordId,
};
use crate::proof::RepoPath;

impl Catalog {
    /// Who is concerned by a file beside configuration, where it stands or where a link to it does, how, and which
    /// of the units that share the directory.
    pub(crate) fn beside(
        &self,
        path: &RepoPath,
    ) -> Result<Vec<(RecordId, ReferenceKind, Concern)>, CatalogError> {
        let links = self.view().links.leading_to(path);
        let values = [Role::Values, Role::AutomaticValues];
        let dialects = &self.makings().dialects;
        let given =
            links.iter().any(|link| claims(dialects, link).any(|(_, claim)| values.contains(&claim.role)));
        let mut found = self.beside_at(path, given)?;
        for link in &links {
            found.extend(self.beside_at(link, true)?);
        }
        found.sort();
        found.dedup();
        Ok(found)
    }

    /// `given` says that a link tells to whom a file of values is given.
    fn beside_at(
        &self,
        path: &RepoPath,
        given: bool,
    ) -> Result<Vec<(RecordId, ReferenceKind, Concern)>, CatalogError> {
        let directory = path.parent().unwrap_or_else(RepoPath::root);
        let mut found = Vec::new();
        for (dialect, claim) in claims(&self.makings().dialects, path) {
            let (kind, ids) = match claim.role {
                Role::AutomaticValues => {
                    let mut found = self.running_in(&directory, dialect)?;
                    found.extend(self.tests_in(&directory)?);
                    found.sort();
                    found.dedup();
                    (ReferenceKind::VariableFile, found)
                }
                Role::Values => {
                    (ReferenceKind::VariableFile, self.named_in(path, &directory, dialect, given)?)
                }
                Role::Lock => (ReferenceKind::LockFile, self.running_in(&directory, dialect)?),
                Role::ToolVersion => (ReferenceKind::VersionFile, self.pinned_by(path, &directory, dialect)?),
                _ => continue,
            };
            for id in ids {
                let concern = match claim.role {
                    Role::Values => self.beside_of(&*self.view().record(id)?, path)?,
                    _ => Some(Concern::All),
                };
                found.extend(concern.map(|concern| (id, kind, concern)));
            }
        }
        found.extend(self.laid_over(path)?.into_iter().map(|(id, kind)| (id, kind, Concern::All)));
        Ok(found)
    }

    /// Units that a file stands beside whose module, which is run from elsewhere, reads a file of that place in its own
    /// directory: what stands beside the unit is laid over a copy of the module.
    fn laid_over(&self, path: &RepoPath) -> Result<Vec<(RecordId, ReferenceKind)>, CatalogError> {
        let mut found = Vec::new();
        let mut above = path.parent();
        while let Some(at) = above {
            let mut is_unit = false;
            for id in self.view().records_at(&at)? {
                let record = self.view().record(id)?;
                is_unit |= record.marks.contains(&MarkKind::Unit);
                for (module, left_out) in record.run_from_elsewhere() {
                    let relative = path.relative_to(&at);
                    if is_left_out(&relative, left_out) {
                        continue;
                    }
                    let there = module.join(relative);
                    for (reader, edge) in self.view().edges_to_path(&there, self.configures(&there))? {
                        // Code that is generated beside the module reads there as well.
                        let of_module = edge.is_own() && self.view().record(reader)?.directory == *module;
                        if of_module || reader == id && edge.reads() {
                            found.push((id, edge.kind));
                        }
                    }
                }
            }
            // Below a unit another one begins a place of its own.
            above = if is_unit { None } else { at.parent() };
        }
        found.sort_by_key(|(id, kind)| (*id, *kind));
        found.dedup();
        Ok(found)
    }

    /// Units and cases that run in a directory, of those that a dialect's tool runs.
    fn running_in(&self, directory: &RepoPath, dialect: u8) -> Result<Vec<RecordId>, CatalogError> {
        let mut found = Vec::new();
        for id in self.view().records_at(directory)? {
            let record = self.view().record(id)?;
            let own = !record.key.test && self.makings().runs(dialect, record.key.dialect);
            if own && self.sort_of(&record)?.is_run() {
                found.push(id);
            }
        }
        // Tests of this directory run here as well.
        for (id, edge) in self.view().ends(b's', directory)? {
            if edge.kind == ReferenceKind::TestOf && self.view().record(id)?.key.test {
                found.push(id);
            }
        }
        Ok(found)
    }

    /// The test files of a directory. `terraform test` loads automatic values from beside them as well
    /// (internal/command/test.go, 1.11).
    fn tests_in(&self, directory: &RepoPath) -> Result<Vec<RecordId>, CatalogError> {
        let mut found = Vec::new();
        for id in self.view().records_below(directory)? {
            let key = &self.view().record(id)?.key;
            if key.test && key.at.parent().as_ref() == Some(directory) {
                found.push(id);
            }
        }
        Ok(found)
    }

    /// Who can be given a variable file of this directory by name.
    fn named_in(
        &self,
        path: &RepoPath,
        directory: &RepoPath,
        dialect: u8,
        given: bool,
    ) -> Result<Vec<RecordId>, CatalogError> {
        let here = self.running_in(directory, dialect)?;
        if given || !here.is_empty() || self.makings().runs_any(dialect, &self.view().configured(directory)?)
        {
            return Ok(here);
        }
        let mut above = directory.parent();
        while let Some(at) = above {
            // A unit above reaches down for it; what lies beside it on the way says nothing.
            let found = self.running_in(&at, dialect)?;
            if !found.is_empty() {
                return self.naming(found, dialect);
            }
            above = at.parent();
        }
        let mut units = Vec::new();
        for id in self.view().records_below(directory)? {
            let sort = self.sort_of(&*self.view().record(id)?)?;
            if matches!(sort, Sort::Unit | Sort::Part { .. }) {
                units.push(id);
            }
        }
        // Nobody sees who names it on a command line, as `-var-file=../common.tfvars` does: any of those that have a
        // variable for what it holds.
        let units = self.naming(units, dialect)?;
        let names = if units.is_empty() { Named::Any } else { self.names_in(path, dialect)? };
        let mut taking = Vec::with_capacity(units.len());
        for id in units {
            if self.takes_any(&*self.view().record(id)?, &names)? {
                taking.push(id);
            }
        }
        Ok(taking)
    }

    /// Those that a person may hand such a file to: not what runs by the files of another dialect, which names
    /// itself what it gives.
    fn naming(&self, ids: Vec<RecordId>, dialect: u8) -> Result<Vec<RecordId>, CatalogError> {
        let mut found = Vec::new();
        for id in ids {
            let record = self.view().record(id)?;
            let part = matches!(self.sort_of(&record)?, Sort::Part { .. });
            if record.key.dialect == dialect && !(part && self.is_wrapped(&record.directory)?) {
                found.push(id);
            }
        }
        Ok(found)
    }

    /// Whether what runs in a directory is run by Terragrunt, whose file there names what it gives.
    fn is_wrapped(&self, directory: &RepoPath) -> Result<bool, CatalogError> {
        for id in self.view().records_at(directory)? {
            let record = self.view().record(id)?;
            let dialect = self.makings().dialects[usize::from(record.key.dialect)].name();
            if !record.key.test && dialect == DialectName::terragrunt() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// A version file counts for everything that runs in its directory or below, up to the next one of the
    /// same name.
    fn pinned_by(
        &self,
        path: &RepoPath,
        directory: &RepoPath,
        dialect: u8,
    ) -> Result<Vec<RecordId>, CatalogError> {
        let nearer: Vec<RepoPath> = self
            .view()
            .versions
            .iter()
            .filter(|(other, of)| *of == dialect && other != path && other.file_name() == path.file_name())
            .filter_map(|(other, _)| other.parent().filter(|at| at.is_within(directory)))
            .collect();
        let mut found = Vec::new();
        for id in self.view().records_below(directory)? {
            let record = self.view().record(id)?;
            let hidden = nearer.iter().any(|at| record.directory.is_within(at));
            let runs = self.makings().runs(dialect, record.key.dialect);
            if runs && !hidden && self.sort_of(&record)?.is_run() {
                found.push(id);
            }
        }
        Ok(found)
    }
}

/// Whether a file is none of those that are copied, whatever their names (Terragrunt: lock files, `.tflint.hcl`).
fn is_left_out(path: &[u8], globs: &[String]) -> bool {
    let name = path.rsplit(|&byte| byte == b'/').next().unwrap_or(path);
    let copied = [b".terraform.lock.hcl".as_slice(), b".tflint.hcl"].contains(&name);
    !copied && globs.iter().any(|glob| Glob::of(glob).matches(path))
}
