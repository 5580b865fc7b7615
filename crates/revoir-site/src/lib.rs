//! The reference of WebSocket close codes as a site: pages in every language, the same as JSON, and
//! a lab in which real connections end.
//!
//! [`router`] is all of it, for any server; [`files`] is the part that needs none. Text and facts
//! come from `revoir-codes`; nothing is read from a disk, and pages load nothing from elsewhere.
//!
//! ```no_run
//! use std::net::SocketAddr;
//!
//! use revoir_site::{Lab, RawStream};
//!
//! # async fn example() -> std::io::Result<()> {
//! let lab = Lab::start(RawStream::of_tcp).await?;
//! let site = revoir_site::router(&lab, None).into_make_service_with_connect_info::<SocketAddr>();
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:9000").await?;
//! axum::serve(listener, site).await
//! # }
//! ```
//!
//! # The way of a request
//!
//! 1. The server passes it to [`router`], with the address of the client as axum's `ConnectInfo`:
//!    the lab limits each address.
//! 2. *A page*: `/fr/codes/1006` is a language and an [`Address`]. [`render`] writes it: a *view*
//!    takes text and facts from the catalogue, a *frame* adds what surrounds every page, and
//!    [`Home`] says how pages link to each other. A page that has another name is answered with
//!    308, one without a language (`/1006`) with 302 to the one the browser asks for, one that is
//!    not there with 404 and what may have been meant.
//! 3. *JSON*: `/api/v1/codes/1006?lang=fr` is the same catalogue as objects, those that the command
//!    line prints with `--json`; `/api/v1/openapi.json` describes them.
//! 4. *The lab*: `/lab/end/{way}?token=…` becomes a WebSocket, which the server, or the wire below
//!    it, ends in this way. `/lab/endings/{token}` then tells the server's `Ending`, and
//!    `/lab/decision` what a client does next.
//! 5. The answer gets a tag by which the browser asks again (304), fields that keep scripts and
//!    frames of others out, and is compressed for those who can read it.
//!
//! # The live connection
//!
//! The first page shows a connection that outlives its backend. For that the embedder leads
//! `/lab/live` through a gateway that holds to [`Lab::backend`], and tells the lab by
//! [`Lab::attach`] which clients the gateway has, so that the buttons of the page can close and cut
//! them. Without a gateway everything else works.
//!
//! # Modules
//!
//! From the ground up: `answer` (what every answer has), `lab`, `pages`, `web` (which request gets
//! what).

mod answer;
mod lab;
mod pages;
mod web;

pub use lab::{Clients, Lab, RawStream, TakeOver};
pub use pages::{Address, File, Home, Requested, files, folder, front, render, search_results};
pub use web::router;
