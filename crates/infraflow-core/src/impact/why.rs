use std::collections::{BTreeMap, BTreeSet, HashMap};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    AffectedModule, AffectedStackUnit, AffectedUnit, Impact, Rules,
    search::touched,
    why_file::{not_counting, touched_by},
};
use crate::{
    catalog::{CaseId, Catalog, CatalogError, Node, Reference, ReferenceKind, UnitId},
    detect::Change,
    proof::{Document, Link, Reason, RepoPath},
};

/// Why something is affected, or why it is not: a unit, a module, a test case, a directory of these, or a file.
///
/// Of what is affected, `things` has each with its reasons. Otherwise `reasons` say why not, by these rules:
///
/// | rule | it says |
/// |---|---|
/// | `nothing_changed` | what the thing depends on, and that none of it changed |
/// | `nearest_miss` | the changed file that lies nearest, and why that does not count |
/// | `only_outputs` | it consumes outputs of an affected unit: it is among `dependents` |
/// | `ignored` | a rule of `[impact]` leaves the file out |
/// | `mode_only` | only the file's mode changed |
/// | `not_read` | the file changed, and nothing reads it |
/// | `not_changed` | the file did not change |
/// | `not_known` | there is no such thing, and no such changed file; what is called nearly so |
///
/// ```json
/// {"kind": "why", "schema_version": 1, "digest": "sha256:…", "asked": "live/a", "affected": false, "things": [],
///  "reasons": [{"rule": "nothing_changed", "text": "live/a depends on 1 module and 3 files, and none of these changed",
///    "chain": [{"path": "live/a/main.tf", "start": 0, "end": 14, "line": 1, "column": 1, "reference": "module.net"}]}]}
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Why {
    /// What was asked for.
    pub asked: String,
    /// Whether it is, or touches, anything affected or gone.
    pub affected: bool,
    /// What is affected or gone of it, or by it.
    pub things: Vec<Answered>,
    /// Why not, where nothing is.
    pub reasons: Vec<Reason>,
}

/// A thing and why it is affected or gone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Answered {
    /// What it is: `unit`, `module`, `case`, `removed_unit` or `removed_module`.
    pub what: String,
    /// Its id or path.
    pub name: String,
    /// Why.
    pub reasons: Vec<Reason>,
    /// How many more chains of references there are at least than `reasons` tell, as the impact says of the thing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chains_left_out: Option<u64>,
}

impl Document for Why {
    const KIND: &'static str = "why";
    const SCHEMA_VERSION: u32 = 1;
}

/// The most places that a reason names.
const MOST: usize = 20;

/// Why what is asked for is affected, or why not. `asked` is a path or a unit's id; `head` is the catalog of the
/// head, whose impact this is, and `rules` are those it was assessed by. This is *plan*.
///
/// # Errors
/// [`CatalogError`] where the catalog's tree can no longer be read.
pub fn why(asked: &str, impact: &Impact, head: &Catalog, rules: &Rules) -> Result<Why, CatalogError> {
    let trimmed = asked.strip_prefix("./").unwrap_or(asked).trim_end_matches('/');
    let path = RepoPath::try_from(trimmed.to_owned()).or_else(|_| RepoPath::parse(trimmed)).ok();
    let all = answered(impact);
    let found = |wanted: &dyn Fn(&Answered, &RepoPath) -> bool| -> Vec<Answered> {
        all.iter().filter(|(path, thing)| wanted(thing, path)).map(|(_, thing)| thing.clone()).collect()
    };
    let yes = |things| Why { asked: asked.to_owned(), affected: true, things, reasons: Vec::new() };
    let no = |reasons| Why { asked: asked.to_owned(), affected: false, things: Vec::new(), reasons };

    // The thing itself, what changed with the file, what stands below the directory: the first that is there.
    let itself = found(&|thing, own| thing.name == trimmed || path.as_ref() == Some(own));
    if !itself.is_empty() {
        return Ok(yes(itself));
    }
    if let Some(path) = &path
        && let Some(change) = changes_of(impact, path)
    {
        let by_file = touched_by(change, path, &all, head, rules)?;
        if !by_file.is_empty() {
            return Ok(yes(by_file));
        }
        return Ok(no(vec![not_counting(change, path, impact, head)?]));
    }
    let nodes = standing(trimmed, path.as_ref(), head)?;
    if !nodes.is_empty() {
        return Ok(no(not_touched(trimmed, &nodes, impact, head, rules)?));
    }
    if let Some(path) = &path {
        let below = found(&|_, own| own.is_within(path));
        if !below.is_empty() {
            return Ok(yes(below));
        }
        let readers: BTreeMap<Node, Link> = head
            .references()?
            .iter()
            .filter(|reference| matches!(&reference.to, Node::File(file) if file == path))
            .map(|reference| (reference.from.clone(), reference.link.clone()))
            .collect();
        if !readers.is_empty() {
            let names: Vec<String> = readers.keys().map(name).collect();
            let text = format!("{path} did not change; {} would be touched by it", list(&names));
            let links = readers.into_values().take(MOST).collect();
            return Ok(no(vec![Reason::new("not_changed", text).with_chain(links)]));
        }
    }
    Ok(no(vec![not_known(trimmed, impact, head)?]))
}

