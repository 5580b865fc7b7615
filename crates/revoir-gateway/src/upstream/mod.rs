//! The backend as all connections of a route see it: where it is, whether it accepts, who may
//! dial it next, and how an opening handshake with it goes.

pub(crate) mod agreement;
mod answers;
mod asking;
mod bad_paths;
mod balance;
mod check;
mod connecting;
pub(crate) mod dial;
mod dial_queue;
mod health;
mod kept;
mod left_alone;
mod live;
mod maybe_tls;
mod names;
mod path_id;
mod pool;
mod reach;
mod rendezvous;
mod returns;
mod server;
mod settings;
mod target;

pub(crate) use agreement::Agreement;
pub use answers::BadAnswers;
pub(crate) use asking::{Asking, Priority, QueueId};
pub use bad_paths::Redials;
pub use balance::{Balance, HashKey, InvalidBalance, Weights};
pub(crate) use check::run;
pub use connecting::Connecting;
pub(crate) use health::Reached;
pub use health::Thresholds;
pub(crate) use kept::Kept;
pub use left_alone::Pauses;
pub use maybe_tls::MaybeTls;
pub use names::NameTimes;
pub(crate) use names::Names;
pub(crate) use path_id::PathId;
pub(crate) use pool::{DialPermit, Pool};
pub(crate) use rendezvous::Affinity;
pub(crate) use returns::Return;
pub(crate) use server::UpstreamPermit;
pub use server::UpstreamState;
pub use settings::{Check, KeepAlive, PoolSettings, UpstreamTls};
pub use target::{InvalidTarget, Place, Target};
