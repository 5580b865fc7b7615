//! Pictures for those who link to a page: the number of a code and the course of its ending, without
//! a word, so that they serve every language. Also the icon for programs that ask for `favicon.ico`.

mod pen;

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use revoir_codes::CloseCode;
use revoir_codes::catalog::{Locale, explain};
use revoir_codes::facts::Severity;

use self::pen::{Color, Pen};
use crate::pages::steps::{Kind, Side, Steps};

/// The size that previews ask for, in pixels.
pub(crate) const SIZE: (u32, u32) = (1200, 630);
const ICON: u32 = 32;

const GROUND: Color = [0x17, 0x32, 0x4d];
const WHITE: Color = [0xff, 0xff, 0xff];
const SOFT: Color = [0x7f, 0xa6, 0xc9];
const RED: Color = [0xff, 0x8f, 0x80];
const GREEN: Color = [0x74, 0xcf, 0x9c];
const AMBER: Color = [0xf2, 0xb2, 0x5c];

/// Where the two lifelines stand.
const LINES: (f32, f32) = (770.0, 1100.0);

/// The name of the picture of a code, below `assets/`.
pub(crate) fn name(code: CloseCode) -> String {
    format!("code-{}.png", code.get())
}

/// The picture with this name, if a registered code has it.
pub(crate) fn by_name(name: &str) -> Option<Bytes> {
    static DRAWN: Mutex<Option<HashMap<CloseCode, Bytes>>> = Mutex::new(None);
    let code = CloseCode::registered().find(|code| self::name(*code) == name)?;
    let mut drawn = DRAWN.lock().unwrap_or_else(PoisonError::into_inner);
    let drawn = drawn.get_or_insert_default();
    Some(drawn.entry(code).or_insert_with(|| of(code)).clone())
}

/// The picture of a code as PNG.
pub(crate) fn of(code: CloseCode) -> Bytes {
    let explained = explain(code, Locale::english());
    let tone = tone(explained.facts.severity);
    let mut pen = Pen::new(SIZE.0, SIZE.1, GROUND);
    for (index, digit) in code.get().to_string().bytes().enumerate() {
        let x = 90.0 + 145.0 * index as f32;
        pen.digit(digit - b'0', (x, 170.0), 10.0, 24.0, WHITE);
    }
    pen.line((90.0, 400.0), (625.0, 400.0), 16.0, tone);
    mark(&mut pen, (90.0, 470.0), 3.0);
    course(&mut pen, &Steps::of(&explained), tone);
    pen.png()
}

const fn tone(severity: Severity) -> Color {
    match severity {
        Severity::Fine => GREEN,
        Severity::Planned => [0x74, 0xc3, 0xe8],
        Severity::Refused => AMBER,
        Severity::Fault => RED,
        Severity::Depends => [0xa3, 0xab, 0xb3],
    }
}

/// Two lifelines, and what travels between them.
fn course(pen: &mut Pen, steps: &Steps, tone: Color) {
    let (left, right) = LINES;
    let (top, bottom) = (80.0, 550.0);
    for x in [left, right] {
        pen.line((x, top), (x, bottom), 5.0, SOFT);
        pen.dot((x, top), 16.0, SOFT);
    }
    let rows = steps.steps.len() + 1 + usize::from(steps.back.is_some());
    let gap = (bottom - top - 40.0) / rows as f32;
    let mut y = top + gap;
    for step in &steps.steps {
        let (from, to) = match step.from {
            Side::Client => (left, right),
            Side::Server => (right, left),
        };
        let (near, far) = (towards(from, to, 16.0), towards(to, from, 16.0));
        let middle = f32::midpoint(from, to);
        match step.kind {
            Kind::Close => pen.arrow((near, y), (far, y), 11.0, tone),
            Kind::Sent => pen.arrow((near, y), (far, y), 5.0, SOFT),
            Kind::Illegal => {
                pen.arrow((near, y), (far, y), 11.0, RED);
                pen.cross((middle, y), 20.0, 8.0, WHITE);
            }
            Kind::Absent => {
                pen.dashes((near, y), (towards(middle, from, 20.0), y), 8.0, SOFT);
                pen.cross((middle, y), 18.0, 9.0, RED);
            }
            Kind::Tcp => {
                let end = towards(far, from, 14.0);
                for shift in [-5.0, 5.0] {
                    pen.line((near, y + shift), (end, y + shift), 3.0, SOFT);
                }
                pen.head((far, y), (near, y), 5.0, SOFT);
            }
            Kind::Silence => {
                for shift in [-40.0, 0.0, 40.0] {
                    pen.dot((middle + shift, y), 7.0, SOFT);
                }
            }
            Kind::Event => pen.dot((from, y), 20.0, AMBER),
        }
        y += gap;
    }
    for x in [left, right] {
        pen.line((x - 34.0, y), (x + 34.0, y), 26.0, tone);
    }
    if steps.back.is_some() {
        y += gap;
        pen.dashes((left + 16.0, y), (right - 34.0, y), 7.0, GREEN);
        pen.head((right - 16.0, y), (left, y), 7.0, GREEN);
    }
}

/// A place on a horizontal line, so far from `from`.
fn towards(from: f32, to: f32, by: f32) -> f32 {
    if to > from { from + by } else { from - by }
}

/// The sign of the project, as `assets/icon.svg` has it in a square of 32.
fn mark(pen: &mut Pen, (x, y): (f32, f32), scale: f32) {
    let at = |px: f32, py: f32| (x + (px - 7.0) * scale, y + (py - 9.0) * scale);
    for side in [7.0, 25.0] {
        pen.line(at(side, 9.0), at(side, 23.0), 2.0 * scale, SOFT);
    }
    pen.line(at(8.0, 13.0), at(22.0, 13.0), 2.0 * scale, WHITE);
    pen.line(at(18.0, 9.5), at(22.5, 13.0), 2.0 * scale, WHITE);
    pen.line(at(18.0, 16.5), at(22.5, 13.0), 2.0 * scale, WHITE);
    pen.dashes(at(24.0, 20.5), at(10.0, 20.5), 2.0 * scale, AMBER);
}

/// The icon in the format of `favicon.ico`: a directory with one entry, a PNG.
pub(crate) fn favicon() -> Bytes {
    let mut pen = Pen::new(ICON, ICON, GROUND);
    mark(&mut pen, (7.0, 9.0), 1.0);
    let png = pen.png();
    let size = ICON as u8;
    let length = u32::try_from(png.len()).unwrap_or(u32::MAX);
    let mut ico = vec![0, 0, 1, 0, 1, 0, size, size, 0, 0, 1, 0, 32, 0];
    ico.extend(length.to_le_bytes());
    ico.extend(22_u32.to_le_bytes());
    ico.extend(&png[..]);
    ico.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

    #[test]
    fn every_code_has_a_picture_of_its_own() {
        let mut all: Vec<Bytes> = CloseCode::registered()
            .map(|code| by_name(&name(code)).unwrap())
            .collect();
        for picture in &all {
            assert!(picture.starts_with(PNG));
            assert!(picture.len() < 40_000, "{}", picture.len());
            // Width and height in the header chunk.
            assert_eq!(picture[16..24], [0, 0, 4, 176, 0, 0, 2, 118]);
        }
        let count = all.len();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), count);
        assert!(by_name("code-4999.png").is_none());
    }

    #[test]
    fn the_icon_is_a_png_in_an_ico() {
        let icon = favicon();
        assert_eq!(icon[..6], [0, 0, 1, 0, 1, 0]);
        assert!(icon[22..].starts_with(PNG));
    }
}
