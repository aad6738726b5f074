//! YAML whose every part knows where it stands.
//!
//! Owns the way from a text to trees, and their bounds: depth, and nodes once aliases are followed. Pure. Must never
//! panic, nor grow beyond its bounds, whatever stands in a file.

mod node;

use std::collections::HashMap;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Span, StrInput};

pub(crate) use self::node::{At, Node, Text, Value};

/// Nobody nests deeper; what walks a tree may use its own stack.
const DEPTH_MAX: usize = 64;
/// Parts of one file, those behind aliases counted each time: a few lines of aliases of aliases stand for billions.
const NODES_MAX: usize = 100_000;

/// Why a text is nothing that we read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Broken {
    /// Where.
    pub(crate) at: At,
    /// What is wrong, and what to do.
    pub(crate) message: String,
}

/// All documents of a text; `file` is the number by which places name it.
///
/// # Errors
/// The first thing that is wrong. What stands before it is not looked at: half a manifest would be judged by what
/// it lacks.
pub(crate) fn read(text: &str, file: usize) -> Result<Vec<Node>, Broken> {
    let mut builder = Builder::new(file);
    let mut parser = Parser::new_from_str(text);
    while let Some(event) = next(&mut parser) {
        let (event, span) = event.map_err(|(at, message)| {
            let is_template = text.contains("{{");
            let hint = if is_template { "; a template must be rendered first" } else { "" };
            Broken { at: builder.at(at), message: format!("not YAML: {message}{hint}") }
        })?;
        builder.take(event, span.start)?;
    }
    Ok(builder.documents)
}

type Parsed<'t> = Result<(Event<'t>, Span), (Marker, String)>;

fn next<'t>(parser: &mut Parser<'t, StrInput<'t>>) -> Option<Parsed<'t>> {
    let event = parser.next_event()?;
    Some(event.map_err(|error| (*error.marker(), error.info().to_owned())))
}

/// A list or a map that is not at its end yet.
struct Open {
    node: Node,
    /// A map's key that waits for its value.
    key: Option<Node>,
    anchor: usize,
    /// Nodes in it so far.
    weight: usize,
    depth: usize,
}

/// What an anchor names.
struct Anchored {
    node: Node,
    weight: usize,
    depth: usize,
}

struct Builder {
    file: usize,
    open: Vec<Open>,
    anchors: HashMap<usize, Anchored>,
    nodes: usize,
    documents: Vec<Node>,
}

impl Builder {
    fn new(file: usize) -> Self {
        Self { file, open: Vec::new(), anchors: HashMap::new(), nodes: 0, documents: Vec::new() }
    }

    fn at(&self, marker: Marker) -> At {
        At { file: self.file, line: marker.line(), column: marker.col() + 1 }
    }

    fn take(&mut self, event: Event<'_>, marker: Marker) -> Result<(), Broken> {
        let at = self.at(marker);
        match event {
            Event::DocumentStart(_) => self.anchors.clear(),
            Event::Scalar(text, style, anchor, _) => {
                self.count(1, at)?;
                let is_null = style == ScalarStyle::Plain
                    && matches!(&*text, "" | "~" | "null" | "Null" | "NULL");
                let value = if is_null { Value::Null } else { Value::Scalar(text.into_owned()) };
                self.finished(Node { at, value }, anchor, 1, 1);
            }
            Event::SequenceStart(anchor, _) => self.begin(at, Value::List(Vec::new()), anchor)?,
            Event::MappingStart(anchor, _) => self.begin(at, Value::Map(Vec::new()), anchor)?,
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some(open) = self.open.pop() {
                    self.finished(open.node, open.anchor, open.weight, open.depth);
                }
            }
            Event::Alias(anchor) => self.follow(anchor, at)?,
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
        }
        Ok(())
    }

    fn begin(&mut self, at: At, value: Value, anchor: usize) -> Result<(), Broken> {
        self.count(1, at)?;
        if self.open.len() >= DEPTH_MAX {
            return Err(too_deep(at));
        }
        self.open.push(Open { node: Node { at, value }, key: None, anchor, weight: 1, depth: 1 });
        Ok(())
    }

    /// What an alias stands for, as if it stood here again.
    fn follow(&mut self, anchor: usize, at: At) -> Result<(), Broken> {
        let Some(Anchored { weight, depth, .. }) = self.anchors.get(&anchor) else {
            let message = "an alias inside of what it names: no platform reads this".to_owned();
            return Err(Broken { at, message });
        };
        let (weight, depth) = (*weight, *depth);
        if self.open.len() + depth > DEPTH_MAX {
            return Err(too_deep(at));
        }
        // Counted before it is copied.
        self.count(weight, at)?;
        if let Some(node) = self.anchors.get(&anchor).map(|anchored| anchored.node.clone()) {
            self.finished(node, 0, weight, depth);
        }
        Ok(())
    }

    fn count(&mut self, weight: usize, at: At) -> Result<(), Broken> {
        self.nodes += weight;
        if self.nodes <= NODES_MAX {
            return Ok(());
        }
        let message = format!("more than {NODES_MAX} parts with aliases followed: no manifest");
        Err(Broken { at, message })
    }

    fn finished(&mut self, node: Node, anchor: usize, weight: usize, depth: usize) {
        if anchor > 0 {
            self.anchors.insert(anchor, Anchored { node: node.clone(), weight, depth });
        }
        let Some(around) = self.open.last_mut() else {
            self.documents.push(node);
            return;
        };
        around.weight += weight;
        around.depth = around.depth.max(depth + 1);
        match (&mut around.node.value, around.key.take()) {
            (Value::List(items), _) => items.push(node),
            (Value::Map(entries), Some(key)) => entries.push((key, node)),
            _ => around.key = Some(node),
        }
    }
}

fn too_deep(at: At) -> Broken {
    Broken { at, message: format!("nested deeper than {DEPTH_MAX}: no manifest") }
}

#[cfg(test)]
mod tests;
