//! [`Peers`]: those peers whose word is taken.

use std::net::IpAddr;

use ipnet::IpNet;
use serde::ser::SerializeSeq;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::net::peer::Peer;

/// The word of a list for whoever connects through a Unix socket, as in nginx.
const UNIX: &str = "unix:";

/// Peers: networks, and whether also whoever connects through a Unix socket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Peers {
    /// Those at an address of these networks.
    pub networks: Vec<IpNet>,
    /// Those that connect through a Unix socket.
    pub unix: bool,
}

impl Peers {
    pub(crate) fn is_empty(&self) -> bool {
        self.networks.is_empty() && !self.unix
    }

    pub(crate) fn contains(&self, peer: Peer) -> bool {
        match peer.ip() {
            Some(address) => self.contains_address(address),
            None => self.unix,
        }
    }

    pub(crate) fn contains_address(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        let mut networks = self.networks.iter();
        networks.any(|network| network.contains(&address))
    }
}

impl From<Vec<IpNet>> for Peers {
    fn from(networks: Vec<IpNet>) -> Self {
        let unix = false;
        Self { networks, unix }
    }
}

impl<'de> Deserialize<'de> for Peers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut peers = Self::default();
        for text in Vec::<String>::deserialize(deserializer)? {
            if text == UNIX {
                peers.unix = true;
                continue;
            }
            let one = text.parse::<IpAddr>().map(IpNet::from);
            let network = text.parse().or(one).map_err(|_| {
                de::Error::custom(format!(
                    "{text:?}: expected a network such as 10.0.0.0/8, an address, or \"unix:\""
                ))
            });
            peers.networks.push(network?);
        }
        Ok(peers)
    }
}

impl Serialize for Peers {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(None)?;
        for network in &self.networks {
            list.serialize_element(network)?;
        }
        if self.unix {
            list.serialize_element(UNIX)?;
        }
        list.end()
    }
}
