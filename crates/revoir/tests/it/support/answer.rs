//! A server that answers one request with bytes of our choice.

use revoir::{Client, CloseCode, Ending};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::memory;
use super::wire::Stream;

/// What a client makes of `answer`, after which the server does `then`.
pub(crate) async fn answered(answer: &[u8], then: fn(&Stream)) -> Ending {
    let (near, far) = memory::pair(64 * 1024);
    let client = Client::new();
    let connecting = client.connect_over("ws://a.example/chat", near);
    let answering = async {
        let mut far = Stream::Memory(far);
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            request.push(far.read_u8().await.unwrap());
        }
        far.write_all(answer).await.unwrap();
        then(&far);
        far
    };
    let (result, _far) = tokio::join!(connecting, answering);
    let ending = Ending::clone(result.unwrap_err().ending().unwrap());
    assert_eq!(ending.code(), CloseCode::ABNORMAL_CLOSURE);
    ending
}
