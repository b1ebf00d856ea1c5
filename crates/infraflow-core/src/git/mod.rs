//! Repositories, revisions, trees, merge bases, comparison, clone and push. Nothing else touches git.
