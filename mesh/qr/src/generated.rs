//! Pictures of invites as a phone's camera gives them, made from a seed: what the ladder is measured on.
//!
//! ```text
//!   text ──draw──> modules ──pose──> 640x480 frame ──lens, hand──> blur ──> glare, moire ──> light, noise ──> JPEG
//! ```
//!
//! Each picture has one distortion at the strength named at [`Distortion`], and all the others at the
//! little that every hand-held picture has; `Together` has several at half strength. Numbers are in
//! modules and degrees, not in pixels, so they say the same at every distance. Only for tests and
//! `bench qr`: feature `generated`.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::expect_used,
    clippy::cast_possible_truncation,
    reason = "no picture from outside comes here: sizes are constants, and only tests run it"
)]

use std::f32::consts::PI;

use image::{GrayImage, codecs::jpeg::JpegEncoder};

use crate::draw::Modules;

/// The frame, as the page hands it to the shell.
pub const WIDTH: u32 = 640;
/// The frame's height.
pub const HEIGHT: u32 = 480;

/// The focal length in pixels: a lens of 60 degrees across, as of laptops and phones.
const FOCAL: f32 = 560.0;

/// What is wrong with a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Distortion {
    /// Held 30-55 degrees askew, turned any way.
    Tilt,
    /// Out of focus by a disc of 0.4-0.75 modules radius, or moved by 0.8-1.5 modules.
    Blur,
    /// A lamp mirrored in the screen: up to 8 modules across burnt out, a haze around it.
    Glare,
    /// The screen's pixels against the sensor's: waves of 8-22 % in two directions.
    Moire,
    /// White at 30-65 of 255 and noise of 4-8.
    LowLight,
    /// Tilt 15-35 degrees, blur of half the strength above, one of the other three, JPEG of quality 30-50.
    Together,
}

impl Distortion {
    /// In the order in which pictures take turns.
    pub const ALL: [Self; 6] = [
        Self::Tilt,
        Self::Blur,
        Self::Glare,
        Self::Moire,
        Self::LowLight,
        Self::Together,
    ];

    /// For reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Tilt => "tilt",
            Self::Blur => "blur",
            Self::Glare => "glare",
            Self::Moire => "moire",
            Self::LowLight => "low light",
            Self::Together => "together",
        }
    }
}

/// A picture and what its code says.
#[derive(Clone, Debug)]
pub struct Generated {
    /// The code's text.
    pub text: String,
    /// What is wrong with it.
    pub distortion: Distortion,
    /// [`WIDTH`] times [`HEIGHT`] grey bytes.
    pub pixels: Vec<u8>,
}

/// Picture `number` of the set that `seed` makes: the same in every run.
#[must_use]
pub fn picture(seed: u64, number: u32) -> Generated {
    let mut random =
        Random(seed.wrapping_add(u64::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15)));
    let distortion = Distortion::ALL[number as usize % Distortion::ALL.len()];
    let text = invite_like(&mut random);
    let scene = Scene::of(distortion, &mut random);
    let mut frame = scene.draw(&text, &mut random);
    scene.blur(&mut frame, &mut random);
    scene.light(&mut frame, &mut random);
    let pixels = frame
        .into_iter()
        .map(|grey| grey.round().clamp(0.0, 255.0) as u8)
        .collect();
    Generated {
        text,
        distortion,
        pixels: scene.compressed(pixels),
    }
}

/// As long as an invite with one to three addresses, in its alphabet.
fn invite_like(random: &mut Random) -> String {
    let length = 118 + random.below(24);
    let letter = |n: u64| char::from(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[n as usize % 32]);
    let rest: String = (0..length).map(|_| letter(random.below(32))).collect();
    format!("PEDDLENET:J/{rest}")
}

/// One way of holding a phone in front of a code. Lengths in modules, angles in radians, light of 255.
struct Scene {
    module_px: f32,
    tilt: f32,
    roll: f32,
    defocus: f32,
    motion: f32,
    glare: f32,
    moire: f32,
    white: f32,
    black: f32,
    noise: f32,
    jpeg: u8,
}

