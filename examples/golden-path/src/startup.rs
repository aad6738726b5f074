//! The start, phase by phase, as it really goes.
//!
//! Owns the order and its report to the door. Must never report a phase that has not been reached.
