//! Files that a dialect is tried on, and a tree that remembers what it showed.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use crate::{
    catalog::{Because, Dialect, Listed, Lookup, Parsed, Role, Scope},
    proof::RepoPath,
};

/// A file cut short and altered at many places, the same every time.
pub(super) fn damaged(content: &[u8]) -> impl Iterator<Item = Vec<u8>> + '_ {
    let step = (content.len() / 24).max(1);
    let cut = (0..content.len()).step_by(step).map(|at| content[..at].to_vec());
    let begun = (0..content.len()).step_by(step).map(|at| content[at..].to_vec());
    let signs = [
        &b"\""[..],
        b"'",
        b"{",
        b"}",
        b"[",
        b"]",
        b"(",
        b"${",
        b"%{",
        b"<<A\n",
        b"\n",
        b"\r\n",
        b"\0",
        b"\xff",
        b"\xf0\x9f",
        "ä\u{feff}€".as_bytes(),
        b"\\",
        b"#",
        b"/*",
        b": ",
        b"- ",
        b"&a",
        b"*a",
        b"!!x ",
        b"\t",
        b"=",
        b"..",
    ];
    let altered = signs.into_iter().enumerate().flat_map(move |(number, sign)| {
        (0..content.len().max(1)).step_by(step * 6).map(move |at| {
            // Elsewhere for each sign, so that all places are met.
            let at = (at + number * 31) % content.len().max(1);
            let rest = if number % 2 == 0 { at } else { (at + sign.len()).min(content.len()) };
            [&content[..at.min(content.len())], sign, &content[rest..]].concat()
        })
    });
    let turned = (0..content.len()).step_by(step).map(|at| {
        let mut bytes = content.to_vec();
        bytes[at] ^= 1 << (at % 8);
        bytes
    });
    let marked = [[b"\xef\xbb\xbf", content].concat(), content.repeat(2)];
    let lines = String::from_utf8_lossy(content).replace('\n', "\r\n").into_bytes();
    cut.chain(begun).chain(altered).chain(turned).chain(marked).chain([lines])
}