impl Scene {
    fn of(distortion: Distortion, random: &mut Random) -> Self {
        let mut scene = Self {
            module_px: random.between(4.0, 7.5),
            tilt: random.between(0.0, 15.0) / 180.0 * PI,
            roll: random.between(-20.0, 20.0) / 180.0 * PI,
            defocus: random.between(0.0, 0.2),
            motion: random.between(0.0, 0.3),
            glare: 0.0,
            moire: random.between(0.0, 0.03),
            white: random.between(170.0, 250.0),
            black: random.between(10.0, 50.0),
            noise: random.between(1.0, 3.0),
            jpeg: 85,
        };
        match distortion {
            Distortion::Tilt => {
                scene.tilt = random.between(30.0, 55.0) / 180.0 * PI;
                scene.roll = random.between(-PI, PI);
            }
            Distortion::Blur => scene.blurred(random, 1.0),
            Distortion::Glare => scene.glare = random.between(4.0, 8.0),
            Distortion::Moire => scene.moire = random.between(0.08, 0.22),
            Distortion::LowLight => scene.darken(random),
            Distortion::Together => {
                scene.tilt = random.between(15.0, 35.0) / 180.0 * PI;
                scene.roll = random.between(-PI, PI);
                scene.jpeg = 30 + random.below(21) as u8;
                scene.blurred(random, 0.5);
                match random.below(3) {
                    0 => scene.glare = random.between(2.0, 5.0),
                    1 => scene.moire = random.between(0.05, 0.12),
                    _ => scene.darken(random),
                }
            }
        }
        scene
    }

    fn blurred(&mut self, random: &mut Random, strength: f32) {
        if random.below(2) == 0 {
            self.defocus = random.between(0.4, 0.75) * strength;
        } else {
            self.motion = random.between(0.8, 1.5) * strength;
        }
    }

    fn darken(&mut self, random: &mut Random) {
        self.white = random.between(30.0, 65.0);
        self.black = self.white * random.between(0.1, 0.3);
        self.noise = random.between(4.0, 8.0) * self.white / 65.0;
    }

    /// The screen that shows the code, before a room, four samples a pixel.
    fn draw(&self, text: &str, random: &mut Random) -> Vec<f32> {
        let modules = Modules::of(text).expect("the text fits a code");
        let side = modules.side() as f32;
        let pose = Pose::of(self, side, random);
        let (card_x, card_y) = (random.between(2.0, 12.0), random.between(3.0, 25.0));
        let room = random.between(0.1, 0.75);
        let (wave_x, wave_y) = (random.between(0.004, 0.02), random.between(0.004, 0.02));
        let mut frame = Vec::with_capacity((WIDTH * HEIGHT) as usize);
        for y in 0..HEIGHT {
            for x in 0..WIDTH {
                let mut sum = 0.0;
                for (dx, dy) in [(0.25, 0.25), (0.75, 0.25), (0.25, 0.75), (0.75, 0.75)] {
                    let (px, py) = (x as f32 + dx, y as f32 + dy);
                    let (u, v) = pose.to_modules(px, py);
                    let (out_x, out_y) = (
                        (u - side / 2.0).abs() - side / 2.0,
                        (v - side / 2.0).abs() - side / 2.0,
                    );
                    sum += if out_x < 0.0 && out_y < 0.0 {
                        f32::from(u8::from(!modules.is_dark(u as usize, v as usize)))
                    } else if out_x < card_x && out_y < card_y {
                        // The app's page around the code, with lines of text.
                        let line = out_y > 2.0 && v.rem_euclid(3.0) < 1.0 && (u * 1.7).sin() > -0.3;
                        if line { 0.3 } else { 0.96 }
                    } else {
                        (room + 0.2 * ((px * wave_x).sin() + (py * wave_y).cos())).clamp(0.0, 1.0)
                    };
                }
                frame.push(self.black + sum / 4.0 * (self.white - self.black));
            }
        }
        frame
    }

    /// Out of focus, then moved while the shutter was open.
    fn blur(&self, frame: &mut Vec<f32>, random: &mut Random) {
        // A lens spreads a point over about half a pixel at its best.
        let radius = (self.defocus * self.module_px).max(0.5);
        let mut disc = Vec::new();
        let reach = radius.ceil() as i32;
        for dy in -reach * 2..=reach * 2 {
            for dx in -reach * 2..=reach * 2 {
                let (dx, dy) = (dx as f32 / 2.0, dy as f32 / 2.0);
                if dx.hypot(dy) <= radius {
                    disc.push((dx, dy));
                }
            }
        }
        *frame = spread(frame, &disc);
        let length = self.motion * self.module_px;
        if length >= 0.5 {
            let angle = random.between(0.0, PI);
            let steps = (length * 2.0).ceil() as i32;
            let path: Vec<_> = (0..=steps)
                .map(|step| {
                    let along = (step as f32 / steps as f32 - 0.5) * length;
                    (along * angle.cos(), along * angle.sin())
                })
                .collect();
            *frame = spread(frame, &path);
        }
    }