fn answered(impact: &Impact) -> Vec<(&RepoPath, Answered)> {
    let thing = |what: &str, name: String, reasons: &[Reason], chains_left_out: Option<u64>| Answered {
        what: what.to_owned(),
        name,
        reasons: reasons.to_vec(),
        chains_left_out,
    };
    let units = |what: &'static str, units| {
        let units: &[AffectedUnit] = units;
        units
            .iter()
            .map(move |it| (&it.path, thing(what, it.id.to_string(), &it.reasons, it.chains_left_out)))
    };
    let modules = |what: &'static str, modules| {
        let modules: &[AffectedModule] = modules;
        modules
            .iter()
            .map(move |it| (&it.path, thing(what, it.path.to_string(), &it.reasons, it.chains_left_out)))
    };
    let in_stacks = |what: &'static str, units| {
        let units: &[AffectedStackUnit] = units;
        units.iter().map(move |it| (&it.path, thing(what, it.id.to_string(), &it.reasons, None)))
    };
    let cases = impact.cases.iter();
    let cases = cases.map(|it| (&it.path, thing("case", it.id.to_string(), &it.reasons, it.chains_left_out)));
    units("unit", &impact.units)
        .chain(modules("module", &impact.modules))
        .chain(cases)
        .chain(units("removed_unit", &impact.removed_units))
        .chain(modules("removed_module", &impact.removed_modules))
        .chain(in_stacks("stack_unit", &impact.stack_units))
        .chain(in_stacks("removed_stack_unit", &impact.removed_stack_units))
        .collect()
}

fn changes_of<'a>(impact: &'a Impact, path: &RepoPath) -> Option<&'a Change> {
    impact.changes.iter().find(|change| touched(change).iter().any(|(own, _)| *own == path))
}

/// The things of the head that are called so.
fn standing(asked: &str, path: Option<&RepoPath>, head: &Catalog) -> Result<Vec<Node>, CatalogError> {
    let is = |own: &RepoPath| path == Some(own);
    let mut nodes: BTreeSet<Node> = BTreeSet::new();
    let units = head.units()?;
    let units = units.iter().filter(|unit| is(&unit.path) || unit.id.to_string() == asked);
    nodes.extend(units.map(|unit| Node::Unit(unit.id.clone())));
    let modules = path.filter(|path| head.module(path).is_ok_and(|module| module.is_some()));
    nodes.extend(modules.map(|path| Node::Module(path.clone())));
    nodes.extend(head.cases()?.iter().filter(|case| is(&case.path)).map(|case| Node::Case(case.id.clone())));
    Ok(nodes.into_iter().collect())
}

/// Why a thing that is there is not touched: all that it depends on, and that none of it changed.
fn not_touched(
    asked: &str,
    nodes: &[Node],
    impact: &Impact,
    head: &Catalog,
    rules: &Rules,
) -> Result<Vec<Reason>, CatalogError> {
    let mut reasons = Vec::new();
    let ids: BTreeSet<&UnitId> =
        nodes.iter().filter_map(|node| if let Node::Unit(id) = node { Some(id) } else { None }).collect();
    for dependent in impact.dependents.iter().filter(|unit| ids.contains(&unit.id)) {
        let text = format!("{} only consumes outputs of what is affected: its own plan stays", dependent.id);
        reasons.push(match dependent.reasons.first() {
            Some(reason) => reason.led_on("only_outputs", text, []),
            None => Reason::new("only_outputs", text),
        });
    }
    let references = head.references()?;
    let mut by: BTreeMap<&Node, Vec<&Reference>> = BTreeMap::new();
    for reference in references.iter().filter(|reference| reference.kind != ReferenceKind::Dependency) {
        by.entry(&reference.from).or_default().push(reference);
    }
    let mut seen: BTreeSet<&Node> = nodes.iter().collect();
    let mut work: Vec<&Node> = nodes.iter().collect();
    let mut chain = Vec::new();
    while let Some(node) = work.pop() {
        for reference in by.get(node).into_iter().flatten() {
            if nodes.contains(node) && chain.len() < MOST {
                chain.push(reference.link.clone());
            }
            if seen.insert(&reference.to) {
                work.push(&reference.to);
            }
        }
    }
    let depended: Vec<&Node> = seen.iter().copied().filter(|node| !nodes.contains(node)).collect();
    let (modules, files): (Vec<&Node>, Vec<&Node>) =
        depended.iter().copied().partition(|node| !matches!(node, Node::File(_)));
    let on = match (modules.len(), files.len()) {
        (0, 0) => "its own configuration alone".to_owned(),
        (things, 0) => format!("its own configuration and {}", count(things, "module")),
        (0, files) => format!("its own configuration and {}", count(files, "file or directory")),
        (things, files) => {
            format!(
                "its own configuration, {} and {}",
                count(things, "module"),
                count(files, "file or directory")
            )
        }
    };
    let named: Vec<String> = modules.iter().chain(&files).map(|node| name(node)).collect();
    let named = if named.is_empty() { String::new() } else { format!(" ({})", list(&named)) };
    let also: Vec<String> = nodes
        .iter()
        .filter_map(directory)
        .flat_map(|directory| {
            rules.also(&directory).map(|(name, rule)| format!("{name}: {}", rule.reason)).collect::<Vec<_>>()
        })
        .collect();
    let also = if also.is_empty() { String::new() } else { format!(", and by {}", also.join(", ")) };
    let text = format!("{asked} depends on {on}{named}{also}, and nothing of that changed");
    reasons.push(Reason::new("nothing_changed", text).with_chain(chain));
    let places: Vec<(RepoPath, bool)> = nodes
        .iter()
        .map(|node| (node, true))
        .chain(depended.into_iter().map(|node| (node, false)))
        .filter_map(|(node, own)| Some((directory(node)?, own)))
        .collect();
    reasons.extend(nearest_miss(&places, impact, head, rules)?);
    Ok(reasons)
}

