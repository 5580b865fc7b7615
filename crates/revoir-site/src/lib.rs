//! The reference of WebSocket close codes as a site: pages in every language, the same as JSON, and
//! a lab in which real connections end.
//!
//! [`router`] is all of it, for any server; [`files`] is the part that needs none.

mod answer;
mod lab;
mod pages;
mod web;

pub use lab::{Clients, Lab, RawStream, TakeOver};
pub use pages::{Address, File, Home, Requested, files, folder, front, render, search_results};
pub use web::router;
