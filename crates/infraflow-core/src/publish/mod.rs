//! Post sealed logs and summaries, and keep a record of who opened them.
