//! What the reader sees: [`Screen`] says how to write, [`Page`] writes text, `json` and
//! [`event_line`] write JSON.

mod access_line;
mod diagnosis_line;
mod diagnosis_page;
pub(crate) mod event_line;
pub(crate) mod json;
mod message_fields;
mod page;
mod screen;
mod session_fields;
mod session_line;
pub(crate) mod step_line;
mod storm_line;

pub(crate) use access_line::AccessLine;
pub(crate) use diagnosis_line::DiagnosisLine;
pub(crate) use diagnosis_page::write_diagnosis;
pub(crate) use event_line::event_line;
pub(crate) use page::Page;
pub(crate) use screen::Screen;
pub(crate) use session_line::session_line;
pub(crate) use storm_line::StormLine;
