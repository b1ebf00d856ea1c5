//! Impact to a test plan.
