//! The nature of a change to a graph of steps; journal and resume.
