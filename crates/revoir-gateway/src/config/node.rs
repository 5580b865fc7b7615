//! [`Node`]: a value of the file, to be deserialized, and what is wrong with it, by key and place.
//!
//! The deserializer of `toml` knows places but not keys. To wrap it in one that collects keys compiles every type of
//! the file for both, which was two fifths of this crate.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::value::{BorrowedStrDeserializer, MapAccessDeserializer};
use serde::de::{
    DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Unexpected, Visitor,
};
use serde::forward_to_deserialize_any;
use toml::Spanned;
use toml::de::{DeInteger, DeTable, DeValue};

use crate::config::place;

/// What is wrong with a value.
#[derive(Debug)]
pub(super) struct Misread {
    /// The key, with those it stands under.
    pub(super) key: String,
    /// Where it stands in the text. None until it is known.
    pub(super) start: Option<usize>,
    pub(super) message: String,
}

impl Misread {
    /// What nobody has found a place for stands here.
    fn at(mut self, start: usize) -> Self {
        self.start.get_or_insert(start);
        self
    }

    /// The key of this is part of what `outer` names.
    fn under(mut self, outer: &str) -> Self {
        let dot = match self.key.as_bytes().first() {
            None | Some(b'[') => "",
            Some(_) => ".",
        };
        self.key = format!("{outer}{dot}{}", self.key);
        self
    }
}

impl fmt::Display for Misread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Misread {}

impl serde::de::Error for Misread {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self {
            key: String::new(),
            start: None,
            message: message.to_string(),
        }
    }
}

/// What `root` says.
pub(super) fn read<'de, T: Deserialize<'de>>(root: &'de DeTable<'de>) -> Result<T, Misread> {
    let value = Value::Table(root);
    T::deserialize(Node { value, start: 0 })
}

/// A table on its own is no `DeValue`.
#[derive(Clone, Copy)]
enum Value<'de> {
    Table(&'de DeTable<'de>),
    Other(&'de DeValue<'de>),
}

/// A value, and where it begins.
#[derive(Clone, Copy)]
struct Node<'de> {
    value: Value<'de>,
    start: usize,
}

impl<'de> Node<'de> {
    fn new(value: &'de Spanned<DeValue<'de>>, start: usize) -> Self {
        let value = match value.get_ref() {
            DeValue::Table(table) => Value::Table(table),
            other => Value::Other(other),
        };
        Self { value, start }
    }

    fn any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misread> {
        let value = match self.value {
            Value::Table(table) => return visitor.visit_map(Entries::of(table)),
            Value::Other(value) => value,
        };
        match value {
            DeValue::String(text) => visitor.visit_borrowed_str(text),
            DeValue::Integer(number) => match integer(number) {
                Some(Integer::Signed(number)) => visitor.visit_i64(number),
                Some(Integer::Unsigned(number)) => visitor.visit_u64(number),
                None => Err(Misread::custom("this number is too large")),
            },
            DeValue::Float(number) => match number.as_str().parse() {
                Ok(number) => visitor.visit_f64(number),
                Err(_) => Err(Misread::custom("this number is too large")),
            },
            DeValue::Boolean(is) => visitor.visit_bool(*is),
            DeValue::Datetime(_) => {
                Err(Misread::invalid_type(Unexpected::Other("a date"), &visitor))
            }
            DeValue::Array(list) => visitor.visit_seq(Items::of(list)),
            DeValue::Table(table) => visitor.visit_map(Entries::of(table)),
        }
    }
}

enum Integer {
    Signed(i64),
    Unsigned(u64),
}

fn integer(number: &DeInteger<'_>) -> Option<Integer> {
    let (digits, radix) = (number.as_str(), number.radix());
    let signed = i64::from_str_radix(digits, radix).map(Integer::Signed);
    signed
        .or_else(|_| u64::from_str_radix(digits, radix).map(Integer::Unsigned))
        .ok()
}

