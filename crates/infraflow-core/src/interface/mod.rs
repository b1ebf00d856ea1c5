//! A module's interface, and the difference of two, by rules that are data.
