//! [`Pen`]: lines, arrows and digits, drawn as paths.

use bytes::Bytes;
use tiny_skia::{
    LineCap, LineJoin, Paint, Path, PathBuilder, Pixmap, Rect, Stroke, StrokeDash, Transform,
};

/// Red, green, blue.
pub(super) type Color = [u8; 3];
type Point = (f32, f32);

/// Draws on a picture.
#[derive(Debug)]
pub(super) struct Pen {
    /// `None` if there is no memory for it; then nothing is drawn.
    picture: Option<Pixmap>,
}

impl Pen {
    pub(super) fn new(width: u32, height: u32, [r, g, b]: Color) -> Self {
        let mut picture = Pixmap::new(width, height);
        if let Some(picture) = &mut picture {
            picture.fill(tiny_skia::Color::from_rgba8(r, g, b, 255));
        }
        Self { picture }
    }

    pub(super) fn line(&mut self, from: Point, to: Point, width: f32, color: Color) {
        self.stroke(straight(from, to), width, color, None);
    }

    pub(super) fn dashes(&mut self, from: Point, to: Point, width: f32, color: Color) {
        let dash = StrokeDash::new(vec![width * 1.25, width * 2.0], 0.0);
        self.stroke(straight(from, to), width, color, dash);
    }

    pub(super) fn dot(&mut self, (x, y): Point, radius: f32, color: Color) {
        let place = Rect::from_xywh(x - radius, y - radius, 2.0 * radius, 2.0 * radius);
        let path = place.and_then(PathBuilder::from_oval);
        self.fill(path, color);
    }

    pub(super) fn cross(&mut self, (x, y): Point, size: f32, width: f32, color: Color) {
        self.line((x - size, y - size), (x + size, y + size), width, color);
        self.line((x - size, y + size), (x + size, y - size), width, color);
    }

    /// A horizontal arrow.
    pub(super) fn arrow(&mut self, from: Point, to: Point, width: f32, color: Color) {
        let back = if to.0 > from.0 { -1.0 } else { 1.0 };
        self.line(from, (to.0 + back * width * 2.0, to.1), width, color);
        self.head(to, from, width, color);
    }

    /// The head of a horizontal arrow that comes from `from`.
    pub(super) fn head(&mut self, (x, y): Point, from: Point, width: f32, color: Color) {
        let back = if x > from.0 { -1.0 } else { 1.0 };
        let size = width * 1.2 + 9.0;
        let mut path = PathBuilder::new();
        path.move_to(x, y);
        path.line_to(x + back * size * 1.5, y - size);
        path.line_to(x + back * size * 1.5, y + size);
        path.close();
        self.fill(path.finish(), color);
    }

    /// A digit in a box of 10 by 16, enlarged.
    pub(super) fn digit(&mut self, digit: u8, at: Point, scale: f32, width: f32, color: Color) {
        let mut strokes = Strokes {
            path: PathBuilder::new(),
            at,
            scale,
        };
        strokes.digit(digit);
        self.stroke(strokes.path.finish(), width, color, None);
    }

    /// The picture as PNG.
    pub(super) fn png(self) -> Bytes {
        let png = self.picture.and_then(|picture| picture.encode_png().ok());
        png.unwrap_or_default().into()
    }

    fn stroke(&mut self, path: Option<Path>, width: f32, color: Color, dash: Option<StrokeDash>) {
        let (Some(picture), Some(path)) = (&mut self.picture, path) else {
            return;
        };
        let stroke = Stroke {
            width,
            line_cap: if dash.is_some() {
                LineCap::Butt
            } else {
                LineCap::Round
            },
            line_join: LineJoin::Round,
            dash,
            ..Stroke::default()
        };
        picture.stroke_path(&path, &paint(color), &stroke, Transform::identity(), None);
    }

    fn fill(&mut self, path: Option<Path>, color: Color) {
        let (Some(picture), Some(path)) = (&mut self.picture, path) else {
            return;
        };
        let rule = tiny_skia::FillRule::Winding;
        picture.fill_path(&path, &paint(color), rule, Transform::identity(), None);
    }
}

