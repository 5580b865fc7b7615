//! Finding out whether an upstream is there again, without a request.

use std::sync::Arc;

use crate::proxy_protocol::Header;
use crate::upstream::health::Reached;
use crate::upstream::path_id::PathId;
use crate::upstream::pool::Pool;
use crate::upstream::server::UpstreamPermit;

/// Connects to the upstream of `permit` instead of a request for `path`, and takes note of what came
/// of it.
pub(super) async fn probe(pool: Arc<Pool>, permit: UpstreamPermit, path: PathId) {
    match pool.connect(permit.target(), Header::Own).await {
        Ok(_) => {
            permit.reached();
            pool.is_there(&permit);
        }
        Err(error) => {
            permit.lost(&error);
            pool.tried(&permit, path, Reached::Not);
        }
    }
}
