use infraflow_core::{
    catalog::*,
    proof::{Place, RepoPath},
    terraform::facts::StaticValue,
    yaml::{self, Node},
};

/// Docker Compose: a directory with a Compose file is a unit, with whatever it includes, extends, builds and mounts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Compose;

/// More values of one file are not looked at: aliases can make very many of few.
const MOST: usize = 100_000;

impl Dialect for Compose {
    fn name(&self) -> DialectName {
        const { DialectName::constant("compose") }
    }

    fn version(&self) -> u32 {
        1
    }

    fn claims(&self, path: &RepoPath) -> Option<Claim> {
        let name = std::str::from_utf8(path.file_name()).ok()?;
        let (tool, ending) = (name.split('.').next()?, name.rsplit('.').next()?);
        let compose = matches!(tool, "compose" | "docker-compose") && matches!(ending, "yaml" | "yml");
        compose.then(Claim::configuration)
    }

    fn facts(&self, path: &RepoPath, content: &[u8]) -> Facts {
        let mut facts = Facts::default();
        let mut refer = |kind, path, place, text: &str| {
            facts.references.push(FactReference::new(kind, Target::Path(path), place, text));
        };
        let file = yaml::read(content);
        let mut broken = file.broken.map(|broken| Unparsable::new(path.clone(), broken.line, broken.why));
        let mut open: Vec<(&str, &str, &Node)> =
            file.documents.iter().map(|root| ("", "", &**root)).collect();
        let mut seen = 0;
        while let Some((above, key, node)) = open.pop() {
            seen += 1;
            if seen > MOST {
                broken = Some(Unparsable::new(path.clone(), None, "its aliases make too many values"));
                break;
            }
            open.extend(node.items().iter().map(|item| (above, key, &**item)));
            open.extend(
                node.members().iter().map(|(name, value)| (key, name.text().unwrap_or(""), &**value)),
            );
            if let Some((kind, path)) = node.text().and_then(|text| path_of(above, key, text)) {
                refer(kind, path, node.place, key);
            }
        }
        // Read unasked: values for the variables of the file.
        refer(ReferenceKind::VariableFile, StaticValue::Literal(".env".into()), Place::beginning(), ".env");
        facts.marks.push(Mark::new(MarkKind::LikelyUnit, Place::beginning()));
        facts.unparsable.extend(broken);
        facts
    }

    fn resolve(&self, _: &RepoPath, files: &[RepoPath], lookup: &mut dyn Lookup) -> Facts {
        included(self, files, lookup)
    }
}

/// What a text names by the key that it stands under, and the key above: a path, or nothing.
fn path_of(above: &str, key: &str, text: &str) -> Option<(ReferenceKind, StaticValue)> {
    let kind = match (above, key) {
        (_, "include") | ("include", "path") | ("extends", "file") => ReferenceKind::Include,
        (_, "env_file" | "label_file") | ("env_file", "path") => ReferenceKind::VariableFile,
        (_, "file") => ReferenceKind::FileRead, // of a secret, of a configuration
        (_, "build") | ("build", "context") | ("additional_contexts", _) => ReferenceKind::PathNamed,
        (_, "volumes") | ("volumes", "source") if text.starts_with('.') => ReferenceKind::PathNamed,
        _ => return None,
    };
    let remote = text.contains("://") || text.starts_with("git@");
    let text = if key == "volumes" { text.split(':').next()? } else { text };
    let path = match text.split_once('$') {
        // What a variable stands for is not known here.
        Some((known, _)) => {
            StaticValue::concat(vec![StaticValue::Literal(known.into()), StaticValue::Unknown])
        }
        None => StaticValue::Literal(text.into()),
    };
    (!remote).then_some((kind, path))
}
