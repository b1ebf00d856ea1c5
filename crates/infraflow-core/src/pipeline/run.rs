use std::{
    collections::BTreeMap,
    fmt,
    future::Future,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::{Effect, PipelineError};
use crate::{
    observe::{Observer, Outcome, Stage},
    process::{GroupState, ProcessGroup},
    proof::{Digest, RunId},
    store::{Journal, Key, Lock, Store, Taken},
};

/// What the work of a step returns: its result, or whatever error it met.
pub type StepResult<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// One walk of a pipeline, with a journal in the store: a second process that opens it under the same
/// name goes on where the first one died, and does nothing twice.
///
/// A step is a name, the digest of the facts it stands on, and its work. The journal says when it began
/// and how it ended, so that on resume
/// - a step that ended gives its recorded result, and its work does not run;
/// - a step of [`Run::plan`] or [`Run::observe`] that began and did not end runs again;
/// - a step of [`Run::execute`] that began and did not end is *reconciled*: `look` says whether the world
///   already has the result, and only where it provably has not does the work run again.
///
/// One process at a time walks a run: a lock in the store sees to it.
///
/// ```
/// # use infraflow_core::{observe::{Silent, Stage}, pipeline::Run, proof::{Digest, RunId}, store::Store};
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let store = Store::memory();
/// let facts = Digest::of_bytes("what the step stands on");
/// for _ in 0..2 {
///     let run = Run::open(&store, RunId::parse("demo")?, &Silent).await?;
///     let answer = run.plan("answer", Stage::Detect, &facts, || Ok(42)).await?;
///     assert_eq!(answer, 42); // computed once, read from the journal the second time
///     run.close().await?;
/// }
/// # Ok::<(), infraflow_core::pipeline::PipelineError>(()) }).unwrap();
/// ```
pub struct Run<'a> {
    id: RunId,
    journal: Journal,
    lock: Lock,
    observer: &'a dyn Observer,
    steps: Mutex<BTreeMap<String, State>>,
}

impl fmt::Debug for Run<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run").field("id", &self.id).finish_non_exhaustive()
    }
}

#[derive(Clone, Debug)]
struct State {
    order: usize,
    stage: Stage,
    inputs: Digest,
    ended: Option<(Value, Duration)>,
    resumed: bool,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
enum Entry {
    Began { step: String, stage: Stage, effect: Effect, inputs: Digest },
    Ended { step: String, result: Value, milliseconds: u64 },
    Failed { step: String, why: String },
}

/// A step of a run as its table shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepRecord {
    /// The step's name.
    pub step: String,
    /// Its stage.
    pub stage: Stage,
    /// How long its work took; `None` where it has not ended.
    pub elapsed: Option<Duration>,
    /// Whether its result was read from the journal of an earlier process.
    pub resumed: bool,
}

impl<'a> Run<'a> {
    /// Opens the run `id`, new or begun by an earlier process. Where that process still walks it, this waits
    /// for no longer than it takes to see that it lives; where it died on this machine, it is known at once.
    ///
    /// # Errors
    /// [`PipelineError::Taken`] where another process walks the run; [`PipelineError::Store`] where the
    /// journal cannot be read.
    pub async fn open(store: &Store, id: RunId, observer: &'a dyn Observer) -> Result<Self, PipelineError> {
        let place = Key::parse("runs")?.join(id.as_str());
        let owner = serde_json::to_string(&ProcessGroup::this()).unwrap_or_default();
        let request =
            Lock::request(store, &place.join("lock"), owner).silence(LOCK_SILENCE).known_dead(|owner| {
                serde_json::from_str::<ProcessGroup>(owner)
                    .is_ok_and(|group| group.state() == GroupState::Gone)
            });
        let lock = match request.take().await? {
            Taken::Lock(lock) => lock,
            Taken::Held(held) => {
                let by = serde_json::from_str::<ProcessGroup>(&held.owner)
                    .map_or(held.owner, |group| format!("process {}", group.pid));
                return Err(PipelineError::Taken { run: id, by });
            }
        };
        let journal = Journal::open(store.clone(), place.join("journal"));
        let mut steps: BTreeMap<String, State> = BTreeMap::new();
        for entry in journal.read_all::<Entry>().await? {
            match entry {
                Entry::Began { step, stage, inputs, .. } => {
                    let order = steps.get(&step).map_or(steps.len(), |state| state.order);
                    steps.insert(step, State { order, stage, inputs, ended: None, resumed: true });
                }
                Entry::Ended { step, result, milliseconds } => {
                    if let Some(state) = steps.get_mut(&step) {
                        state.ended = Some((result, Duration::from_millis(milliseconds)));
                    }
                }
                Entry::Failed { .. } => {}
            }
        }
        Ok(Self { id, journal, lock, observer, steps: Mutex::new(steps) })
    }

    /// The run's name.
    pub fn id(&self) -> &RunId {
        &self.id
    }

    /// A step that decides: pure work, run again whenever its result is not in the journal.
    ///
    /// # Errors
    /// [`PipelineError::Step`] with the error of the work, [`PipelineError::Moved`] where the journal has
    /// the step with other facts, [`PipelineError::Store`].
    pub async fn plan<T: Serialize + DeserializeOwned>(
        &self,
        step: &str,
        stage: Stage,
        inputs: &Digest,
        work: impl FnOnce() -> StepResult<T>,
    ) -> Result<T, PipelineError> {
        self.walk(step, stage, Effect::Plan, inputs, async { Ok(None) }, async { work() }).await
    }

