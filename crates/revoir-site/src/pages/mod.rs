//! The reference as pages: the text of `revoir-codes`, rendered by templates.
//!
//! An [`Address`] names a page, [`render`] writes it in a language, and [`Home`] says how pages
//! link to each other. Pages need no script to be read, and load nothing from elsewhere.

mod address;
pub(crate) mod assets;
mod diagnosis;
mod evidence;
pub(crate) mod feed;
mod files;
mod fixes;
pub(crate) mod for_robots;
mod frame;
mod linked_data;
mod links;
pub(crate) mod picture;
mod prose;
mod render;
mod search;
mod steps;
mod views;

pub use address::{Address, Requested, folder};
pub use files::{File, files};
pub use links::Home;
pub use render::render;
pub use views::search::{front, search_results};

pub(crate) use address::code;
pub(crate) use views::missing::page as missing;
