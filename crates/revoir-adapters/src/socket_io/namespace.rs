//! [`Namespaces`]: what a client has connected to, in the order in which it did.

use std::collections::BTreeSet;

use crate::adapter::{PROLOGUE_LIMIT, Unholdable};
use crate::message::Outbox;
use crate::socket_io::packet;

/// Namespaces, and acks of both sides, that may be open at a time. Clients that never answer exist;
/// beyond this many it is not known any more what is open.
const OPEN_LIMIT: usize = 256;

/// Bytes of the name of a namespace.
const NAME_LIMIT: usize = 1024;

const TOO_LONG: Unholdable = Unholdable::now("the hello is longer than 64 KiB");

/// A namespace that the client is connected to, or wants to be.
#[derive(Debug)]
pub(super) struct Namespace {
    name: String,
    /// JSON, or nothing. `None`: there was no room for it.
    auth: Option<Vec<u8>>,
    private_id: Option<String>,
    offset: Option<String>,
    /// Whether the server that is there has answered the CONNECT.
    is_connected: bool,
    /// Whether the client has left it while there was no server: a DISCONNECT is kept.
    is_leaving: bool,
    /// Emits of the client whose ack is awaited.
    awaited: BTreeSet<u64>,
}

impl Namespace {
    /// Whether a recovery would need offsets.
    pub(super) const fn is_recoverable(&self) -> bool {
        self.private_id.is_some()
    }

    pub(super) fn set_offset(&mut self, offset: String) {
        self.offset = Some(offset);
    }

    pub(super) const fn is_connected(&self) -> bool {
        self.is_connected
    }

    pub(super) const fn leave(&mut self) {
        self.is_leaving = true;
    }

    /// The server has answered. Whether the client has to know that.
    pub(super) fn connected(&mut self, private_id: Option<String>) -> bool {
        self.is_connected = true;
        self.private_id = private_id;
        !self.is_leaving
    }

    /// What a CONNECT of it takes, at most.
    fn size(&self) -> usize {
        let recovery = [&self.private_id, &self.offset];
        let recovery = recovery.into_iter().flatten().map(|text| text.len() + 16);
        self.name.len() + self.auth.as_ref().map_or(0, Vec::len) + 8 + recovery.sum::<usize>()
    }
}

#[derive(Debug, Default)]
pub(super) struct Namespaces {
    all: Vec<Namespace>,
    /// Events of the server that is there whose ack is awaited. The client may still answer when
    /// it has left the namespace, and has come again.
    asked: BTreeSet<(String, u64)>,
    /// The same of servers that are gone.
    stale: BTreeSet<(String, u64)>,
}

impl Namespaces {
    pub(super) fn get(&mut self, name: &str) -> Option<&mut Namespace> {
        self.all.iter_mut().find(|namespace| namespace.name == name)
    }

    /// The client wants to connect. False if that cannot be written down.
    pub(super) fn connect(&mut self, name: &str, auth: &[u8]) -> bool {
        if self.get(name).is_none() {
            let is_too_long = self.size() + name.len() + auth.len() > PROLOGUE_LIMIT;
            self.all.push(Namespace {
                name: name.to_owned(),
                auth: (!is_too_long).then(|| auth.to_vec()),
                private_id: None,
                offset: None,
                is_connected: false,
                is_leaving: false,
                awaited: BTreeSet::new(),
            });
        }
        name.len() <= NAME_LIMIT
    }

    pub(super) fn remove(&mut self, name: &str) {
        self.all.retain(|namespace| namespace.name != name);
    }

    /// The client awaits an ack.
    pub(super) fn await_ack(&mut self, name: &str, id: u64) {
        if let Some(namespace) = self.get(name) {
            namespace.awaited.insert(id);
        }
    }

    /// The server has sent an ack.
    pub(super) fn acked(&mut self, name: &str, id: u64) {
        if let Some(namespace) = self.get(name) {
            namespace.awaited.remove(&id);
        }
    }

    /// The server awaits an ack. False if the client may still send one with the same number,
    /// meant for a server that is gone.
    pub(super) fn ask(&mut self, name: &str, id: u64) -> bool {
        let asked = (name.to_owned(), id);
        if self.stale.contains(&asked) {
            return false;
        }
        if self.get(name).is_some() {
            self.asked.insert(asked);
        }
        true
    }

    /// The client has sent an ack. Whether it is meant for the server that is there.
    pub(super) fn answered(&mut self, name: &str, id: u64) -> bool {
        let asked = (name.to_owned(), id);
        self.asked.remove(&asked) || !self.stale.remove(&asked)
    }

    /// No server any more.
    pub(super) fn server_gone(&mut self) {
        for namespace in &mut self.all {
            namespace.is_connected = false;
        }
        self.stale.append(&mut self.asked);
    }

    pub(super) fn are_connected(&self) -> bool {
        self.all.iter().all(|namespace| namespace.is_connected)
    }

    /// Says every CONNECT again. False if one cannot be said.
    pub(super) fn say(&self, out: &mut Outbox) -> bool {
        self.all.iter().all(|namespace| {
            let private_id = namespace.private_id.as_deref();
            let offset = namespace.offset.as_deref();
            let auth = namespace.auth.as_deref().unwrap_or_default();
            let text = packet::connect(&namespace.name, auth, private_id, offset);
            text.map(|text| out.text_to_server(text)).is_some()
        })
    }

    fn open(&self) -> usize {
        let awaited = self.all.iter().map(|namespace| namespace.awaited.len());
        self.all.len() + awaited.sum::<usize>() + self.asked.len() + self.stale.len()
    }

    fn size(&self) -> usize {
        self.all.iter().map(Namespace::size).sum()
    }

    pub(super) fn holdable(&self) -> Result<(), Unholdable> {
        if self.all.is_empty() {
            return Err(Unholdable::now("no namespace is connected"));
        }
        if self
            .all
            .iter()
            .any(|namespace| !namespace.awaited.is_empty())
        {
            return Err(Unholdable::now("an emit awaits its ack"));
        }
        if self.size() > PROLOGUE_LIMIT || self.all.iter().any(|it| it.auth.is_none()) {
            return Err(TOO_LONG);
        }
        Ok(())
    }

    /// Whether more is open than is written down.
    pub(super) fn is_too_much_open(&self) -> bool {
        self.open() > OPEN_LIMIT
    }

    pub(super) fn memory(&self) -> usize {
        let asked = self.asked.iter().chain(&self.stale);
        let names = asked.map(|asked| asked.0.len() + size_of_val(asked));
        let each = self.all.len() * size_of::<Namespace>();
        self.size() + each + self.open() * 8 + names.sum::<usize>()
    }
}
