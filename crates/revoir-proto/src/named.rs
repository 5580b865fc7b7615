//! [`Named`]: a value whose error says which field it is of.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeSeed, Deserializer, Error, Unexpected, Visitor};

/// Reads a number, a text or a flag, or null. What is none is told with the name of the field, which
/// formats such as JSON leave out.
#[derive(Clone, Copy, Debug)]
pub struct Named<T> {
    field: &'static str,
    value: PhantomData<T>,
}

/// What [`Named`] can read.
pub trait Scalar: Sized {
    /// As part of "expected …".
    const WHAT: &'static str;

    /// From a number.
    fn of_number(_: u64) -> Option<Self> {
        None
    }

    /// From a text.
    fn of_text(_: &str) -> Option<Self> {
        None
    }

    /// From true or false.
    fn of_flag(_: bool) -> Option<Self> {
        None
    }
}

macro_rules! number {
    ($($type:ty: $what:literal),*) => {
        $(impl Scalar for $type {
            const WHAT: &'static str = $what;

            fn of_number(number: u64) -> Option<Self> {
                number.try_into().ok()
            }
        })*
    };
}

number!(u16: "a number up to 65535", u32: "a number up to 4294967295", u64: "a number");

impl Scalar for String {
    const WHAT: &'static str = "a text";

    fn of_text(text: &str) -> Option<Self> {
        Some(text.to_owned())
    }
}

impl Scalar for bool {
    const WHAT: &'static str = "true or false";

    fn of_flag(flag: bool) -> Option<Self> {
        Some(flag)
    }
}

impl<T> Named<T> {
    /// Of the field with this name.
    #[must_use]
    pub const fn new(field: &'static str) -> Self {
        Self {
            field,
            value: PhantomData,
        }
    }
}

impl<'de, T: Scalar> DeserializeSeed<'de> for Named<T> {
    type Value = Option<T>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<T>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, T: Scalar> Visitor<'de> for Named<T> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} for `{}`", T::WHAT, self.field)
    }

    fn visit_unit<E: Error>(self) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn visit_none<E: Error>(self) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<T>, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_bool<E: Error>(self, flag: bool) -> Result<Option<T>, E> {
        match T::of_flag(flag) {
            Some(value) => Ok(Some(value)),
            None => Err(E::invalid_type(Unexpected::Bool(flag), &self)),
        }
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Option<T>, E> {
        match T::of_number(number) {
            Some(value) => Ok(Some(value)),
            None => Err(E::invalid_value(Unexpected::Unsigned(number), &self)),
        }
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Option<T>, E> {
        match u64::try_from(number).ok().and_then(T::of_number) {
            Some(value) => Ok(Some(value)),
            None => Err(E::invalid_value(Unexpected::Signed(number), &self)),
        }
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Option<T>, E> {
        match T::of_text(text) {
            Some(value) => Ok(Some(value)),
            None => Err(E::invalid_type(Unexpected::Str(text), &self)),
        }
    }
}
