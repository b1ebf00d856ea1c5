use clap::Args;
use infraflow_core::{
    git::Identity,
    proof::{Clock as _, SystemClock, Timestamp},
};

/// In whose name git records something.
#[derive(Args, Clone, Debug)]
pub struct Who {
    /// In whose name.
    #[arg(long, value_name = "NAME", env = "GIT_COMMITTER_NAME", default_value = "infraflow")]
    name: String,
    /// With which e-mail address.
    #[arg(long, value_name = "ADDRESS", env = "GIT_COMMITTER_EMAIL", default_value = "infraflow@localhost")]
    email: String,
    /// With which date, for example 2026-01-31T12:00:00Z, so that a second try makes the same objects; now,
    /// if nothing is said.
    #[arg(long, value_name = "TIME", value_parser = |text: &str| Timestamp::parse(text))]
    date: Option<Timestamp>,
}

impl Who {
    /// The name, the address and the date.
    pub fn identity(&self) -> Identity {
        Identity::new(&self.name, &self.email, self.date.unwrap_or_else(|| SystemClock.now()))
    }
}