fn straight(from: Point, to: Point) -> Option<Path> {
    let mut path = PathBuilder::new();
    path.move_to(from.0, from.1);
    path.line_to(to.0, to.1);
    path.finish()
}

fn paint([r, g, b]: Color) -> Paint<'static> {
    let mut paint = Paint::default();
    paint.set_color_rgba8(r, g, b, 255);
    paint
}

/// Digits as the strokes of a pen, in a box of 10 by 16.
struct Strokes {
    path: PathBuilder,
    at: Point,
    scale: f32,
}

impl Strokes {
    fn place(&self, x: f32, y: f32) -> Point {
        (self.at.0 + x * self.scale, self.at.1 + y * self.scale)
    }

    fn to(&mut self, points: &[Point]) {
        for (index, &(x, y)) in points.iter().enumerate() {
            let (x, y) = self.place(x, y);
            match index {
                0 => self.path.move_to(x, y),
                _ => self.path.line_to(x, y),
            }
        }
    }

    /// A curve from where the pen is.
    fn curve(&mut self, a: Point, b: Point, to: Point) {
        let [a, b, to] = [a, b, to].map(|(x, y)| self.place(x, y));
        self.path.cubic_to(a.0, a.1, b.0, b.1, to.0, to.1);
    }

    fn oval(&mut self, (x, y): Point, (width, height): Point) {
        let (left, top) = self.place(x - width, y - height);
        let (width, height) = (2.0 * width * self.scale, 2.0 * height * self.scale);
        if let Some(place) = Rect::from_xywh(left, top, width, height) {
            self.path.push_oval(place);
        }
    }

    fn digit(&mut self, digit: u8) {
        match digit {
            0 => self.oval((5.0, 8.0), (5.0, 8.0)),
            1 => self.to(&[(1.2, 3.4), (5.6, 0.0), (5.6, 16.0)]),
            2 => {
                self.to(&[(0.3, 4.2)]);
                self.curve((0.3, -1.4), (9.7, -1.4), (9.7, 4.4));
                self.curve((9.7, 8.2), (4.0, 11.0), (0.0, 16.0));
                let (x, y) = self.place(10.0, 16.0);
                self.path.line_to(x, y);
            }
            3 => {
                self.to(&[(0.6, 2.6)]);
                self.curve((2.2, -1.0), (9.3, -0.9), (9.3, 3.8));
                self.curve((9.3, 6.6), (7.0, 7.6), (4.2, 7.6));
                self.curve((7.5, 7.6), (10.0, 9.0), (10.0, 11.8));
                self.curve((10.0, 17.2), (1.5, 17.4), (0.0, 13.0));
            }
            4 => self.to(&[(7.5, 16.0), (7.5, 0.0), (0.0, 11.5), (10.0, 11.5)]),
            5 => {
                self.to(&[(9.0, 0.0), (1.4, 0.0), (0.7, 7.4)]);
                self.curve((2.4, 5.8), (10.0, 4.8), (10.0, 10.7));
                self.curve((10.0, 17.4), (1.6, 17.2), (0.0, 13.4));
            }
            6 => {
                self.to(&[(8.4, 0.4)]);
                self.curve((4.0, 1.2), (0.0, 5.5), (0.0, 11.0));
                self.oval((5.0, 11.0), (5.0, 5.0));
            }
            7 => self.to(&[(0.0, 0.0), (10.0, 0.0), (3.6, 16.0)]),
            8 => {
                self.oval((5.0, 3.9), (4.2, 3.9));
                self.oval((5.0, 11.9), (5.0, 4.1));
            }
            _ => {
                self.oval((5.0, 5.0), (5.0, 5.0));
                self.to(&[(1.6, 15.6)]);
                self.curve((6.0, 14.8), (10.0, 10.5), (10.0, 5.0));
            }
        }
    }
}
