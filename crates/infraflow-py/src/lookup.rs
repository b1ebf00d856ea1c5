//! The files of a tree as a dialect written in Python sees them while it resolves.

use std::sync::{
    Mutex, PoisonError,
    mpsc::{Receiver, Sender, SyncSender, channel, sync_channel},
};

use infraflow_core::{
    catalog::{self as core, Because, ReferenceKind},
    proof::{Place as CorePlace, RepoPath},
};
use pyo3::{exceptions::PyRuntimeError, prelude::*, types::PyBytes};

use crate::{data::Holds as _, dialect::Place, error::Result, repository::repo_path};

/// One thing that Python code wants to know.
pub(crate) struct Question {
    what: What,
    path: RepoPath,
    because: Because,
    reply: SyncSender<Answer>,
}

enum What {
    Read,
    IsFile,
    IsDirectory,
    List,
}

enum Answer {
    Bytes(Option<Vec<u8>>),
    Is(bool),
    Names(Vec<(String, bool)>),
}

/// The questions of one call, until it ends.
pub(crate) struct Questions(Receiver<Question>);

impl Questions {
    pub(crate) fn next(&self) -> Option<Question> {
        self.0.recv().ok()
    }
}

impl Question {
    pub(crate) fn answer(self, lookup: &mut dyn core::Lookup) {
        let Self { what, path, because, reply } = self;
        let answer = match what {
            What::Read => Answer::Bytes(lookup.read(&path, &because).map(|content| content.to_vec())),
            What::IsFile => Answer::Is(lookup.is_file(&path, &because)),
            What::IsDirectory => Answer::Is(lookup.is_directory(&path, &because)),
            What::List => {
                let names = lookup.list(&path, &because).into_iter().map(|listed| {
                    // Spelled as paths are.
                    let name = RepoPath::parse(&listed.name).map(|name| name.to_string());
                    (name.unwrap_or_default(), listed.is_directory)
                });
                Answer::Names(names.collect())
            }
        };
        // Whoever asked may have been given up on.
        let _ = reply.send(answer);
    }
}

/// The files of a tree. Whatever is looked at, found or not, becomes a reference of the scope: `kind` says how it
/// depends, and `file`, `place` and `text`, where that is written. It is good for as long as `resolve` runs.
#[pyclass(frozen, module = "infraflow")]
pub(crate) struct Lookup(Mutex<Option<Sender<Question>>>);

impl Lookup {
    pub(crate) fn pair() -> (Self, Questions) {
        let (sender, receiver) = channel();
        (Self(Mutex::new(Some(sender))), Questions(receiver))
    }

    pub(crate) fn close(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn ask(&self, py: Python<'_>, what: What, path: &str, because: Because) -> Result<Answer> {
        let (reply, answer) = sync_channel(1);
        let question = Question { what, path: repo_path(path)?, because, reply };
        let sender = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let answer = py.detach(move || {
            sender?.send(question).ok()?;
            answer.recv().ok()
        });
        let over = || PyRuntimeError::new_err("this lookup was for a call of resolve that has ended").into();
        answer.ok_or_else(over)
    }

    fn is(&self, py: Python<'_>, what: What, path: &str, because: Because) -> Result<bool> {
        Ok(matches!(self.ask(py, what, path, because)?, Answer::Is(true)))
    }
}

fn because(kind: &str, file: &str, place: Option<&Bound<'_, Place>>, text: &str) -> Result<Because> {
    let kind: ReferenceKind = serde_json::from_value(kind.into())
        .map_err(|error| pyo3::exceptions::PyValueError::new_err(error.to_string()))?;
    let place = place.map_or(CorePlace::beginning(), |place| **place.get().held());
    Ok(Because::new(kind, repo_path(file)?, place, text))
}

#[pymethods]
impl Lookup {
    /// The bytes of a file; `None` where there is none, or none that can be read.
    #[pyo3(signature = (path, *, kind, file, place = None, text = ""))]
    fn read<'py>(
        &self,
        py: Python<'py>,
        path: &str,
        kind: &str,
        file: &str,
        place: Option<&Bound<'_, Place>>,
        text: &str,
    ) -> Result<Option<Bound<'py, PyBytes>>> {
        match self.ask(py, What::Read, path, because(kind, file, place, text)?)? {
            Answer::Bytes(content) => Ok(content.map(|content| PyBytes::new(py, &content))),
            _ => Ok(None),
        }
    }

    /// Whether a file stands there. Only its coming and going counts as a change.
    #[pyo3(signature = (path, *, kind, file, place = None, text = ""))]
    fn is_file(
        &self,
        py: Python<'_>,
        path: &str,
        kind: &str,
        file: &str,
        place: Option<&Bound<'_, Place>>,
        text: &str,
    ) -> Result<bool> {
        self.is(py, What::IsFile, path, because(kind, file, place, text)?)
    }

    /// Whether a directory stands there. Only its coming and going counts as a change.
    #[pyo3(signature = (path, *, kind, file, place = None, text = ""))]
    fn is_directory(
        &self,
        py: Python<'_>,
        path: &str,
        kind: &str,
        file: &str,
        place: Option<&Bound<'_, Place>>,
        text: &str,
    ) -> Result<bool> {
        self.is(py, What::IsDirectory, path, because(kind, file, place, text)?)
    }

    /// What stands directly in a directory, sorted: each name, and whether it is a directory. Only what comes and
    /// goes counts as a change.
    #[pyo3(signature = (directory, *, kind, file, place = None, text = ""))]
    fn list(
        &self,
        py: Python<'_>,
        directory: &str,
        kind: &str,
        file: &str,
        place: Option<&Bound<'_, Place>>,
        text: &str,
    ) -> Result<Vec<(String, bool)>> {
        match self.ask(py, What::List, directory, because(kind, file, place, text)?)? {
            Answer::Names(names) => Ok(names),
            _ => Ok(Vec::new()),
        }
    }

    fn __repr__(&self) -> &'static str {
        "Lookup()"
    }
}