/// The changed file that shares the longest way with one of these places, if it shares any.
fn nearest_miss(
    places: &[(RepoPath, bool)],
    impact: &Impact,
    head: &Catalog,
    rules: &Rules,
) -> Result<Option<Reason>, CatalogError> {
    let above = |path: &RepoPath| {
        let itself = Some(path.clone()).filter(|path| !path.is_root());
        std::iter::successors(itself, |path| path.parent().filter(|parent| !parent.is_root()))
    };
    let mut known: HashMap<RepoPath, &RepoPath> = HashMap::new();
    for (place, _) in places {
        above(place).for_each(|directory| {
            known.entry(directory).or_insert(place);
        });
    }
    let mut best: Option<(usize, &Change, &RepoPath)> = None;
    for change in &impact.changes {
        let shared = above(&change.path)
            .find_map(|directory| Some((directory.names().count(), known.get(&directory)?)));
        if let Some((score, place)) = shared.filter(|(score, _)| *score > best.map_or(0, |(best, ..)| best)) {
            best = Some((score, change, place));
        }
    }
    let Some((score, change, place)) = best else { return Ok(None) };
    let path = &change.path;
    let whole = score == place.names().count();
    let counts = whole && !touched_by(change, path, &answered(impact), head, rules)?.is_empty();
    let text = match (whole, counts) {
        (true, false) => {
            let why = not_counting(change, path, impact, head)?.text;
            format!("the nearest change lies below {place}: {why}")
        }
        (true, true) => format!("the nearest change is {path}, below {place}; it touches others only"),
        (false, _) if score + 1 == place.names().count() => {
            format!("the nearest change is {path}, beside {place}")
        }
        (false, _) => {
            let shared: Vec<&[u8]> = place.names().take(score).collect();
            let shared = String::from_utf8_lossy(&shared.join(&b'/')).into_owned();
            format!("the nearest change is {path}, below {shared} as {place} is")
        }
    };
    Ok(Some(Reason::new("nearest_miss", text).with_chain(vec![Link::whole(path.clone(), path.to_string())])))
}

/// What is called nearly so.
fn not_known(asked: &str, impact: &Impact, head: &Catalog) -> Result<Reason, CatalogError> {
    let mut names: BTreeSet<String> = head.units()?.iter().map(|unit| unit.id.to_string()).collect();
    names.extend(head.modules()?.iter().map(|module| module.path.to_string()));
    names.extend(head.cases()?.iter().map(|case| case.id.to_string()));
    names.extend(impact.changes.iter().map(|change| change.path.to_string()));
    let near = |name: &String| strsim::damerau_levenshtein(asked, name);
    let nearest = names.iter().map(|name| (near(name), name)).min();
    let help = match nearest.filter(|(distance, _)| *distance <= 1 + asked.chars().count() / 3) {
        Some((_, name)) => format!("did you mean {name}?"),
        None => "a file that did not change and that nothing reads is not known here".to_owned(),
    };
    Ok(Reason::new(
        "not_known",
        format!("there is no module, unit, test case or changed file {asked}; {help}"),
    ))
}

fn directory(node: &Node) -> Option<RepoPath> {
    match node {
        Node::File(path) | Node::Module(path) => Some(path.clone()),
        Node::Unit(id) => Some(id.path().clone()),
        Node::Case(id) => Some(CaseId::path(id).clone()),
        Node::External(_) => None,
    }
}

fn name(node: &Node) -> String {
    match node {
        Node::File(path) | Node::Module(path) => path.to_string(),
        Node::Unit(id) => id.to_string(),
        Node::Case(id) => id.to_string(),
        Node::External(source) => source.clone(),
    }
}

/// The first five, and how many more.
fn list(names: &[String]) -> String {
    match names.len().saturating_sub(5) {
        0 => names.join(", "),
        more => format!("{} and {more} more", names[..5].join(", ")),
    }
}

fn count(number: usize, what: &str) -> String {
    match (number, what) {
        (1, _) => format!("1 {what}"),
        (_, "file or directory") => format!("{number} files or directories"),
        _ => format!("{number} {what}s"),
    }
}
