//! `revoir site`: the reference as static files.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde::Serialize;

use crate::answer::Answer;
use crate::args::SiteArgs;
use crate::exit::Failure;
use crate::output::{Screen, json};

/// Marks a folder as ours, so that it may be written again.
const MARK: &str = ".revoir-site";

/// What was written.
#[derive(Serialize)]
struct Written<'a> {
    out: &'a str,
    files: usize,
    bytes: usize,
}

pub(crate) fn run(args: &SiteArgs, screen: &Screen) -> Result<Answer, Failure> {
    let out = &args.out;
    claim(out)?;
    let (mut files, mut bytes) = (0, 0);
    for file in revoir_site::files(args.base_url.as_deref()) {
        let path = out.join(&file.path);
        let mut put = |path: &Path, content: &[u8]| {
            files += 1;
            bytes += content.len();
            write(path, content)
                .map_err(|error| failure(&format!("cannot write {}", path.display()), &error))
        };
        put(&path, &file.content)?;
        if args.precompress && file.text().is_some() {
            let unpacked = |error| failure("cannot compress", &error);
            let with = |end: &str| out.join(format!("{}.{end}", file.path));
            put(&with("br"), &brotli(&file.content).map_err(unpacked)?)?;
            put(&with("gz"), &gzip(&file.content).map_err(unpacked)?)?;
        }
    }
    let shown = out.display().to_string();
    let text = if screen.json {
        json::line(&Written {
            out: &shown,
            files,
            bytes,
        })
    } else {
        format!("{files} files in {shown}; begin with index.html\n")
    };
    Ok(text.into())
}

/// As small as brotli makes it.
fn brotli(content: &[u8]) -> io::Result<Vec<u8>> {
    let params = brotli::enc::BrotliEncoderParams::default();
    let mut packed = Vec::new();
    brotli::BrotliCompress(&mut &*content, &mut packed, &params)?;
    Ok(packed)
}

/// As small as gzip makes it.
fn gzip(content: &[u8]) -> io::Result<Vec<u8>> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    packed.write_all(content)?;
    packed.finish()
}

/// Makes sure that the folder is there and that nobody else's files are in it, and marks it.
fn claim(out: &Path) -> Result<(), Failure> {
    let shown = out.display();
    fs::create_dir_all(out)
        .map_err(|error| failure(&format!("cannot make the folder {shown}"), &error))?;
    let mut there =
        fs::read_dir(out).map_err(|error| failure(&format!("cannot look into {shown}"), &error))?;
    let ours = out.join(MARK).exists();
    if !ours && there.next().is_some() {
        return Err(Failure::Impossible {
            problem: format!("{shown} is not empty, and its files are not from `revoir site`"),
            hint: "use a new folder, or empty this one".to_owned(),
        });
    }
    write(
        &out.join(MARK),
        b"Written by `revoir site`, which may replace everything here.\n",
    )
    .map_err(|error| failure(&format!("cannot write into {shown}"), &error))
}

fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    match fs::write(path, content) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder)?;
            }
            fs::write(path, content)
        }
        other => other,
    }
}

fn failure(what: &str, error: &io::Error) -> Failure {
    Failure::Impossible {
        problem: format!("{what}: {error}"),
        hint: "check the path, its permissions and the space on the disk".to_owned(),
    }
}
