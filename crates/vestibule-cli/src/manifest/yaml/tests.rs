//! Breaks the reader with aliases that multiply, depth, what is no YAML, and bytes of every kind.

use proptest::prelude::*;

use super::*;

fn one(text: &str) -> Node {
    read(text, 0).unwrap().remove(0)
}

#[test]
fn every_part_knows_its_line_and_column() {
    let node = one("a: 1\nb:\n  - c: x\n    \"d\": 'y'\n");
    let at = |keys: &[&str]| node.path(keys).map(|node| (node.at.line, node.at.column)).unwrap();
    assert_eq!(at(&["a"]), (1, 4));
    let item = &node.list("b")[0];
    assert_eq!((item.at.line, item.at.column), (3, 5));
    let (key, value) = &item.entries()[1];
    assert_eq!((key.at.line, key.at.column, key.text.as_str()), (4, 5, "d"));
    assert_eq!((value.at.line, value.at.column, value.as_str()), (4, 10, Some("y")));
}

#[test]
fn documents_are_told_apart_and_anchors_merged() {
    let text = "x: &base {a: 1, b: 2}\ny:\n  <<: *base\n  b: 3\n---\nz: 1\n";
    let all = read(text, 0).unwrap();
    assert_eq!(all.len(), 2);
    let y = all[0].get("y").unwrap();
    assert_eq!(y.get("a").and_then(Node::number), Some(1));
    assert_eq!(y.get("b").and_then(Node::number), Some(3));
    assert_eq!(y.entries().len(), 2);
    assert!(read("---\n# nothing\n---\n", 0).unwrap().iter().all(|node| node.value == Value::Null));
}

#[test]
fn aliases_of_aliases_are_refused_before_they_grow() {
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..40 {
        let below = vec![format!("*a{}", level - 1); 9].join(", ");
        bomb.push_str(&format!("a{level}: &a{level} [{below}]\n"));
    }
    assert!(read(&bomb, 0).unwrap_err().message.contains("aliases followed"));
    let mut chain = "a0: &a0 [x]\n".to_owned();
    for level in 1..80 {
        chain.push_str(&format!("a{level}: &a{level} [*a{}]\n", level - 1));
    }
    assert!(read(&chain, 0).unwrap_err().message.contains("deeper"));
    let itself = read("a: &a [*a]\n", 0).unwrap_err();
    assert_eq!(itself.at.line, 1, "{itself:?}");
}

#[test]
fn what_is_no_yaml_is_told_with_its_place() {
    let broken = read("a: 1\nb: [1, 2\nc: }\n", 0).unwrap_err();
    assert!(broken.at.line >= 2 && broken.message.starts_with("not YAML"), "{broken:?}");
    let template = read("a: 1\n{{- if .Values.x }}\nb: 2\n{{- end }}\n", 0).unwrap_err();
    assert!(template.message.contains("rendered first"), "{template:?}");
    for deep in ["[".repeat(100_000), "{a: ".repeat(50_000), "- ".repeat(100_000)] {
        assert!(read(&deep, 0).is_err());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn no_text_makes_it_panic_or_grow(
        text in "([ \\n:#&*!|>'\"%@`{}\\[\\],?-]|[a-c]|<<|---|\\PC){0,120}",
    ) {
        if let Ok(all) = read(&text, 3) {
            prop_assert!(all.iter().all(|node| node.at.file == 3 && node.at.line >= 1));
        }
    }
}
