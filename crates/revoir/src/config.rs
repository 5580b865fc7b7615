//! The defaults of this crate, where they differ from the core's.

use revoir_proto::Config;

const MIB: usize = 1024 * 1024;

/// The defaults of a client: messages up to 16 MiB, and 1 MiB of queued output.
#[must_use]
pub fn client_config() -> Config {
    let mut config = server_config();
    config.limits.message = 16 * MIB;
    config
}

/// The defaults of a server: messages up to 1 MiB, and 1 MiB of queued output.
#[must_use]
pub fn server_config() -> Config {
    let mut config = Config::default();
    config.limits.message = MIB;
    config.limits.queue = MIB;
    config
}
