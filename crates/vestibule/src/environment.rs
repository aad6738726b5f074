//! Where we run.
