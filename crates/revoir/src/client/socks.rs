//! [`open`]: a way to a server that a SOCKS5 proxy opens (RFC 1928, RFC 1929).

use std::io::{self, ErrorKind};
use std::net::IpAddr;

use revoir_proto::{Cause, Ending};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::client::proxy::Credentials;
use crate::client::tcp::never;
use crate::client::url::Target;
use crate::driver::io_detail;

const VERSION: u8 = 5;
const NO_AUTHENTICATION: u8 = 0;
const PASSWORD: u8 = 2;
const CONNECT: u8 = 1;
const IPV4: u8 = 1;
const NAME: u8 = 3;
const IPV6: u8 = 4;

/// Asks the proxy at the other end of `stream` for `target`, whose name it resolves. Nothing behind its
/// answer is read.
pub(super) async fn open<S>(
    stream: &mut S,
    credentials: Option<&Credentials>,
    target: &Target,
) -> Result<(), Ending>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let methods: &[u8] = match credentials {
        None => &[VERSION, 1, NO_AUTHENTICATION],
        Some(_) => &[VERSION, 2, NO_AUTHENTICATION, PASSWORD],
    };
    write(stream, methods).await?;
    let [version, method] = read(stream).await?;
    if version != VERSION {
        return Err(garbled("its answer is not of SOCKS version 5"));
    }
    match (method, credentials) {
        (NO_AUTHENTICATION, _) => {}
        (PASSWORD, Some(credentials)) => authenticate(stream, credentials).await?,
        _ => return Err(never(Cause::HandshakeRejected, "it wants credentials")),
    }
    let Some(request) = request(target) else {
        let what = "the server's name is longer than the 255 bytes of SOCKS";
        return Err(never(Cause::Dns, what));
    };
    write(stream, &request).await?;
    let [version, reply, _, kind] = read(stream).await?;
    if version != VERSION {
        return Err(garbled("its reply is not of SOCKS version 5"));
    }
    if let Some(refused) = refusal(reply) {
        return Err(refused);
    }
    skip_address(stream, kind).await
}

/// User name and password (RFC 1929).
async fn authenticate<S>(stream: &mut S, credentials: &Credentials) -> Result<(), Ending>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut message = vec![1];
    for text in [&credentials.user, &credentials.password] {
        // `Proxy::parse` refuses longer ones.
        message.push(u8::try_from(text.len()).unwrap_or(u8::MAX));
        message.extend(text.iter().take(u8::MAX.into()));
    }
    write(stream, &message).await?;
    match read(stream).await? {
        [_, 0] => Ok(()),
        _ => Err(never(
            Cause::HandshakeRejected,
            "it does not accept the credentials",
        )),
    }
}

/// `None` if there is no room for the name.
fn request(target: &Target) -> Option<Vec<u8>> {
    let mut message = vec![VERSION, CONNECT, 0];
    match target.host.parse() {
        Ok(IpAddr::V4(address)) => {
            message.push(IPV4);
            message.extend(address.octets());
        }
        Ok(IpAddr::V6(address)) => {
            message.push(IPV6);
            message.extend(address.octets());
        }
        Err(_) => {
            let name = target.host.as_bytes();
            let length = u8::try_from(name.len()).ok()?;
            message.extend([NAME, length]);
            message.extend(name);
        }
    }
    message.extend(target.port.to_be_bytes());
    Some(message)
}

/// The replies of RFC 1928 section 6 but for 0, success.
fn refusal(reply: u8) -> Option<Ending> {
    let (cause, what) = match reply {
        0 => return None,
        1 => (Cause::Unreachable, "it cannot connect to the server"),
        2 => (Cause::HandshakeRejected, "its rules do not allow it"),
        3 => (
            Cause::Unreachable,
            "the network of the server is unreachable",
        ),
        4 => (Cause::Unreachable, "the server is unreachable"),
        5 => (Cause::Refused, "the server refuses TCP"),
        6 => (Cause::ConnectTimeout, "the server does not answer"),
        7 => (Cause::HandshakeRejected, "it does not know CONNECT"),
        8 => (
            Cause::HandshakeRejected,
            "it does not know this kind of address",
        ),
        _ => (Cause::HandshakeRejected, "it refuses"),
    };
    Some(never(cause, format_args!("{what} (SOCKS reply {reply})")))
}

/// Reads the address at which the proxy has connected.
async fn skip_address<S: AsyncRead + Unpin>(stream: &mut S, kind: u8) -> Result<(), Ending> {
    let length = match kind {
        IPV4 => 4,
        IPV6 => 16,
        NAME => read::<_, 1>(stream).await?[0].into(),
        _ => return Err(garbled("its reply has an unknown kind of address")),
    };
    for _ in 0..length {
        read::<_, 1>(stream).await?;
    }
    // The port.
    read::<_, 2>(stream).await?;
    Ok(())
}

async fn write<S: AsyncWrite + Unpin>(stream: &mut S, bytes: &[u8]) -> Result<(), Ending> {
    let written = async {
        stream.write_all(bytes).await?;
        stream.flush().await
    };
    written.await.map_err(|error| lost(&error))
}

async fn read<S: AsyncRead + Unpin, const N: usize>(stream: &mut S) -> Result<[u8; N], Ending> {
    let mut bytes = [0; N];
    match stream.read_exact(&mut bytes).await {
        Ok(_) => Ok(bytes),
        Err(error) => Err(lost(&error)),
    }
}

