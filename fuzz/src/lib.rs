//! What must hold for every input of every parser that reads strangers' bytes.
//!
//! Owns one function for each target, from bytes to a panic if a property is broken. They are used
//! three ways: on the corpus with every test run, on mutations of it, and by libFuzzer
//! (`cargo xtask fuzz`). Must never depend on anything but the bytes it is given.

mod cuts;
mod field_lines;
pub mod targets;

/// One parser under attack.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// The name of its corpus folder, its dictionary and its libFuzzer binary.
    pub name: &'static str,
    /// Panics if a property does not hold for these bytes.
    pub check: fn(&[u8]),
    /// Mutations that a test run can afford.
    pub mutations: u32,
}

impl Target {
    const fn new(name: &'static str, check: fn(&[u8])) -> Self {
        Self { name, check, mutations: 2000 }
    }
}

/// All of them.
pub const TARGETS: &[Target] = &[
    Target::new("head", targets::head),
    Target::new("body", targets::body),
    Target::new("answer", targets::answer),
    Target::new("frames", targets::frames),
    Target::new("notify", targets::notify),
    // Each input builds four parsers of command lines.
    Target { mutations: 100, ..Target::new("config", targets::config) },
    Target::new("log", targets::log),
];
