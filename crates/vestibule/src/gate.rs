//! Holds, admits, refuses.
