//! Breaks the page: its picture, its width, its escape codes.
