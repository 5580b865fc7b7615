//! The causes by their places.

use anyhow::ensure;

use crate::corpus::row::NOT_IN_CATALOGUE;
use crate::corpus::store;

/// The place of a cause in the catalogue.
pub(super) fn place(ids: &[String], id: &str) -> anyhow::Result<usize> {
    let place = ids.iter().position(|known| known == id);
    ensure!(place.is_some() || id == NOT_IN_CATALOGUE, "no cause `{id}`");
    Ok(place.unwrap_or(ids.len()))
}

/// The ids of the causes.
pub(super) fn ids() -> anyhow::Result<Vec<String>> {
    Ok(store::causes()?.into_iter().map(|cause| cause.id).collect())
}
