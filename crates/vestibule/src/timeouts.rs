//! How patient to be.
