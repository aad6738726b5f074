//! A model behind an endpoint that speaks OpenAI's streamed chat completions.
//!
//! Owns that client. Must never log the key, a prompt or an answer.
