use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use infraflow_core::observe::{Event, Happening, Observer, Stage};

use crate::people;

/// Draws what happens on standard error: a spinner for each thing under way, with the latest note, on a
/// terminal; warnings everywhere. An embedder draws its own progress in the same way.
#[derive(Debug, Default)]
pub struct Console {
    bars: MultiProgress,
    under_way: Mutex<BTreeMap<(Stage, String), ProgressBar>>,
}

impl Console {
    /// A console with nothing under way.
    pub fn new() -> Self {
        Self::default()
    }

    /// Prints lines above the spinners.
    pub fn say(&self, text: impl AsRef<str>) {
        if self.bars.is_hidden() {
            #[allow(clippy::print_stderr)]
            {
                eprintln!("{}", text.as_ref());
            }
        } else {
            // A terminal that went away is no reason to stop.
            let _ = self.bars.println(text);
        }
    }
}

impl Observer for Console {
    fn event(&self, event: &Event) {
        let key = (event.stage, event.subject.clone());
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        match &event.happening {
            Happening::Started => {
                let bar = self.bars.add(ProgressBar::new_spinner());
                if let Ok(style) = ProgressStyle::with_template("    {spinner} {msg}") {
                    bar.set_style(style);
                }
                bar.set_message(format!("{} {}", people::stage(event.stage), event.subject));
                bar.enable_steady_tick(Duration::from_millis(120));
                under_way.insert(key, bar);
            }
            Happening::Finished(_) => {
                if let Some(bar) = under_way.remove(&key) {
                    bar.finish_and_clear();
                }
            }
            Happening::Progress { done, total } => {
                if let Some(bar) = under_way.get(&key) {
                    let of = total.map(|total| format!(" of {total}")).unwrap_or_default();
                    bar.set_message(format!("{} {}: {done}{of}", people::stage(event.stage), event.subject));
                }
            }
            Happening::Warning(text) => {
                drop(under_way);
                self.say(format!("    warning: {}: {text}", event.subject));
            }
            Happening::Note(text) => {
                if let Some(bar) = under_way.get(&key) {
                    bar.set_message(format!("{} {}: {text}", people::stage(event.stage), event.subject));
                }
            }
            _ => {}
        }
    }
}
