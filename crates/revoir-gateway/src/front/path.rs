//! The normal form of a request's path, by which routes are found.

use std::borrow::Cow;
use std::fmt;

/// Why a path has no normal form: backends read it in more than one way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ambiguous;

impl fmt::Display for Ambiguous {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "the path has an encoded dot segment, an encoded slash behind a semicolon, a NUL or a backslash",
        )
    }
}

/// The path that `path` means: percent-decoded once, without parameters of segments, as servlets take
/// them off (`/x/..;/admin;v=1` is `/admin`), without dot segments and without empty ones (RFC 3986
/// sections 2.4, 3.3 and 5.2.4). Only for deciding: the backend gets what the client sent.
///
/// # Errors
///
/// Encoded dot segments, encoded slashes behind a semicolon, NUL and backslashes, which servers take for different things.
pub(crate) fn normal_form(path: &str) -> Result<Cow<'_, [u8]>, Ambiguous> {
    let bytes = path.as_bytes();
    let is_plain = !path.contains(['%', '\\', ';']) && !path.contains("//") && !path.contains("/.");
    // `*` of OPTIONS is no path.
    if is_plain || !path.starts_with('/') {
        return Ok(Cow::Borrowed(bytes));
    }
    if bytes.split(|byte| *byte == b'/').any(is_ambiguous) {
        return Err(Ambiguous);
    }
    let decoded = decoded(bytes);
    if decoded.iter().any(|byte| matches!(byte, 0 | b'\\')) {
        return Err(Ambiguous);
    }
    let mut segments: Vec<&[u8]> = Vec::new();
    let mut is_directory = false;
    for segment in decoded.split(|byte| *byte == b'/').map(without_parameters) {
        is_directory = matches!(segment, b"" | b"." | b"..");
        match segment {
            b"" | b"." => {}
            b".." => {
                segments.pop();
            }
            name => segments.push(name),
        }
    }
    let mut normal = Vec::with_capacity(decoded.len());
    for segment in &segments {
        normal.push(b'/');
        normal.extend_from_slice(segment);
    }
    if is_directory || segments.is_empty() {
        normal.push(b'/');
    }
    Ok(Cow::Owned(normal))
}

/// Whether a segment is `.` or `..` with a dot of it encoded, or has a slash in a parameter.
fn is_ambiguous(segment: &[u8]) -> bool {
    if !segment.contains(&b'%') {
        return false;
    }
    let name = without_parameters(segment);
    let is_dots = matches!(&*decoded(name), b"." | b"..");
    is_dots && name.contains(&b'%') || decoded(&segment[name.len()..]).contains(&b'/')
}

/// A segment up to its first semicolon.
fn without_parameters(segment: &[u8]) -> &[u8] {
    let end = segment.iter().position(|byte| *byte == b';');
    &segment[..end.unwrap_or(segment.len())]
}

/// With every `%` and two digits as the byte that they mean.
fn decoded(bytes: &[u8]) -> Vec<u8> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((first, behind)) = rest.split_first() {
        rest = behind;
        let pair = behind
            .first()
            .and_then(digit)
            .zip(behind.get(1).and_then(digit));
        match pair {
            Some((high, low)) if *first == b'%' => {
                // Two digits of base 16 fit.
                decoded.push((high * 16 + low) as u8);
                rest = &behind[2..];
            }
            _ => decoded.push(*first),
        }
    }
    decoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_write_a_path_has_one_normal_form() {
        for (path, expected) in [
            ("/admin", "/admin"),
            ("//admin", "/admin"),
            ("/./admin", "/admin"),
            ("/%61dmin", "/admin"),
            ("/x/../admin", "/admin"),
            ("/../admin", "/admin"),
            ("/admin%2f", "/admin/"),
            ("/admin%2Fx", "/admin/x"),
            ("/admin;x=1", "/admin"),
            ("/admin;x/y;z", "/admin/y"),
            ("/admin%3bx", "/admin"),
            ("/x/..;/admin", "/admin"),
            ("/x/..;a=%20/admin", "/admin"),
            ("/;/admin", "/admin"),
            ("/.;x/admin", "/admin"),
            ("/x;%41/../admin", "/admin"),
            ("/admin/.", "/admin/"),
            ("/admin/x/..", "/admin/"),
            ("/admin//x/", "/admin/x/"),
            ("/%2561dmin", "/%61dmin"),
            ("/100%", "/100%"),
            ("/.well-known/x", "/.well-known/x"),
            ("/...", "/..."),
            ("/..", "/"),
            ("/", "/"),
            ("*", "*"),
        ] {
            let normal = normal_form(path).expect(path);
            assert_eq!(String::from_utf8_lossy(&normal), expected, "{path}");
        }
    }

    #[test]
    fn what_servers_read_differently_has_none() {
        for path in [
            "/%2e/a",
            "/x/%2E%2e/a",
            "/.%2e",
            "/x/%2e%2e;/a",
            "/x;%2f../a",
            "/x;%2F..%2fa",
            "/a%00",
            "/a\\b",
            "/a%5cb",
        ] {
            assert_eq!(normal_form(path), Err(Ambiguous), "{path}");
        }
    }
}
