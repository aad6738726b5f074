//! Counts what the guarantees cost a service, in the examples' own text and where the documents show it.

/// The lines between the two remarks.
fn door(text: &str) -> Vec<&str> {
    let inside = text.split("// The door begins here.").nth(1).unwrap();
    let inside = inside.split("// The door ends here.").next().unwrap();
    inside.lines().map(str::trim).filter(|line| !line.is_empty()).collect()
}

#[test]
fn the_guarantees_cost_less_than_ten_lines() {
    for (name, text) in [
        ("axum", include_str!("../../src/bin/in-process-axum.rs")),
        ("tonic", include_str!("../../src/bin/in-process-tonic.rs")),
    ] {
        let lines = door(text);
        assert!(
            (5..10).contains(&lines.len()),
            "{name}: {} lines\n{}",
            lines.len(),
            lines.join("\n")
        );
        assert!(text.contains("Door::start("), "{name}");
    }
}

#[test]
fn the_documents_show_the_example_as_it_is() {
    let example = door(include_str!("../../src/bin/in-process-axum.rs"));
    for (name, document) in [
        ("README.md", include_str!("../../../../README.md")),
        ("docs/library.md", include_str!("../../../../docs/library.md")),
    ] {
        let lines: Vec<_> = document.lines().map(str::trim).collect();
        assert!(lines.windows(example.len()).any(|window| window == example), "{name}");
    }
}
