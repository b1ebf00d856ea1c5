//! Progress and events out. The library prints nothing and logs nothing: whoever embeds it implements
//! [`Observer`] and draws what it likes.

mod event;
mod observer;

pub use event::{Event, Happening, Outcome, Stage};
pub use observer::{Collected, Observer, Silent};
