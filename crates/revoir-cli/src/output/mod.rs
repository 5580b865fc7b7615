//! What the reader sees: [`Screen`] says how to write, [`Page`] writes text, `json` writes JSON.

pub(crate) mod json;
mod page;
mod screen;

pub(crate) use page::Page;
pub(crate) use screen::Screen;