/// Texts that are made to be awkward for whoever reads them.
pub(super) fn hostile() -> impl Iterator<Item = Vec<u8>> {
    let deep = ["[", "{", "(", "{\"a\":", "- ", "a {\n", "a = [", "${", "\"${", "!"];
    let deep = deep.into_iter().map(|sign| sign.repeat(10_000).into_bytes());
    let aliases: String = (1..40).map(|at| format!("a{at}: &a{at} [*a{0}, *a{0}]\n", at - 1)).collect();
    let others = [
        Vec::new(),
        vec![0; 10_000],
        vec![b' '; 100_000],
        vec![b'\n'; 50_000],
        vec![b'a'; 200_000],
        "a + ".repeat(20_000).into_bytes(),
        format!("a0: &a0 [x, y]\n{aliases}").into_bytes(),
        (0..30_000_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect(),
        b"include: .\n".repeat(2_000),
        "\u{feff}\u{feff}ä: \"ö\"\n".into(),
    ];
    deep.chain(others)
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Asked {
    Read(RepoPath),
    File(RepoPath),
    Directory(RepoPath),
    List(RepoPath),
    Inherited(RepoPath),
}

#[derive(Clone)]
enum Answer {
    Bytes(Option<Arc<[u8]>>),
    Is(bool),
    Names(Vec<Listed>),
    Files(Vec<(RepoPath, Arc<[u8]>)>),
}

/// A tree, or what another one showed.
pub(super) struct Shown<'a> {
    dialect: &'a dyn Dialect,
    tree: Option<&'a BTreeMap<RepoPath, Vec<u8>>>,
    shown: BTreeMap<Asked, Answer>,
    /// What was asked for and had not been shown.
    pub(super) unshown: BTreeSet<RepoPath>,
}

impl<'a> Shown<'a> {
    pub(super) fn of(tree: &'a BTreeMap<RepoPath, Vec<u8>>, dialect: &'a dyn Dialect) -> Self {
        Self { dialect, tree: Some(tree), shown: BTreeMap::new(), unshown: BTreeSet::new() }
    }

    /// What was shown, and nothing else.
    pub(super) fn replay(&self) -> Self {
        Self { dialect: self.dialect, tree: None, shown: self.shown.clone(), unshown: BTreeSet::new() }
    }

    /// The files that were read.
    pub(super) fn read(&self) -> impl Iterator<Item = &RepoPath> {
        self.shown.keys().filter_map(|asked| match asked {
            Asked::Read(path) => Some(path),
            _ => None,
        })
    }

    fn answer(&mut self, asked: Asked) -> Answer {
        if let Some(known) = self.shown.get(&asked) {
            return known.clone();
        }
        let found = self.tree.map(|tree| of_tree(tree, &asked, self.dialect));
        let answer = found.unwrap_or_else(|| {
            let (Asked::Read(path)
            | Asked::File(path)
            | Asked::Directory(path)
            | Asked::List(path)
            | Asked::Inherited(path)) = &asked;
            self.unshown.insert(path.clone());
            of_tree(&BTreeMap::new(), &asked, self.dialect)
        });
        self.shown.insert(asked, answer.clone());
        answer
    }
}

fn of_tree(tree: &BTreeMap<RepoPath, Vec<u8>>, asked: &Asked, dialect: &dyn Dialect) -> Answer {
    let below = |directory: &RepoPath| {
        let inside = tree.keys().filter(|path| *path != directory && path.is_within(directory));
        let depth = directory.names().count();
        let names = inside
            .filter_map(|path| Some(Listed::new(path.names().nth(depth)?, path.names().count() > depth + 1)));
        names.collect::<BTreeSet<_>>()
    };
    match asked {
        Asked::Read(path) => Answer::Bytes(tree.get(path).map(|content| content.as_slice().into())),
        Asked::File(path) => Answer::Is(tree.contains_key(path)),
        Asked::Directory(path) => Answer::Is(!below(path).is_empty()),
        Asked::List(path) => Answer::Names(below(path).into_iter().collect()),
        Asked::Inherited(directory) => {
            let own = tree.iter().filter(|(path, _)| path.parent().as_ref() == Some(directory));
            let own = own.filter(|(path, _)| {
                let claim = dialect.claims(path);
                claim.is_some_and(|it| it.role == Role::Configuration && it.scope == Scope::Directory)
            });
            Answer::Files(own.map(|(path, content)| (path.clone(), content.as_slice().into())).collect())
        }
    }
}

impl Lookup for Shown<'_> {
    fn read(&mut self, path: &RepoPath, _: &Because) -> Option<Arc<[u8]>> {
        match self.answer(Asked::Read(path.clone())) {
            Answer::Bytes(content) => content,
            _ => None,
        }
    }

    fn is_file(&mut self, path: &RepoPath, _: &Because) -> bool {
        matches!(self.answer(Asked::File(path.clone())), Answer::Is(true))
    }

    fn is_directory(&mut self, path: &RepoPath, _: &Because) -> bool {
        matches!(self.answer(Asked::Directory(path.clone())), Answer::Is(true))
    }

    fn list(&mut self, directory: &RepoPath, _: &Because) -> Vec<Listed> {
        match self.answer(Asked::List(directory.clone())) {
            Answer::Names(names) => names,
            _ => Vec::new(),
        }
    }

    fn parsed(
        &mut self,
        path: &RepoPath,
        because: &Because,
        parse: &dyn Fn(&RepoPath, &[u8]) -> Parsed,
    ) -> Option<Parsed> {
        let content = self.read(path, because)?;
        Some(parse(path, &content))
    }

    fn inherited(
        &mut self,
        directory: &RepoPath,
        parse: &dyn Fn(&RepoPath, &[u8]) -> Parsed,
    ) -> Arc<[(RepoPath, Parsed)]> {
        let Answer::Files(files) = self.answer(Asked::Inherited(directory.clone())) else {
            return Arc::new([]);
        };
        files.into_iter().map(|(path, content)| (path.clone(), parse(&path, &content))).collect()
    }
}
