//! Dialects that are written in Python, used by the core.
//!
//! Which files a dialect reads is data (patterns and roles), so that no path is carried to Python; files come in
//! batches, so that the interpreter is entered once for thousands of them. Only `resolve` is called for each scope.

use std::{
    collections::HashMap,
    error::Error,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use infraflow_core::{
    catalog::{
        self as core, Claim, Definition, Dialect, DialectName, MarkKind, ReferenceKind, Role, Target,
        Unparsable,
    },
    policy::PathPattern,
    proof::{Digest, Lines as CoreLines, Place as CorePlace, RepoPath},
    terraform::facts::StaticValue,
};
use pyo3::{
    exceptions::{PyTypeError, PyValueError},
    prelude::*,
    types::{PyBytes, PyDict, PyMapping, PyString, PyTuple},
};

use crate::{
    data::{Holds as _, record},
    error::Result,
    lookup::{Lookup, Questions},
    repository::repo_path,
    value::{as_json, python_to_json},
};

as_json!(Target, MarkKind, Definition);

/// How many files a Python dialect gets at once.
const BATCH: usize = 4_096;

record! {
    /// Where something stands in a file: bytes from 0, and the line and column of the first one, from 1.
    Place(CorePlace) { start, end, line, column }
}

record! {
    /// Something that tells what a directory is.
    Mark(core::Mark) { kind, place }
}

record! {
    /// One dependency that a file states.
    FactReference(core::FactReference) { kind, target, place, in_file, text, part }

    /// A file or a directory: relative to the directory in which the tool runs. With `unknown`, what follows the
    /// text is known to nobody.
    #[staticmethod]
    #[pyo3(signature = (kind, path, place, text, *, unknown = false))]
    fn to_path(kind: &str, path: String, place: &Bound<'_, Place>, text: String, unknown: bool) -> PyResult<Self> {
        let mut value = StaticValue::Literal(path);
        if unknown {
            value = StaticValue::concat(vec![value, StaticValue::Unknown]);
        }
        Ok(reference(kind_of(kind)?, Target::Path(value), place, text))
    }

    /// The unit in a directory of the repository, whose outputs are consumed.
    #[staticmethod]
    fn to_unit(directory: &str, place: &Bound<'_, Place>, text: String) -> Result<Self> {
        Ok(reference(ReferenceKind::Dependency, Target::Unit(repo_path(directory)?), place, text))
    }

    /// Everything below a directory of the repository.
    #[staticmethod]
    fn to_below(directory: &str, place: &Bound<'_, Place>, text: String) -> Result<Self> {
        Ok(reference(ReferenceKind::Watch, Target::Below(repo_path(directory)?), place, text))
    }
}

record! {
    /// What one file states.
    Facts(core::Facts) { marks, references, definitions, unparsable }
}

fn kind_of(text: &str) -> PyResult<ReferenceKind> {
    serde_json::from_value(text.into()).map_err(|error| PyValueError::new_err(error.to_string()))
}

fn reference(kind: ReferenceKind, target: Target, place: &Bound<'_, Place>, text: String) -> FactReference {
    let place = **place.get().held();
    FactReference::hold(Arc::new(core::FactReference::new(kind, target, place, text)))
}

/// Where the lines of a file begin, so that bytes can be told as a place.
#[pyclass(frozen, module = "infraflow")]
pub(crate) struct Lines(CoreLines, usize);

#[pymethods]
impl Lines {
    #[new]
    fn new(content: &[u8]) -> Self {
        Self(CoreLines::of(content), content.len())
    }

    /// The place of the bytes from `start` up to `end`.
    fn place(&self, start: usize, end: usize) -> PyResult<Place> {
        if start > end || end > self.1 {
            let message = format!("{start} to {end} are no bytes of a file that has {}", self.1);
            return Err(PyValueError::new_err(message));
        }
        Ok(Place::hold(Arc::new(self.0.place(start..end))))
    }

    fn __repr__(&self) -> String {
        format!("Lines(<{} bytes>)", self.1)
    }
}

/// The names of the dialects that infraflow brings.
#[pyfunction]
pub(crate) fn standard_dialects(py: Python<'_>) -> PyResult<Bound<'_, PyTuple>> {
    PyTuple::new(py, core::standard_dialects().iter().map(|dialect| dialect.name().to_string()))
}

/// The dialects that Python code gave: names of the core's, and objects.
pub(crate) fn dialects_of(given: Option<&Bound<'_, PyAny>>) -> Result<Vec<Arc<dyn Dialect>>> {
    let standard = core::standard_dialects();
    let Some(given) = given else { return Ok(standard) };
    let mut dialects = Vec::new();
    for one in given.try_iter()? {
        let one = one?;
        let Ok(name) = one.cast::<PyString>() else {
            dialects.push(Arc::new(PythonDialect::new(&one)?) as Arc<dyn Dialect>);
            continue;
        };
        let name: String = name.extract()?;
        match standard.iter().find(|dialect| dialect.name().as_str() == name) {
            Some(dialect) => dialects.push(Arc::clone(dialect)),
            None => {
                let known: Vec<String> = standard.iter().map(|it| it.name().to_string()).collect();
                let message =
                    format!("infraflow brings no dialect called {name:?}; it has {}", known.join(", "));
                return Err(PyValueError::new_err(message).into());
            }
        }
    }
    Ok(dialects)
}

/// A dialect that is written in Python.
pub(crate) struct PythonDialect {
    name: DialectName,
    version: u32,
    claims: Vec<(PathPattern, Option<Claim>)>,
    object: Py<PyAny>,
    includes: bool,
    resolves: bool,
    /// What it raised first. From then on it is not asked any more.
    raised: OnceLock<Arc<PyErr>>,
    /// What it said already: whoever follows includes, or checks a file, asks again, file by file.
    known: Option<Mutex<HashMap<(RepoPath, Digest), core::Facts>>>,
}

impl PythonDialect {
    pub(crate) fn new(object: &Bound<'_, PyAny>) -> Result<Self> {
        let class: String = object.get_type().name()?.extract()?;
        for wanted in ["name", "version", "claims", "facts"] {
            if !object.hasattr(wanted)? {
                let message = format!("{class} is no dialect: it has no {wanted}");
                return Err(PyTypeError::new_err(message).into());
            }
        }
        let name: String = object.getattr("name")?.extract()?;
        let claims = object.getattr("claims")?;
        let claims = claims.cast::<PyMapping>().map_err(|_| {
            PyTypeError::new_err(format!("{class}.claims is no mapping of patterns of paths to roles"))
        })?;
        let mut patterns = Vec::new();
        for item in claims.items()?.iter() {
            let (pattern, role): (String, Option<String>) = item.extract()?;
            patterns.push((PathPattern::parse(&pattern)?, role.map(|role| claim(&role)).transpose()?));
        }
        let includes = match object.getattr_opt("includes")? {
            Some(includes) => includes.is_truthy()?,
            None => false,
        };
        Ok(Self {
            name: DialectName::parse(&name)?,
            version: object.getattr("version")?.extract()?,
            claims: patterns,
            object: object.clone().unbind(),
            includes,
            resolves: object.hasattr("resolve")?,
            raised: OnceLock::new(),
            known: Some(Mutex::default()),
        })
    }

    /// The same, asked anew each time: to see whether it says the same again.
    pub(crate) fn remembering_nothing(mut self) -> Self {
        self.known = None;
        self
    }

    /// What the object answers, as facts; where it raises, that is kept, and nothing is known.
    fn answer<T>(&self, ask: impl FnOnce(Python<'_>, &Bound<'_, PyAny>) -> PyResult<T>) -> Option<T> {
        if self.raised.get().is_some() {
            return None;
        }
        match Python::attach(|py| ask(py, self.object.bind(py))) {
            Ok(answer) => Some(answer),
            Err(error) => {
                let _ = self.raised.set(Arc::new(error));
                None
            }
        }
    }
}

fn claim(role: &str) -> PyResult<Claim> {
    let role: Role =
        serde_json::from_value(role.into()).map_err(|error| PyValueError::new_err(error.to_string()))?;
    Ok(match role {
        Role::Test => Claim::test(),
        role => Claim::beside(role),
    })
}

/// Facts as Python code gives them: an object of the class, what could stand in its constructor, or nothing.
fn facts_of(given: &Bound<'_, PyAny>) -> PyResult<core::Facts> {
    if given.is_none() {
        return Ok(core::Facts::default());
    }
    if let Ok(facts) = given.cast::<Facts>() {
        return Ok((**facts.get().held()).clone());
    }
    if given.cast::<PyDict>().is_err() {
        let name = given.get_type().name()?;
        return Err(PyTypeError::new_err(format!("a dialect states Facts, not {name}")));
    }
    serde_json::from_value(python_to_json(given)?)
        .map_err(|error| PyValueError::new_err(format!("Facts: {error}")))
}

/// What is said of a file when the dialect has failed: nobody uses it, since then no catalog is made.
fn nothing_known(path: &RepoPath) -> core::Facts {
    let mut facts = core::Facts::default();
    facts.unparsable.push(Unparsable::new(path.clone(), None, "the dialect failed"));
    facts
}

impl Dialect for PythonDialect {
    fn name(&self) -> DialectName {
        self.name.clone()
    }

    fn version(&self) -> u32 {
        self.version
    }

    fn claims(&self, path: &RepoPath) -> Option<Claim> {
        self.claims.iter().find(|(pattern, _)| pattern.matches(path))?.1
    }

    fn facts(&self, path: &RepoPath, content: &[u8]) -> core::Facts {
        if let Some(known) = &self.known {
            let key = (path.clone(), Digest::of_bytes(content));
            if let Some(facts) = known.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
                return facts.clone();
            }
        }
        let facts = self.facts_of_each(&[(path.clone(), content.into())]).pop();
        facts.unwrap_or_else(|| nothing_known(path))
    }

    fn facts_of_each(&self, files: &[(RepoPath, Arc<[u8]>)]) -> Vec<core::Facts> {
        let answer = self.answer(|py, object| {
            let given = files.iter().map(|(path, content)| (path.to_string(), PyBytes::new(py, content)));
            let answer = object.call_method1("facts", (PyTuple::new(py, given)?,))?;
            let facts: Vec<_> = answer.try_iter()?.map(|facts| facts_of(&facts?)).collect::<PyResult<_>>()?;
            if facts.len() != files.len() {
                let (name, said, asked) = (object.get_type().name()?, facts.len(), files.len());
                let message = format!("{name}.facts answers for {said} files, and was asked about {asked}");
                return Err(PyValueError::new_err(message));
            }
            Ok(facts)
        });
        let Some(answer) = answer else {
            return files.iter().map(|(path, _)| nothing_known(path)).collect();
        };
        if let Some(known) = &self.known {
            let said = files
                .iter()
                .zip(&answer)
                .map(|((path, content), facts)| ((path.clone(), Digest::of_bytes(content)), facts.clone()));
            known.lock().unwrap_or_else(PoisonError::into_inner).extend(said);
        }
        answer
    }

    fn batch(&self) -> usize {
        BATCH
    }

    fn failure(&self) -> Option<Arc<dyn Error + Send + Sync>> {
        self.raised.get().map(|error| Arc::clone(error) as Arc<dyn Error + Send + Sync>)
    }

    fn resolve(
        &self,
        directory: &RepoPath,
        files: &[RepoPath],
        lookup: &mut dyn core::Lookup,
    ) -> core::Facts {
        if !self.resolves {
            return match self.includes {
                true => core::included(self, files, lookup),
                false => core::Facts::default(),
            };
        }
        let (asking, questions) = Lookup::pair();
        let call = || {
            self.answer(|py, object| {
                let asking = Py::new(py, asking)?;
                let paths = PyTuple::new(py, files.iter().map(ToString::to_string))?;
                let answer =
                    object.call_method1("resolve", (directory.to_string(), paths, asking.clone_ref(py)));
                asking.get().close();
                facts_of(&answer?)
            })
        };
        // A lookup lives no longer than this call, so what Python holds only sends questions here.
        let answer = std::thread::scope(|scope| {
            let called = scope.spawn(call);
            answer_all(&questions, lookup);
            called.join().ok().flatten()
        });
        answer.unwrap_or_default()
    }
}

fn answer_all(questions: &Questions, lookup: &mut dyn core::Lookup) {
    while let Some(question) = questions.next() {
        question.answer(lookup);
    }
}
