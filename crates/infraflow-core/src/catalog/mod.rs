//! What is there: all modules and units of one tree, and the references between them.
