//! The embedded model: no network, no chance, and yet an answer.
//!
//! Owns its rules. The same conversation and the same tools' answers give the same answer.
