//! [`Random`]: where masking keys and jitter come from.

/// A source of random numbers, passed in by the driver.
///
/// A client draws one number for the masking key of every frame. RFC 6455 section 5.3 asks for a
/// key that cannot be predicted, so outside tests the source is a cryptographic one. Both roles
/// draw one number for the jitter of each ping.
pub trait Random {
    /// The next 32 random bits.
    fn next_u32(&mut self) -> u32;
}

impl<R: Random + ?Sized> Random for &mut R {
    fn next_u32(&mut self) -> u32 {
        (**self).next_u32()
    }
}
