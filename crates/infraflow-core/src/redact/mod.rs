//! Secrets out of logs and plans, whatever the chunking.
