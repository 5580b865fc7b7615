//! The JSON of every command: one object a line.

pub(crate) use revoir_gateway::json_line as line;
