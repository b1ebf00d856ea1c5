/// What can go wrong while a redactor is made. Redaction itself cannot fail.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RedactError {
    /// The secrets are too many, or too long, to be looked for together.
    #[error(
        "cannot look for {secrets} secrets of {bytes} bytes in all: {why}\n  help: redact with several redactors, one after the other, or leave out values that are no secrets"
    )]
    TooMany {
        /// How many secrets there are.
        secrets: usize,
        /// How many bytes they have in all.
        bytes: usize,
        /// The automaton's message.
        why: String,
    },
}