impl<'de> Deserializer<'de> for Node<'de> {
    type Error = Misread;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misread> {
        self.any(visitor).map_err(|wrong| wrong.at(self.start))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misread> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Misread> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misread> {
        let read = match self.value {
            Value::Table(table) => {
                visitor.visit_enum(MapAccessDeserializer::new(Entries::of(table)))
            }
            Value::Other(DeValue::String(text)) => {
                visitor.visit_enum(BorrowedStrDeserializer::new(text))
            }
            Value::Other(_) => self.any(visitor),
        };
        read.map_err(|wrong| wrong.at(self.start))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string
        bytes byte_buf unit unit_struct seq tuple tuple_struct map struct
        identifier ignored_any
    }
}

/// The entries of a table that are to come.
struct Entries<'de> {
    rest: <&'de DeTable<'de> as IntoIterator>::IntoIter,
    /// The value of the key that was read last.
    next: Option<TableEntry<'de>>,
}

type TableEntry<'de> = (&'de Spanned<Cow<'de, str>>, &'de Spanned<DeValue<'de>>);

impl<'de> Entries<'de> {
    fn of(table: &'de DeTable<'de>) -> Self {
        Self {
            rest: table.into_iter(),
            next: None,
        }
    }
}

impl<'de> MapAccess<'de> for Entries<'de> {
    type Error = Misread;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Misread> {
        self.next = self.rest.next();
        let Some((key, _)) = self.next else {
            return Ok(None);
        };
        let name: &'de str = key.get_ref();
        let read = seed.deserialize(BorrowedStrDeserializer::new(name));
        read.map(Some)
            .map_err(|wrong: Misread| wrong.at(key.span().start).under(name))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Misread> {
        let Some((key, value)) = self.next.take() else {
            return Err(Misread::custom("a value without a key"));
        };
        let node = Node::new(value, place::start(key, value));
        let read = seed.deserialize(node);
        read.map_err(|wrong| wrong.at(node.start).under(key.get_ref()))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.rest.len())
    }
}

/// The items of a list that are to come.
struct Items<'de> {
    rest: std::slice::Iter<'de, Spanned<DeValue<'de>>>,
    index: usize,
}

impl<'de> Items<'de> {
    fn of(list: &'de [Spanned<DeValue<'de>>]) -> Self {
        Self {
            rest: list.iter(),
            index: 0,
        }
    }
}

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = Misread;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Misread> {
        let Some(item) = self.rest.next() else {
            return Ok(None);
        };
        let node = Node::new(item, item.span().start);
        let read = seed.deserialize(node);
        let read = read.map_err(|wrong| wrong.at(node.start).under(&format!("[{}]", self.index)));
        self.index += 1;
        read.map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.rest.len())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn wrong<T: for<'de> Deserialize<'de> + fmt::Debug>(text: &str) -> (String, Option<usize>) {
        let root = DeTable::parse(text).unwrap();
        let wrong = read::<BTreeMap<String, T>>(root.get_ref()).unwrap_err();
        (wrong.key, wrong.start)
    }

    #[test]
    fn numbers_lists_and_choices_are_read() {
        #[derive(Debug, PartialEq, Deserialize)]
        #[serde(rename_all = "lowercase")]
        enum Choice {
            One,
            Two(u8),
        }
        let text = "a = ['one', { two = 0x10 }]\nb = []\n";
        let root = DeTable::parse(text).unwrap();
        let read: BTreeMap<String, Vec<Choice>> = read(root.get_ref()).unwrap();
        assert_eq!(read["a"], [Choice::One, Choice::Two(16)]);
        assert!(read["b"].is_empty());
    }

    #[test]
    fn what_is_wrong_has_its_key_and_its_place() {
        let (key, start) = wrong::<BTreeMap<String, Vec<bool>>>("[a]\nb = [true, 1]\n");
        assert_eq!((&*key, start), ("a.b[1]", Some(15)));
        for text in [
            "a = 99999999999999999999",
            "a = 256",
            "a = 2020-01-01",
            "a = -1",
        ] {
            assert_eq!(wrong::<u8>(text), ("a".to_owned(), Some(4)), "{text}");
        }
    }
}
