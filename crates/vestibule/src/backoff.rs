//! Retry schedules.
