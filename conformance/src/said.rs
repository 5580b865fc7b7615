//! Where a browser can be driven, as it says on stderr.

use anyhow::bail;
use tokio::io::{AsyncBufRead, AsyncBufReadExt};

/// The address in the line that begins with `words`. What comes behind that line is read and dropped, so
/// that the browser can go on talking.
pub(crate) async fn url_behind<R>(words: &str, stderr: R) -> anyhow::Result<String>
where
    R: AsyncBufRead + Unpin + Send + 'static,
{
    let mut lines = stderr.lines();
    let mut said = Vec::new();
    while let Some(line) = lines.next_line().await? {
        if let Some(url) = line.strip_prefix(words) {
            let url = url.to_owned();
            tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
            return Ok(url);
        }
        said.push(line);
    }
    bail!("it ended, after it said:\n{}", said.join("\n"))
}
