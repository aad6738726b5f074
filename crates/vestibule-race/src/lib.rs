//! Reproduces the cold-start race and counts what clients saw.
