//! The tools by name.
//!
//! Owns that a name means one tool. Must never replace one silently, and must never be global: each start has its own,
//! so a start that is tried again meets nothing of the one before.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::{Arc, Mutex, PoisonError};

use crate::agent::{Tool, ToolSpec};

/// Tools by name. It does not change any more.
#[derive(Clone, Default)]
pub struct Registry {
    tools: Arc<BTreeMap<String, Registered>>,
}

#[derive(Clone)]
struct Registered {
    spec: ToolSpec,
    tool: Arc<dyn Tool>,
}

/// A registry that is being filled, from as many threads as like to.
#[derive(Default)]
pub struct Builder {
    tools: Mutex<BTreeMap<String, Registered>>,
}

/// Why a tool was not registered. The registry is as it was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RegisterError {
    /// Two tools want one name. Models call tools by name: whoever wrote the second must give it another.
    #[error(
        "the tool name \"{name}\" is taken: \"{first}\" has it, and \"{second}\" wants it; rename one of them"
    )]
    Duplicate {
        /// The name.
        name: String,
        /// What the tool that has it says of itself.
        first: String,
        /// What the tool that wants it says of itself.
        second: String,
    },
    /// Models accept no such name.
    #[error("{name:?} is no name for a tool: use 1 to {NAME_MAX} characters of a-z, 0-9 and _")]
    Name {
        /// The name.
        name: String,
    },
}

/// The longest name of a tool, as in OpenAI's API (reference, "Chat completions", `tools.function.name`).
pub const NAME_MAX: usize = 64;

impl Registry {
    /// An empty one, to be filled.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// The tools, by name.
    pub fn specs(&self) -> Vec<ToolSpec> {
        self.tools.values().map(|registered| registered.spec.clone()).collect()
    }

    /// The tool of this name.
    pub fn get(&self, name: &str) -> Option<&Arc<dyn Tool>> {
        self.tools.get(name).map(|registered| &registered.tool)
    }
}

impl Builder {
    /// Registers a tool. Of several with one name the first to come has it.
    ///
    /// # Errors
    ///
    /// The name is taken, or is none.
    pub fn register(&self, tool: Arc<dyn Tool>) -> Result<(), RegisterError> {
        // Asked once: a tool that changes its mind changes nothing here.
        let spec = tool.spec();
        let name = spec.name.clone();
        let is_plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
        if !(1..=NAME_MAX).contains(&name.len()) || !name.bytes().all(is_plain) {
            return Err(RegisterError::Name { name });
        }
        // A tool that panics does so before the lock: what it guards is always whole.
        let mut tools = self.tools.lock().unwrap_or_else(PoisonError::into_inner);
        match tools.entry(name) {
            Entry::Vacant(free) => {
                free.insert(Registered { spec, tool });
                Ok(())
            }
            Entry::Occupied(taken) => Err(RegisterError::Duplicate {
                name: taken.key().clone(),
                first: taken.get().spec.description.clone(),
                second: spec.description,
            }),
        }
    }

    /// The registry, with what was registered.
    pub fn freeze(self) -> Registry {
        let tools = self.tools.into_inner().unwrap_or_else(PoisonError::into_inner);
        Registry { tools: Arc::new(tools) }
    }
}