    fn light(&self, frame: &mut [f32], random: &mut Random) {
        let waves: [(f32, f32, f32); 2] = std::array::from_fn(|_| {
            let (angle, length) = (random.between(0.0, PI), random.between(3.0, 20.0));
            (
                angle.cos() * 2.0 * PI / length,
                angle.sin() * 2.0 * PI / length,
                random.between(0.0, 6.0),
            )
        });
        let lamp_x = WIDTH as f32 * random.between(0.4, 0.6);
        let lamp_y = HEIGHT as f32 * random.between(0.4, 0.6);
        let lamp = self.glare * self.module_px / 2.0;
        let flat = random.between(0.6, 1.6);
        for (place, grey) in frame.iter_mut().enumerate() {
            let (x, y) = ((place as u32 % WIDTH) as f32, (place as u32 / WIDTH) as f32);
            let off_x = x / WIDTH as f32 - 0.5;
            let off_y = y / HEIGHT as f32 - 0.5;
            // Darker towards the edge, as every lens is.
            *grey *= 1.0 - 0.3 * (off_x * off_x + off_y * off_y);
            for (wx, wy, phase) in waves {
                *grey *= 1.0 + self.moire / 2.0 * (x * wx + y * wy + phase).sin();
            }
            if lamp > 0.0 {
                let away = ((x - lamp_x) / flat).hypot((y - lamp_y) * flat) / lamp;
                // Burnt out inside, a haze that halves every lamp's width outside.
                *grey += if away < 1.0 {
                    255.0
                } else {
                    110.0 * 0.5_f32.powf(away - 1.0)
                };
            }
            *grey += self.noise * random.normal();
        }
    }

    fn compressed(&self, pixels: Vec<u8>) -> Vec<u8> {
        let picture = GrayImage::from_raw(WIDTH, HEIGHT, pixels).expect("a frame");
        let mut bytes = Vec::new();
        JpegEncoder::new_with_quality(&mut bytes, self.jpeg)
            .encode_image(&picture)
            .expect("a JPEG in memory");
        image::load_from_memory(&bytes)
            .expect("its JPEG")
            .into_luma8()
            .into_raw()
    }
}

/// From the frame's pixels back to the modules of the code's plane.
struct Pose {
    /// Rows of the inverse of the plane's projection.
    inverse: [[f32; 3]; 3],
}

impl Pose {
    fn of(scene: &Scene, side: f32, random: &mut Random) -> Self {
        let axis = random.between(0.0, 2.0 * PI);
        let (sway_x, sway_y) = (random.between(-1.0, 1.0), random.between(-1.0, 1.0));
        let mut module_px = scene.module_px;
        loop {
            // Modules around the code's middle, rolled, then tilted about an axis in the picture's plane.
            let (s, c) = (scene.roll.sin(), scene.roll.cos());
            let roll = [[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]];
            let tilted = product(&about(axis, scene.tilt), &roll);
            let depth = FOCAL / module_px;
            // Columns: where a step along u and along v goes, and where the corner of the quiet zone lies.
            let project = |shift_x: f32, shift_y: f32| {
                let corner: [f32; 3] = std::array::from_fn(|row| {
                    -(tilted[row][0] + tilted[row][1]) * side / 2.0
                        + if row == 2 { depth } else { 0.0 }
                });
                let space: [[f32; 3]; 3] =
                    std::array::from_fn(|row| [tilted[row][0], tilted[row][1], corner[row]]);
                let lens = [
                    [FOCAL, 0.0, WIDTH as f32 / 2.0 + shift_x],
                    [0.0, FOCAL, HEIGHT as f32 / 2.0 + shift_y],
                    [0.0, 0.0, 1.0],
                ];
                product(&lens, &space)
            };
            let centred = project(0.0, 0.0);
            let corners = [(0.0, 0.0), (side, 0.0), (side, side), (0.0, side)]
                .map(|(u, v)| through(&centred, u, v));
            let reach = |pick: fn(&(f32, f32)) -> f32, middle: f32| {
                let low = corners.iter().map(pick).fold(f32::MAX, f32::min);
                let high = corners.iter().map(pick).fold(f32::MIN, f32::max);
                (-low, 2.0 * middle - high)
            };
            let (left, right) = reach(|at| at.0, WIDTH as f32 / 2.0);
            let (top, bottom) = reach(|at| at.1, HEIGHT as f32 / 2.0);
            // Held so that the whole code is in the picture: the frame on the screen asks for that.
            if left < 0.0 && right > 0.0 && top < 0.0 && bottom > 0.0 {
                let sway = |low: f32, high: f32, much: f32| {
                    if much < 0.0 { -much * low } else { much * high }
                };
                let placed = project(
                    sway(left, right, sway_x) * 0.8,
                    sway(top, bottom, sway_y) * 0.8,
                );
                return Self {
                    inverse: inverse(&placed),
                };
            }
            module_px *= 0.95;
        }
    }

