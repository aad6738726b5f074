//! Breaks the parsers with every input that ever broke one, or shows a kind of its own, and with
//! mutations of those. `cargo xtask fuzz` does the same with coverage, for as long as is wanted.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests say what they expect by unwrapping, and tell the input that broke it"
)]

use std::collections::BTreeSet;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;

use fastrand::Rng;
use vestibule_fuzz::{TARGETS, Target};

/// libFuzzer is given the same.
const INPUT_MAX: usize = 4096;
/// More would be a heap that nobody reads.
const FILES_MAX: usize = 60;

#[test]
fn every_input_of_the_corpus_holds() {
    for target in TARGETS {
        for (name, input) in corpus(target) {
            attempt(target, &input, &format!("fuzz/corpus/{}/{name}", target.name));
        }
    }
}

#[test]
fn every_corpus_is_small_and_not_empty() {
    for target in TARGETS {
        let files = corpus(target);
        assert!(!files.is_empty(), "fuzz/corpus/{} is empty", target.name);
        assert!(files.len() <= FILES_MAX, "{} has {} files", target.name, files.len());
        for (name, input) in files {
            assert!(input.len() <= INPUT_MAX, "{}/{name} is too large", target.name);
        }
    }
}

/// A target that is forgotten in one of the four places is never run there.
#[test]
fn every_target_has_its_corpus_its_dictionary_and_its_binary() {
    let known: BTreeSet<String> = TARGETS.iter().map(|target| target.name.to_owned()).collect();
    for (folder, suffix) in [("corpus", ""), ("dictionaries", ".dict"), ("run/src/bin", ".rs")] {
        let found: BTreeSet<String> = names(&root().join(folder))
            .into_iter()
            .map(|name| name.strip_suffix(suffix).unwrap_or(&name).to_owned())
            .collect();
        assert_eq!(found, known, "fuzz/{folder}");
    }
}

/// Others in each run: `VESTIBULE_TEST_SEED` repeats one.
#[test]
fn mutations_of_the_corpus_hold() {
    let seed = variable("VESTIBULE_TEST_SEED").unwrap_or_else(|| fastrand::u64(..));
    println!("VESTIBULE_TEST_SEED={seed}");
    for target in TARGETS {
        let inputs: Vec<Vec<u8>> = corpus(target).into_iter().map(|(_, input)| input).collect();
        let words = dictionary(target);
        let mut random = Rng::with_seed(seed);
        for round in 0..target.mutations {
            let input = mutated(&mut random, &inputs, &words);
            attempt(target, &input, &format!("seed {seed}, round {round} of {}", target.name));
        }
    }
}

/// Runs a target; where it fails, says on what.
fn attempt(target: &Target, input: &[u8], origin: &str) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| (target.check)(input))) {
        println!("{origin} breaks {}:\nb\"{}\"", target.name, input.escape_ascii());
        resume_unwind(panic);
    }
}

/// One of the inputs with a few changes: bytes, pieces of others, words of the dictionary.
fn mutated(random: &mut Rng, inputs: &[Vec<u8>], words: &[Vec<u8>]) -> Vec<u8> {
    let mut input = inputs[random.usize(..inputs.len())].clone();
    for _ in 0..random.usize(1..6) {
        let at = random.usize(..=input.len());
        let end = (at + random.usize(..16)).min(input.len());
        let byte = random.u8(..);
        match random.u8(..7) {
            0 => input.insert(at, byte),
            1 => drop(input.drain(at..end)),
            2 => input[at..end].fill(byte),
            3 => {
                let again = input[at..end].to_vec();
                drop(input.splice(at..at, again));
            }
            4 => {
                let other = &inputs[random.usize(..inputs.len())];
                let from = random.usize(..=other.len());
                drop(input.splice(at.., other[from..].iter().copied()));
            }
            5 => input.truncate(at),
            _ => drop(input.splice(at..end, words[random.usize(..words.len())].clone())),
        }
    }
    input.truncate(INPUT_MAX);
    input
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn corpus(target: &Target) -> Vec<(String, Vec<u8>)> {
    let folder = root().join("corpus").join(target.name);
    let read = |name: String| fs::read(folder.join(&name)).map(|input| (name, input)).unwrap();
    names(&folder).into_iter().map(read).collect()
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{folder:?}: {error}"));
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// The quoted words of a libFuzzer dictionary, `\xHH` read.
fn dictionary(target: &Target) -> Vec<Vec<u8>> {
    let path = root().join(format!("dictionaries/{}.dict", target.name));
    let text = fs::read_to_string(path).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| unescaped(line.strip_prefix('"').unwrap().strip_suffix('"').unwrap()))
        .collect()
}

fn unescaped(word: &str) -> Vec<u8> {
    let mut parts = word.split("\\x");
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let (hex, text) = part.split_at(2);
        bytes.push(u8::from_str_radix(hex, 16).unwrap());
        bytes.extend(text.bytes());
    }
    bytes
}

fn variable(name: &str) -> Option<u64> {
    std::env::var_os(name)?.to_str()?.parse().ok()
}
