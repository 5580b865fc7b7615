//! A connection to Redis, whichever way it is set up.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::future::try_join_all;
use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::cluster::ClusterClientBuilder;
use redis::cluster_async::ClusterConnection;
use redis::cluster_routing::{MultipleNodeRoutingInfo, RoutingInfo, SingleNodeRoutingInfo};
use redis::{
    AsyncConnectionConfig, Client, Cmd, Pipeline, RedisError, Value, cmd, from_redis_value,
};

use crate::redis::place::Place;
use crate::store::StoreError;

/// A replica is waited for so long: it answers within a round trip, or is in trouble.
const WAIT: Duration = Duration::from_millis(100);

#[derive(Clone)]
pub(super) enum Link {
    One(MultiplexedConnection),
    Cluster(ClusterConnection),
}

/// What the masters say of themselves.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Masters {
    /// What they had has these names, which change with a restart and with a failover.
    pub(super) histories: BTreeSet<String>,
    /// Those that have replicas.
    pub(super) replicated: Vec<Master>,
}

/// Host and port in a cluster; `None`: the one there is.
pub(super) type Master = Option<(String, u16)>;

impl Link {
    /// Connects, within `patience` for each server that is tried.
    pub(super) async fn connect(place: &Place, patience: Duration) -> Result<Self, StoreError> {
        match place {
            Place::One(client) => Ok(Self::One(connect(client, patience).await?)),
            Place::Sentinels {
                sentinels,
                name,
                server,
            } => {
                let address = ask_sentinels(sentinels, name, patience).await?;
                Ok(Self::One(connect(&server.at(&address)?, patience).await?))
            }
            Place::Cluster(nodes) => {
                let nodes = nodes.iter().map(|node| node.get_connection_info().clone());
                let client = ClusterClientBuilder::new(nodes)
                    .connection_timeout(patience)
                    .response_timeout(patience)
                    .retries(3)
                    .min_retry_wait(20)
                    .max_retry_wait(100)
                    .build()
                    .map_err(failed)?;
                let connection = client.get_async_connection().await;
                Ok(Self::Cluster(connection.map_err(failed)?))
            }
        }
    }

    /// Sends these, each with the part that it is about, in one pipeline for each server or part, and gives the answers in the
    /// same order; errors of the server are among them.
    pub(super) async fn send(&self, commands: Vec<(usize, Cmd)>) -> Result<Vec<Value>, StoreError> {
        match self {
            Self::One(connection) => {
                let commands = commands.into_iter().map(|(_, command)| command);
                pipe(connection.clone(), commands.collect()).await
            }
            Self::Cluster(connection) => {
                let count = commands.len();
                let mut parts: BTreeMap<usize, (Vec<usize>, Vec<Cmd>)> = BTreeMap::new();
                for (place, (part, command)) in commands.into_iter().enumerate() {
                    let (places, commands) = parts.entry(part).or_default();
                    places.push(place);
                    commands.push(command);
                }
                let sent = parts.into_values().map(async |(places, commands)| {
                    let answers = pipe(connection.clone(), commands).await?;
                    Ok::<_, StoreError>((places, answers))
                });
                let mut answers = vec![Value::Nil; count];
                for (places, answered) in try_join_all(sent).await? {
                    for (place, answer) in places.into_iter().zip(answered) {
                        answers[place] = answer;
                    }
                }
                Ok(answers)
            }
        }
    }

    /// Asks for a replica of each of these to have what was written, and says whether all have.
    pub(super) async fn wait(&self, masters: &[Master]) -> Result<bool, StoreError> {
        let millis = u64::try_from(WAIT.as_millis()).unwrap_or(0);
        let mut command = cmd("WAIT");
        command.arg(1).arg(millis);
        let waits = masters.iter().map(async |master| {
            let have = match (self, master) {
                (Self::Cluster(connection), Some((host, port))) => {
                    let (host, port) = (host.clone(), *port);
                    let to =
                        RoutingInfo::SingleNode(SingleNodeRoutingInfo::ByAddress { host, port });
                    let mut connection = connection.clone();
                    let routed = connection.route_command(command.clone(), to);
                    routed.await.and_then(|have| Ok(from_redis_value(have)?))
                }
                (Self::One(connection), _) => command.query_async(&mut connection.clone()).await,
                (Self::Cluster(_), None) => Ok(0),
            };
            have.map(|have: u64| have > 0).map_err(failed)
        });
        let have = try_join_all(waits).await?;
        Ok(have.into_iter().all(|has| has))
    }

    /// Publishes; says whether somebody listens, if that can be known.
    pub(super) async fn publish(
        &self,
        channel: &str,
        message: &[u8],
    ) -> Result<Option<bool>, StoreError> {
        let mut command = cmd("PUBLISH");
        command.arg(channel).arg(message);
        match self {
            Self::One(connection) => {
                let listening = command.query_async(&mut connection.clone()).await;
                let listening: u64 = listening.map_err(failed)?;
                Ok(Some(listening > 0))
            }
            // A node of a cluster counts only those that listen to itself.
            Self::Cluster(connection) => {
                let published = command.query_async::<u64>(&mut connection.clone()).await;
                published.map(|_| None).map_err(failed)
            }
        }
    }

