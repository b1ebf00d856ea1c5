//! Impact to the nature of the change.
