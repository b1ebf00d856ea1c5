use std::{
    collections::{BTreeMap, BTreeSet},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    Violation,
    dialect_files::{Shown, damaged, hostile},
    violation::Held,
};
use crate::{
    catalog::{Dialect, Facts, Role, Scope, Target},
    proof::{Lines, Place, RepoPath},
};

/// A call that takes longer than this on a file of a megabyte has no bound.
const LONGEST: Duration = Duration::from_secs(20);

/// Threads that ask at the same time.
const THREADS: usize = 4;

/// Holds a [`Dialect`] against its contract, on files that the caller chooses: paths and contents, as they stand in
/// one tree. Some that it claims, some that it does not, and, where it resolves, some that include each other show
/// the most. Each claimed file is also tried cut short and altered at many places, and one of each name's ending
/// with texts that are made to be awkward. That nothing is run and no file system or network looked at, of number 1, is for the reader; so is of
/// number 4 whether `version` was raised, and of number 5 whether what could still be made out is all that could be.
pub fn dialect(dialect: &dyn Dialect, files: &[(RepoPath, Vec<u8>)]) -> Vec<Violation> {
    let mut suite = Suite { held: Held::against("Dialect"), dialect };
    suite.claims(files);
    let claimed: Vec<&(RepoPath, Vec<u8>)> =
        files.iter().filter(|(path, _)| dialect.claims(path).is_some()).collect();
    suite.held.check(3, !claimed.is_empty(), || "it claims none of the files".into());
    let mut kinds = BTreeSet::new();
    for (path, content) in &claimed {
        suite.same(path, content);
        suite.answers(path, content);
        damaged(content).for_each(|content| suite.answers(path, &content));
        let ending = path.file_name().splitn(2, |&byte| byte == b'.').nth(1).map(<[u8]>::to_vec);
        if kinds.insert((dialect.claims(path), ending)) {
            hostile().for_each(|content| suite.answers(path, &content));
        }
        suite.never_silent(path);
    }
    suite.threads(&claimed);
    suite.together(&claimed);
    suite.resolves(files);
    let failure = dialect.failure().map(|error| error.to_string());
    suite.held.check(8, failure.is_none(), || format!("it fails: {}", failure.unwrap_or_default()));
    suite.held.violations()
}

struct Suite<'a> {
    held: Held,
    dialect: &'a dyn Dialect,
}

