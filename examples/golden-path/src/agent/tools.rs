//! The tools of this service.
//!
//! Owns what each looks at. Must never look at another user's threads.
