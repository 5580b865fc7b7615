//! One file for each command.

mod admin;
mod certificate;
pub(crate) mod codes;
pub(crate) mod compare;
pub(crate) mod completions;
pub(crate) mod conform;
pub(crate) mod connect;
pub(crate) mod ctl;
pub(crate) mod diagnose;
pub(crate) mod explain;
mod lab;
pub(crate) mod listen;
mod logged;
mod named;
mod network;
mod sections;
pub(crate) mod serve;
mod settings;
pub(crate) mod simulate;
pub(crate) mod site;