    pub(super) async fn look(&self) -> Result<Masters, StoreError> {
        let mut command = cmd("INFO");
        command.arg("replication");
        let told = match self {
            Self::One(connection) => {
                let told = command.query_async(&mut connection.clone()).await;
                vec![(None, told.map_err(failed)?)]
            }
            Self::Cluster(connection) => {
                let to = RoutingInfo::MultiNode((MultipleNodeRoutingInfo::AllMasters, None));
                let told = connection.clone().route_command(command, to).await;
                let told = told.and_then(|told| Ok(from_redis_value(told)?));
                let told: BTreeMap<String, String> = told.map_err(failed)?;
                let address = |(address, told): (String, String)| {
                    let (host, port) = address.rsplit_once(':')?;
                    Some((Some((host.to_owned(), port.parse().ok()?)), told))
                };
                told.into_iter().filter_map(address).collect()
            }
        };
        Masters::read(&told)
    }
}

impl Masters {
    fn read(told: &[(Master, String)]) -> Result<Self, StoreError> {
        let mut masters = Self::default();
        for (master, info) in told {
            let field = |name: &str| {
                let mut lines = info.lines();
                lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
            };
            if field("role") != Some("master") {
                return Err(StoreError::new("this server is not the master"));
            }
            masters
                .histories
                .extend(field("master_replid").map(str::to_owned));
            if field("connected_slaves").is_some_and(|count| count != "0") {
                masters.replicated.push(master.clone());
            }
        }
        Ok(masters)
    }
}

async fn connect(client: &Client, patience: Duration) -> Result<MultiplexedConnection, StoreError> {
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(patience))
        .set_response_timeout(Some(patience));
    let connected = client.get_multiplexed_async_connection_with_config(&config);
    connected.await.map_err(failed)
}

/// Why something failed, as whoever runs it can use it.
pub(super) fn failed(error: RedisError) -> StoreError {
    match error.code() {
        Some(code) => refused(code, &error.to_string()),
        None => StoreError::new(error),
    }
}

/// The server refuses for this reason.
pub(super) fn refused(code: &str, text: &str) -> StoreError {
    StoreError::new(match code {
        "MOVED" | "ASK" | "CROSSSLOT" => {
            format!("{text}; the address of a cluster begins with redis+cluster://")
        }
        _ => text.to_owned(),
    })
}

/// Who is the master: the first sentinel that answers knows.
pub(super) async fn ask_sentinels(
    sentinels: &[Client],
    name: &str,
    patience: Duration,
) -> Result<String, StoreError> {
    let mut last = StoreError::new(format!("no sentinel knows the master {name}"));
    for sentinel in sentinels {
        let mut connection = match connect(sentinel, patience).await {
            Ok(connection) => connection,
            Err(error) => {
                last = error;
                continue;
            }
        };
        let mut command = cmd("SENTINEL");
        command.arg("get-master-addr-by-name").arg(name);
        match command.query_async(&mut connection).await {
            Ok(Some::<(String, u16)>((host, port))) => return Ok(address(&host, port)),
            Ok(None) => {}
            Err(error) => last = failed(error),
        }
    }
    Err(last)
}

fn address(host: &str, port: u16) -> String {
    match host.contains(':') {
        true => format!("[{host}]:{port}"),
        false => format!("{host}:{port}"),
    }
}

async fn pipe(
    mut connection: impl ConnectionLike,
    commands: Vec<Cmd>,
) -> Result<Vec<Value>, StoreError> {
    let count = commands.len();
    let mut pipeline = Pipeline::with_capacity(count);
    for command in commands {
        pipeline.add_command(command);
    }
    let answers = connection.req_packed_commands(&pipeline, 0, count).await;
    let answers = answers.map_err(failed)?;
    match answers.len() == count {
        true => Ok(answers),
        false => Err(StoreError::new("not every command was answered")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_masters_say_of_themselves_is_read() {
        let told = |role: &str, replicas: u8, history: &str| {
            format!(
                "# Replication\r\nrole:{role}\r\nconnected_slaves:{replicas}\r\nmaster_replid:{history}\r\n"
            )
        };
        let at = |port| Some(("h".to_owned(), port));
        let two = [
            (at(1), told("master", 0, "aa")),
            (at(2), told("master", 2, "bb")),
        ];
        let masters = Masters::read(&two).unwrap();
        assert_eq!(masters.replicated, [at(2)]);
        assert_eq!(masters.histories.len(), 2);
        assert!(Masters::read(&[(None, told("slave", 0, "aa"))]).is_err());
    }

    #[test]
    fn addresses_of_either_family_are_written() {
        assert_eq!(address("::1", 1), "[::1]:1");
        assert_eq!(address("h", 1), "h:1");
    }
}
