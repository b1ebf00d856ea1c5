//! Ledgers, journals, locks and sealed logs over an object store, with create-only puts as the only primitive for locking and single use.
