//! The question that an endpoint is asked.
//!
//! Owns its JSON (OpenAI API reference, "Create chat completion").

use serde_json::{Value, json};

use crate::agent::{Said, ToolSpec, Turn};

/// What the model is told before all else.
const SYSTEM: &str = "You are the assistant of a chat service. Answer shortly and plainly. Use the tools where they \
     help, and say only what you were told or what they answered.";

/// The body of the request.
pub(super) fn body(model: &str, turn: &Turn) -> Value {
    let mut messages = vec![json!({ "role": "system", "content": SYSTEM })];
    messages.extend(turn.conversation.iter().flat_map(messages_of));
    let mut body = json!({ "model": model, "stream": true, "messages": messages });
    if !turn.tools.is_empty() {
        body["tools"] = turn.tools.iter().map(tool).collect();
    }
    body
}

fn messages_of(said: &Said) -> Vec<Value> {
    match said {
        Said::User(text) => vec![json!({ "role": "user", "content": text })],
        Said::Agent(text) => vec![json!({ "role": "assistant", "content": text })],
        Said::Tool { call, tool, input, output } => {
            let function = json!({ "name": tool, "arguments": input.to_string() });
            vec![
                json!({
                    "role": "assistant", "content": null,
                    "tool_calls": [{ "id": call, "type": "function", "function": function }],
                }),
                json!({ "role": "tool", "tool_call_id": call, "content": output.to_string() }),
            ]
        }
    }
}

fn tool(spec: &ToolSpec) -> Value {
    json!({
        "type": "function",
        "function": {
            "name": spec.name, "description": spec.description, "parameters": spec.input,
        },
    })
}
