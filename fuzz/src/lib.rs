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
}

/// All of them.
pub const TARGETS: &[Target] = &[
    Target { name: "head", check: targets::head },
    Target { name: "body", check: targets::body },
    Target { name: "answer", check: targets::answer },
    Target { name: "frames", check: targets::frames },
    Target { name: "notify", check: targets::notify },
    Target { name: "log", check: targets::log },
];
