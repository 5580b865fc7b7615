//! What the lab answers, a file for each route.

mod act;
mod decision;
mod end;
mod ending;

use axum::Router;
use axum::routing::{any, get, post};

use crate::lab::shared::Lab;

/// The routes under `/lab`.
pub(crate) fn router(lab: Lab) -> Router {
    Router::new()
        .route("/end/{way}", any(end::end))
        .route("/endings/{token}", get(ending::ending))
        .route("/decision", get(decision::decision))
        .route("/do/{act}", post(act::act))
        .with_state(lab)
}
