//! Benchmarks of infraflow-core, each a program in `src/bin` that says what it measures, and what beside it.