    /// A step that looks at the world: run again whenever its result is not in the journal.
    ///
    /// # Errors
    /// As [`Run::plan`].
    pub async fn observe<T: Serialize + DeserializeOwned>(
        &self,
        step: &str,
        stage: Stage,
        inputs: &Digest,
        work: impl Future<Output = StepResult<T>>,
    ) -> Result<T, PipelineError> {
        self.walk(step, stage, Effect::Observe, inputs, async { Ok(None) }, work).await
    }

    /// A step that changes the world, at most once. Where an earlier process began it and did not end it,
    /// `look` is asked first: `Some` is the result that the world already has; `None` says that provably
    /// nothing was done, or that doing it again does no harm; an error says that nobody can tell, and ends
    /// the run there.
    ///
    /// # Errors
    /// As [`Run::plan`].
    pub async fn execute<T: Serialize + DeserializeOwned>(
        &self,
        step: &str,
        stage: Stage,
        inputs: &Digest,
        look: impl Future<Output = StepResult<Option<T>>>,
        work: impl Future<Output = StepResult<T>>,
    ) -> Result<T, PipelineError> {
        self.walk(step, stage, Effect::Execute, inputs, look, work).await
    }

    async fn walk<T: Serialize + DeserializeOwned>(
        &self,
        step: &str,
        stage: Stage,
        effect: Effect,
        inputs: &Digest,
        look: impl Future<Output = StepResult<Option<T>>>,
        work: impl Future<Output = StepResult<T>>,
    ) -> Result<T, PipelineError> {
        let known = self.steps().get(step).cloned();
        if let Some(state) = &known {
            if state.inputs != *inputs && (state.ended.is_some() || effect == Effect::Execute) {
                return Err(PipelineError::Moved {
                    step: step.to_owned(),
                    then: state.inputs.clone(),
                    now: inputs.clone(),
                });
            }
            if let Some((result, _)) = &state.ended {
                return serde_json::from_value(result.clone())
                    .map_err(|source| PipelineError::Journal { step: step.to_owned(), source });
            }
        }
        self.observer.started(stage, step);
        let started = Instant::now();
        let outcome = async {
            if known.is_some()
                && effect == Effect::Execute
                && let Some(found) = look.await?
            {
                self.observer.note(stage, step, "an earlier process had already done it");
                return Ok(found);
            }
            if known.is_none_or(|state| state.inputs != *inputs) {
                self.began(step, stage, effect, inputs).await?;
            }
            work.await
        }
        .await;
        match outcome {
            Ok(result) => {
                self.ended(step, &result, started.elapsed()).await?;
                self.observer.finished(stage, step, Outcome::Done);
                Ok(result)
            }
            Err(source) => {
                // The journal's own failure is the one to report, if it fails too: nothing else is known.
                self.journal
                    .append(&Entry::Failed { step: step.to_owned(), why: source.to_string() })
                    .await?;
                self.observer.finished(stage, step, Outcome::Failed);
                Err(PipelineError::Step { step: step.to_owned(), source })
            }
        }
    }

    async fn began(
        &self,
        step: &str,
        stage: Stage,
        effect: Effect,
        inputs: &Digest,
    ) -> Result<(), PipelineError> {
        let entry = Entry::Began { step: step.to_owned(), stage, effect, inputs: inputs.clone() };
        self.journal.append(&entry).await?;
        let mut steps = self.steps();
        let order = steps.get(step).map_or(steps.len(), |state| state.order);
        let state = State { order, stage, inputs: inputs.clone(), ended: None, resumed: false };
        steps.insert(step.to_owned(), state);
        Ok(())
    }

    async fn ended<T: Serialize>(&self, step: &str, result: &T, took: Duration) -> Result<(), PipelineError> {
        let value = serde_json::to_value(result)
            .map_err(|source| PipelineError::Journal { step: step.to_owned(), source })?;
        let milliseconds = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        let entry = Entry::Ended { step: step.to_owned(), result: value.clone(), milliseconds };
        self.journal.append(&entry).await?;
        if let Some(state) = self.steps().get_mut(step) {
            state.ended = Some((value, took));
            state.resumed = false;
        }
        Ok(())
    }

    /// Every step so far, in the order in which they first began.
    pub fn table(&self) -> Vec<StepRecord> {
        let steps = self.steps();
        let mut records: Vec<(usize, StepRecord)> = steps
            .iter()
            .map(|(step, state)| {
                let elapsed = state.ended.as_ref().map(|(_, took)| *took);
                let record =
                    StepRecord { step: step.clone(), stage: state.stage, elapsed, resumed: state.resumed };
                (state.order, record)
            })
            .collect();
        records.sort_by_key(|(order, _)| *order);
        records.into_iter().map(|(_, record)| record).collect()
    }

    /// Lets another process walk this run.
    ///
    /// # Errors
    /// [`PipelineError::Store`] where the lock cannot be given back.
    pub async fn close(self) -> Result<(), PipelineError> {
        self.lock.release().await?;
        Ok(())
    }

    fn steps(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, State>> {
        self.steps.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A run whose process died on another machine is taken over after this long without a sign of life.
const LOCK_SILENCE: Duration = Duration::from_secs(20);