    fn to_modules(&self, x: f32, y: f32) -> (f32, f32) {
        through(&self.inverse, x, y)
    }
}

fn through(matrix: &[[f32; 3]; 3], x: f32, y: f32) -> (f32, f32) {
    let [a, b, c] = matrix.map(|row| row[0] * x + row[1] * y + row[2]);
    (a / c, b / c)
}

fn product(a: &[[f32; 3]; 3], b: &[[f32; 3]; 3]) -> [[f32; 3]; 3] {
    std::array::from_fn(|row| {
        std::array::from_fn(|column| (0..3).map(|k| a[row][k] * b[k][column]).sum())
    })
}

/// A turn by `angle` about the direction `axis` in the plane of the picture (Rodrigues).
fn about(axis: f32, angle: f32) -> [[f32; 3]; 3] {
    let (x, y, s, c) = (axis.cos(), axis.sin(), angle.sin(), angle.cos());
    let t = 1.0 - c;
    [
        [t * x * x + c, t * x * y, s * y],
        [t * x * y, t * y * y + c, -s * x],
        [-s * y, s * x, c],
    ]
}

/// By cofactors, without the factor that projecting divides out.
fn inverse(m: &[[f32; 3]; 3]) -> [[f32; 3]; 3] {
    std::array::from_fn(|row| {
        std::array::from_fn(|column| {
            let (r1, r2) = ((column + 1) % 3, (column + 2) % 3);
            let (c1, c2) = ((row + 1) % 3, (row + 2) % 3);
            m[r1][c1] * m[r2][c2] - m[r1][c2] * m[r2][c1]
        })
    })
}

/// The mean of the frame moved by each of `offsets`.
fn spread(frame: &[f32], offsets: &[(f32, f32)]) -> Vec<f32> {
    // Whole pixels with their shares first: offsets of half a pixel fall on the same ones again and again.
    let mut taps: Vec<(i32, i32, f32)> = Vec::new();
    for (dx, dy) in offsets {
        let (left, top) = (dx.floor(), dy.floor());
        for (x, y) in [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0)] {
            let share = (1.0 - (dx - left - x).abs()) * (1.0 - (dy - top - y).abs());
            let (x, y) = ((left + x) as i32, (top + y) as i32);
            match taps.iter_mut().find(|tap| tap.0 == x && tap.1 == y) {
                Some(tap) => tap.2 += share,
                None => taps.push((x, y, share)),
            }
        }
    }
    taps.retain(|tap| tap.2 > 0.0);
    let mut out = vec![0.0; frame.len()];
    let (width, height) = (WIDTH as i32, HEIGHT as i32);
    for (dx, dy, share) in taps {
        let share = share / offsets.len() as f32;
        for y in 0..height {
            let from = (y + dy).clamp(0, height - 1) * width;
            for x in 0..width {
                out[(y * width + x) as usize] +=
                    frame[(from + (x + dx).clamp(0, width - 1)) as usize] * share;
            }
        }
    }
    out
}

/// `SplitMix64` (Steele, Lea, Flood 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    fn unit(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1_u32 << 24) as f32
    }

    fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.unit()
    }

    /// Of twelve uniform numbers: near enough to a normal one for a sensor's noise.
    fn normal(&mut self) -> f32 {
        (0..12).map(|_| self.unit()).sum::<f32>() - 6.0
    }
}
