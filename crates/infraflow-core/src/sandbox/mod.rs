//! Run test cases in a sandbox, with a ledger of what they created.