impl Suite<'_> {
    /// One call, which neither panics nor takes for ever.
    fn call<T>(&mut self, what: &str, path: &RepoPath, call: impl FnOnce(&dyn Dialect) -> T) -> Option<T> {
        let begun = Instant::now();
        let answer = catch_unwind(AssertUnwindSafe(|| call(self.dialect)));
        let took = begun.elapsed();
        self.held.check(8, answer.is_ok(), || format!("{what} panics on {path}"));
        self.held.check(8, took < LONGEST, || format!("{what} takes {} s on {path}", took.as_secs()));
        answer.ok()
    }

    fn claims(&mut self, files: &[(RepoPath, Vec<u8>)]) {
        let name = self.dialect.name();
        let same = self.dialect.name() == name && self.dialect.version() == self.dialect.version();
        self.held.check(4, same, || "its name or version changes while it is used".into());
        let odd = [&b""[..], b"a", b"\xff\xfe/\xc3", b"...", b".hidden/x", "ä/ö.tf".as_bytes()];
        let odd = odd.iter().filter_map(|bytes| RepoPath::parse(bytes).ok());
        let long = RepoPath::parse(["a"; 2_000].join("/")).ok();
        let paths: Vec<RepoPath> =
            files.iter().map(|(path, _)| path.clone()).chain(odd).chain(long).collect();
        let ask = |dialect: &dyn Dialect| paths.iter().map(|path| dialect.claims(path)).collect::<Vec<_>>();
        let first = self.call("claims", &RepoPath::root(), ask);
        let begun = Instant::now();
        for _ in 0..100 {
            let again = self.call("claims", &RepoPath::root(), ask);
            self.held.check(2, first == again, || "asked again, it claims otherwise".into());
        }
        let each = begun.elapsed() / u32::try_from(100 * paths.len()).unwrap_or(u32::MAX);
        self.held
            .check(2, each < Duration::from_millis(1), || format!("claims takes {each:?} for each path"));
    }

    /// The same answers, whenever they are asked for, and wherever the file stands.
    fn same(&mut self, path: &RepoPath, content: &[u8]) {
        let [one, two] = [(); 2].map(|()| self.call("facts", path, |dialect| dialect.facts(path, content)));
        self.held.check(1, one == two, || format!("asked twice, facts says otherwise of {path}"));
        let [one_of, two_of] = [(); 2].map(|()| {
            self.call("check", path, |dialect| {
                (dialect.check(path, content), dialect.definitions(path, content, &|_| true))
            })
        });
        self.held.check(6, one_of == two_of, || {
            format!("asked twice, check or definitions say otherwise of {path}")
        });
        let parsed = self.call("facts_and_parsed", path, |dialect| dialect.facts_and_parsed(path, content).0);
        self.held
            .check(6, one == parsed, || format!("facts_and_parsed states otherwise of {path} than facts"));
        let elsewhere = RepoPath::root().join("quite/elsewhere").join(path.file_name());
        if self.dialect.claims(&elsewhere) == self.dialect.claims(path) {
            let there = self.call("facts", &elsewhere, |dialect| dialect.facts(&elsewhere, content));
            let [here, there] = [one, there].map(|facts| facts.map(|facts| placeless(facts, path)));
            self.held.check(4, here == there, || {
                format!("facts of the same bytes differ between {path} and {elsewhere}")
            });
        }
    }

    /// All that is asked of one file; what it says must hold together, whatever stands in the file.
    fn answers(&mut self, path: &RepoPath, content: &[u8]) {
        let Some(facts) = self.call("facts", path, |dialect| dialect.facts(path, content)) else { return };
        let checked = self.call("check", path, |dialect| dialect.check(path, content)).flatten();
        self.call("definitions", path, |dialect| dialect.definitions(path, content, &|_| true));
        self.held.check(5, facts.unparsable.is_empty() || checked.is_some(), || {
            format!("facts cannot understand {path}, and check can")
        });
        for broken in facts.unparsable.iter().chain(&checked) {
            self.held.check(5, broken.path == *path, || {
                format!("of {path} it says that {} cannot be understood", broken.path)
            });
            self.held.check(5, !broken.why.is_empty(), || {
                format!("it does not say why {path} cannot be understood")
            });
            let lines = content.split(|&byte| byte == b'\n').count();
            self.held.check(9, broken.line.is_none_or(|line| (1..=lines).contains(&line)), || {
                format!("of {lines} lines of {path} the broken one is {:?}", broken.line)
            });
        }
        let in_files = BTreeMap::from([(path.clone(), content.to_vec())]);
        self.places(&facts, path, &in_files);
    }

    /// Places are of the file, and lines and columns are those of their first byte.
    fn places(&mut self, facts: &Facts, path: &RepoPath, files: &BTreeMap<RepoPath, Vec<u8>>) {
        let marks = facts.marks.iter().map(|mark| (path, mark.place, None));
        let mut places: Vec<(&RepoPath, Place, Option<&str>)> = marks.collect();
        for reference in &facts.references {
            let file = reference.in_file.as_ref().unwrap_or(path);
            places.push((file, reference.place, None));
            let texts = match &reference.target {
                Target::Module { source, version, .. } => [source.as_ref(), version.as_ref()],
                Target::Root { source, .. } => [source.as_ref(), None],
                _ => [None, None],
            };
            for text in texts.into_iter().flatten() {
                places.push((file, text.place, text.verbatim.then_some(text.value.as_str())));
            }
        }
        for (file, place, verbatim) in places {
            let Some(content) = files.get(file) else {
                self.held.check(9, false, || {
                    format!("{path} refers to a place of {file}, which was not looked at")
                });
                continue;
            };
            let Some(bytes) = content.get(place.range()) else {
                self.held.check(9, false, || {
                    format!("{place:?} does not lie in the {} bytes of {file}", content.len())
                });
                continue;
            };
            self.held.check(9, Lines::of(content).place(place.range()) == place, || {
                format!("{place:?} has another line or column than its first byte in {file}")
            });
            let boundaries = std::str::from_utf8(content).is_err() || std::str::from_utf8(bytes).is_ok();
            self.held.check(9, boundaries, || format!("{place:?} cuts a character of {file} in two"));
            self.held.check(9, verbatim.is_none_or(|text| text.as_bytes() == bytes), || {
                format!("at {place:?} of {file} stands another text than {verbatim:?}")
            });
        }
    }

    /// Bytes that are no text in any language.
    fn never_silent(&mut self, path: &RepoPath) {
        let read =
            |role| matches!(role, Role::Configuration | Role::Test | Role::Values | Role::AutomaticValues);
        if !self.dialect.claims(path).is_some_and(|claim| read(claim.role)) {
            return;
        }
        for content in [&b"\xff\xfe\x80"[..], b"a\n\xc3\x28 {\n"] {
            let told = self.call("check", path, |dialect| dialect.check(path, content));
            self.held.check(5, told.is_none_or(|told| told.is_some()), || {
                format!("of bytes that are no UTF-8 in {path} it says nothing")
            });
        }
    }

    fn threads(&mut self, claimed: &[&(RepoPath, Vec<u8>)]) {
        let dialect = self.dialect;
        let all = |turn: usize| {
            let turned = claimed.iter().cycle().skip(turn).take(claimed.len());
            let mut all: Vec<(RepoPath, Facts)> =
                turned.map(|(path, content)| (path.clone(), dialect.facts(path, content))).collect();
            all.sort_by(|one, two| one.0.cmp(&two.0));
            all
        };
        let alone = self.call("facts", &RepoPath::root(), |_| all(0));
        let together: Vec<_> = std::thread::scope(|scope| {
            let asked: Vec<_> = (0..THREADS).map(|turn| scope.spawn(move || all(turn))).collect();
            asked.into_iter().map(|asked| asked.join().ok()).collect()
        });
        self.held.check(3, together.iter().all(|answer| *answer == alone), || {
            "from several threads, or in another order, it says otherwise".into()
        });
    }

    fn together(&mut self, claimed: &[&(RepoPath, Vec<u8>)]) {
        let files: Vec<(RepoPath, Arc<[u8]>)> =
            claimed.iter().map(|(path, content)| (path.clone(), content.as_slice().into())).collect();
        let together = self.call("facts_of_each", &RepoPath::root(), |dialect| dialect.facts_of_each(&files));
        let alone = self.call("facts", &RepoPath::root(), |dialect| {
            files.iter().map(|(path, content)| dialect.facts(path, content)).collect::<Vec<_>>()
        });
        self.held
            .check(6, together == alone, || "asked about several files at once, it says otherwise".into());
    }

    fn resolves(&mut self, files: &[(RepoPath, Vec<u8>)]) {
        let tree: BTreeMap<RepoPath, Vec<u8>> = files.iter().cloned().collect();
        let mut scopes: BTreeMap<RepoPath, Vec<RepoPath>> = BTreeMap::new();
        for path in tree.keys() {
            let claim = self.dialect.claims(path);
            if claim.is_some_and(|claim| claim.role == Role::Configuration && claim.scope == Scope::Directory)
            {
                scopes.entry(path.parent().unwrap_or_else(RepoPath::root)).or_default().push(path.clone());
            }
        }
        let mut tried = BTreeSet::new();
        for (directory, own) in &scopes {
            let mut first = Shown::of(&tree, self.dialect);
            let said = self.call("resolve", directory, |dialect| dialect.resolve(directory, own, &mut first));
            // A world that has what was shown, and nothing else.
            let mut again = first.replay();
            let repeated =
                self.call("resolve", directory, |dialect| dialect.resolve(directory, own, &mut again));
            self.held.check(7, said == repeated, || {
                format!("with the same answers to what it asked, resolve says otherwise of {directory}")
            });
            self.held.check(7, again.unshown.is_empty(), || {
                format!("with the same answers, resolve of {directory} asks for more: {:?}", again.unshown)
            });
            if let (Some(mut facts), Some(file)) = (said, own.first()) {
                facts.marks.clear(); // it does not say in which file they stand
                self.places(&facts, file, &tree);
            }
            for path in first.read() {
                let Some(content) = tree.get(path) else { continue };
                if !tried.insert(path.clone()) {
                    continue;
                }
                for content in damaged(content).step_by(11).chain(hostile().step_by(3)) {
                    let mut tree = tree.clone();
                    tree.insert(path.clone(), content);
                    let mut lookup = Shown::of(&tree, self.dialect);
                    let said = self
                        .call("resolve", directory, |dialect| dialect.resolve(directory, own, &mut lookup));
                    if let (Some(mut facts), Some(file)) = (said, own.first()) {
                        facts.marks.clear(); // it does not say in which file they stand
                        self.places(&facts, file, &tree);
                    }
                }
            }
        }
    }
}

/// Facts without the path of their file.
fn placeless(mut facts: Facts, path: &RepoPath) -> Facts {
    facts.unparsable.iter_mut().for_each(|broken| broken.path = path.clone());
    facts.references.iter_mut().for_each(|reference| reference.in_file = None);
    facts
}