fn garbled(what: &str) -> Ending {
    never(Cause::HandshakeInvalid, what)
}

/// An error of the stream to the proxy.
pub(super) fn lost(error: &io::Error) -> Ending {
    match error.kind() {
        ErrorKind::UnexpectedEof => never(Cause::HandshakeEof, "it hung up"),
        _ => Ending::never_opened(Cause::HandshakeReset, io_detail(error)),
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::duplex;

    use super::*;

    /// What is asked of a proxy that says `answers`, whatever it is asked, and what comes of it.
    async fn asked(
        answers: &[u8],
        credentials: Option<&Credentials>,
        url: &str,
    ) -> (Vec<u8>, Result<(), String>) {
        let (mut client, mut proxy) = duplex(1024);
        proxy.write_all(answers).await.unwrap();
        proxy.shutdown().await.unwrap();
        let target = Target::parse(url).unwrap();
        let opened = open(&mut client, credentials, &target).await;
        let mut rest = Vec::new();
        client.read_to_end(&mut rest).await.unwrap();
        let opened = opened.map_err(|ending| ending.to_string());
        drop(client);
        let mut requests = Vec::new();
        proxy.read_to_end(&mut requests).await.unwrap();
        if opened.is_ok() {
            assert_eq!(rest, b"server", "nothing of the server is taken");
        }
        (requests, opened)
    }

    fn credentials() -> Credentials {
        Credentials {
            user: b"us:er".to_vec(),
            password: b"p\xFF".to_vec(),
        }
    }

    #[tokio::test]
    async fn names_are_left_to_the_proxy_and_addresses_are_sent_as_such() {
        for (url, address) in [
            ("ws://a.example:8080/", &b"\x03\x09a.example\x1f\x90"[..]),
            ("ws://192.0.2.1/", b"\x01\xc0\x00\x02\x01\x00\x50"),
            (
                "ws://[::1]:1/",
                b"\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x00\x01",
            ),
        ] {
            let answers = b"\x05\x00\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x50server";
            let (requests, opened) = asked(answers, None, url).await;
            assert_eq!(opened, Ok(()));
            assert_eq!(requests, [b"\x05\x01\x00\x05\x01\x00", address].concat());
        }
    }

    #[tokio::test]
    async fn credentials_are_sent_if_the_proxy_asks_for_them() {
        let user = credentials();
        let answers = b"\x05\x02\x01\x00\x05\x00\x00\x03\x01x\x00\x50server";
        let (requests, opened) = asked(answers, Some(&user), "ws://192.0.2.1/").await;
        assert_eq!(opened, Ok(()));
        let expected =
            b"\x05\x02\x00\x02\x01\x05us:er\x02p\xff\x05\x01\x00\x01\xc0\x00\x02\x01\x00\x50";
        assert_eq!(requests, expected);
        // It does not ask.
        let answers = b"\x05\x00\x05\x00\x00\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x00\x50server";
        let (requests, opened) = asked(answers, Some(&user), "ws://192.0.2.1/").await;
        assert_eq!(opened, Ok(()));
        assert!(!requests.windows(2).any(|two| two == b"us"), "{requests:?}");
    }

    #[tokio::test]
    async fn every_refusal_says_what_the_proxy_means() {
        let user = credentials();
        for (answers, user, words) in [
            (&b"\x05\xff"[..], None, "rejected (it wants credentials)"),
            (b"\x05\x02", None, "rejected (it wants credentials)"),
            (
                b"\x05\x02\x01\x01",
                Some(&user),
                "it does not accept the credentials",
            ),
            (
                b"\x05\0\x05\x01\0\x01",
                None,
                "unreachable (it cannot connect to the server (SOCKS reply 1))",
            ),
            (
                b"\x05\0\x05\x02\0\x01",
                None,
                "rejected (its rules do not allow it (SOCKS reply 2))",
            ),
            (
                b"\x05\0\x05\x04\0\x01",
                None,
                "the server is unreachable (SOCKS reply 4)",
            ),
            (
                b"\x05\0\x05\x05\0\x01",
                None,
                "refused (the server refuses TCP (SOCKS reply 5))",
            ),
            (
                b"\x05\0\x05\x06\0\x01",
                None,
                "did not connect in time (the server does not answer (SOCKS reply 6))",
            ),
            (b"\x05\0\x05\x63\0\x01", None, "it refuses (SOCKS reply 99)"),
            (b"\x05\0\x05\0\0\x09", None, "an unknown kind of address"),
            (
                b"HTTP/1.1 400 Bad",
                None,
                "its answer is not of SOCKS version 5",
            ),
            (b"\x05", None, "hung up"),
            (b"\x05\0\x05\0\0\x01\x7f", None, "hung up"),
        ] {
            let (_, opened) = asked(answers, user, "ws://a.example/").await;
            let error = opened.unwrap_err();
            assert!(error.contains(words), "{answers:?}: {error}");
        }
    }

    #[tokio::test]
    async fn a_name_that_socks_has_no_room_for_is_told() {
        let name = vec!["a".repeat(60); 5].join(".");
        let (_, opened) = asked(b"\x05\x00", None, &format!("ws://{name}/")).await;
        assert!(opened.unwrap_err().contains("255 bytes"));
    }
}
