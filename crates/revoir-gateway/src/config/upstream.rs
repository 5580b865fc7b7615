//! [`UpstreamConfig`]: one of the upstreams of a route, as a URL or as a table.

use std::fmt;
use std::num::NonZeroU32;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::upstream::Target;

/// The largest weight.
const HEAVIEST: u32 = 1000;

/// One upstream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpstreamConfig {
    /// Where it is.
    pub url: Target,
    /// How much it gets, from 1 to 1000: twice as much as one of half the weight.
    pub weight: NonZeroU32,
}

impl From<Target> for UpstreamConfig {
    fn from(url: Target) -> Self {
        let weight = NonZeroU32::MIN;
        Self { url, weight }
    }
}

/// With everything that can be said of it.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Table {
    url: Target,
    #[serde(default = "one", deserialize_with = "weight")]
    weight: NonZeroU32,
}

const fn one() -> NonZeroU32 {
    NonZeroU32::MIN
}

fn weight<'de, D: Deserializer<'de>>(deserializer: D) -> Result<NonZeroU32, D::Error> {
    let written = i64::deserialize(deserializer)?;
    let weight = u32::try_from(written).ok().filter(|it| *it <= HEAVIEST);
    weight
        .and_then(NonZeroU32::new)
        .ok_or_else(|| Error::custom(format!("{written}: expected a weight from 1 to {HEAVIEST}")))
}

impl<'de> Deserialize<'de> for UpstreamConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Written)
    }
}

struct Written;

impl<'de> Visitor<'de> for Written {
    type Value = UpstreamConfig;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ws://HOST:PORT, or { url = \"ws://HOST:PORT\", weight = 2 }")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<UpstreamConfig, E> {
        let target = Target::parse(text);
        let target = target.map_err(|error| E::custom(format!("{text:?}: {error}")))?;
        Ok(target.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<UpstreamConfig, A::Error> {
        let Table { url, weight } = Table::deserialize(MapAccessDeserializer::new(map))?;
        Ok(UpstreamConfig { url, weight })
    }
}

impl Serialize for UpstreamConfig {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.weight == one() {
            return self.url.serialize(serializer);
        }
        let (url, weight) = (self.url.clone(), self.weight);
        Table { url, weight }.serialize(serializer)
    }
}
