//! Behaviour of the public API, with the catalogue.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod advising;
mod classifying;
mod comparing;
mod diagnosing;
mod explaining;
mod glossary;
mod locale_files;
mod searching;
mod typography;
