//! [`delegate_io`]: streams of one kind or another, read and written as the one that is there.

/// Implements `AsyncRead` and `AsyncWrite` for an enum whose variants have one stream each.
macro_rules! delegate_io {
    ($streams:ty: $($(#[$when:meta])? $kind:ident),+) => {
        impl ::tokio::io::AsyncRead for $streams {
            fn poll_read(
                self: ::std::pin::Pin<&mut Self>,
                cx: &mut ::std::task::Context<'_>,
                into: &mut ::tokio::io::ReadBuf<'_>,
            ) -> ::std::task::Poll<::std::io::Result<()>> {
                match self.get_mut() {
                    $($(#[$when])? Self::$kind(stream) => {
                        ::std::pin::Pin::new(stream).poll_read(cx, into)
                    })+
                }
            }
        }

        impl ::tokio::io::AsyncWrite for $streams {
            fn poll_write(
                self: ::std::pin::Pin<&mut Self>,
                cx: &mut ::std::task::Context<'_>,
                bytes: &[u8],
            ) -> ::std::task::Poll<::std::io::Result<usize>> {
                match self.get_mut() {
                    $($(#[$when])? Self::$kind(stream) => {
                        ::std::pin::Pin::new(stream).poll_write(cx, bytes)
                    })+
                }
            }

            fn poll_write_vectored(
                self: ::std::pin::Pin<&mut Self>,
                cx: &mut ::std::task::Context<'_>,
                slices: &[::std::io::IoSlice<'_>],
            ) -> ::std::task::Poll<::std::io::Result<usize>> {
                match self.get_mut() {
                    $($(#[$when])? Self::$kind(stream) => {
                        ::std::pin::Pin::new(stream).poll_write_vectored(cx, slices)
                    })+
                }
            }

            fn is_write_vectored(&self) -> bool {
                match self {
                    $($(#[$when])? Self::$kind(stream) => stream.is_write_vectored(),)+
                }
            }

            fn poll_flush(
                self: ::std::pin::Pin<&mut Self>,
                cx: &mut ::std::task::Context<'_>,
            ) -> ::std::task::Poll<::std::io::Result<()>> {
                match self.get_mut() {
                    $($(#[$when])? Self::$kind(stream) => {
                        ::std::pin::Pin::new(stream).poll_flush(cx)
                    })+
                }
            }

            fn poll_shutdown(
                self: ::std::pin::Pin<&mut Self>,
                cx: &mut ::std::task::Context<'_>,
            ) -> ::std::task::Poll<::std::io::Result<()>> {
                match self.get_mut() {
                    $($(#[$when])? Self::$kind(stream) => {
                        ::std::pin::Pin::new(stream).poll_shutdown(cx)
                    })+
                }
            }
        }
    };
}

pub(crate) use delegate_io;
