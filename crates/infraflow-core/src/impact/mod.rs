//! Change set and two catalogs to what is touched, each with its reason.
