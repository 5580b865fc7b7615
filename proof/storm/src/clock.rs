//! One clock for the server, the crowd and the scenario.

/// Now, in seconds that all processes of this machine share.
pub(crate) fn now() -> f64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.unwrap_or_default().as_secs_f64()
}
